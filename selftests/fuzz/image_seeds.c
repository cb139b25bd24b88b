// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * usage: image_seeds DIR NUMBER
 *
 * Writes inputs for image_fuzz to start from.
 */
#include <stdio.h>

#include "fuzz_input.h"

static uint8_t input[sizeof(file.data) + INPUT_HEADER];

static int save(const char *dir, uint64_t nr, size_t size)
{
	char path[4096];
	FILE *f;
	int err;

	snprintf(path, sizeof(path), "%s/%03d", dir, (int)nr);
	f = fopen(path, "w");
	if (!f)
		return 1;
	err = fwrite(input, 1, size, f) != size;
	return fclose(f) || err;
}

int main(int argc, char **argv)
{
	uint64_t nr, i;

	if (argc != 3) {
		fprintf(stderr, "usage: image_seeds DIR NUMBER\n");
		return 2;
	}
	nr = strtoul(argv[2], NULL, 0);
	for (i = 0; i < nr; i++) {
		draw_image(i);
		if (save(argv[1], i, put_input(input, sizeof(input)))) {
			perror(argv[1]);
			return 1;
		}
	}
	return 0;
}
