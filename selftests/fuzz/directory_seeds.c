// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * usage: directory_seeds DIR NUMBER
 *
 * Writes inputs for directory_fuzz to start from.
 */
#include "directory_input.h"

int main(int argc, char **argv)
{
	uint64_t nr, i;
	int dir;

	if (argc != 3) {
		fprintf(stderr, "usage: directory_seeds DIR NUMBER\n");
		return 2;
	}
	dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	must(dir >= 0);
	nr = strtoul(argv[2], NULL, 0);
	for (i = 0; i < nr; i++) {
		struct bytes input = draw_directories(i);
		char name[32];

		snprintf(name, sizeof(name), "%03d", (int)i);
		write_bytes(dir, name, &input);
		drop(&input);
	}
	return 0;
}
