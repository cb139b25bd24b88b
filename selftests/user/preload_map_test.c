// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What of an smaps looks as the memory of a block of QEMU does
 */
#include <string.h>

#include "../../user/shim/preload_map.h"
#include "kselftest_harness.h"

#define MiB	(UINT64_C(1) << 20)

static const struct preload_stamp image_stamp = { .dev = 0x803, .ino = 77 };

/* Two mappings of 1 MiB from 0x100000 on, and one of something before them */
static bool finds(const char *first, const char *second, const char *flags1,
		  const char *flags2)
{
	char text[1024];
	FILE *file;
	bool found;

	snprintf(text, sizeof(text),
		 "00001000-00100000 rw-p 00000000 00:00 0\n"
		 "AnonHugePages:     0 kB\nVmFlags: rd wr mr mw me ac dc sd\n"
		 "%s\nRss:    4 kB\nVmFlags: %s\n"
		 "%s a file with \"VmFlags: \" in its name\nVmFlags: %s\n",
		 first, flags1, second, flags2);
	file = fmemopen(text, strlen(text), "r");
	found = preload_map_find(file, 0x100000, 2 * MiB, &image_stamp);
	fclose(file);
	return found;
}

#define FIRST	"00100000-00200000 rw-p 00000000 00:00 0"
#define SECOND	"00200000-00300000 rw-s 00000000 00:01 5"
#define BLOCK	"rd wr mr mw me dc ac sd "

TEST(mappings)
{
	EXPECT_TRUE(finds(FIRST, SECOND, BLOCK, BLOCK));
	EXPECT_TRUE(finds("00100000-00300000 rw-s 0 00:01 5", "00400000-"
			  "00500000 ---p 0 00:00 0", "rd wr dc", "mr"));
	EXPECT_FALSE(finds(FIRST, SECOND, BLOCK, "rd wr mr mw me ac sd "));
	EXPECT_FALSE(finds(FIRST, SECOND, "rd wr mr mw dcx xdc", BLOCK));
	EXPECT_FALSE(finds(FIRST, "00200000-00300000 r--p 0 00:00 0", BLOCK,
			   BLOCK));
	EXPECT_FALSE(finds(FIRST, "00201000-00300000 rw-p 0 00:00 0", BLOCK,
			   BLOCK));
	EXPECT_FALSE(finds(FIRST, "00200000-002ff000 rw-p 0 00:00 0", BLOCK,
			   BLOCK));
	EXPECT_FALSE(finds("000ff000-00200000 rw-p 0 00:00 0", SECOND, BLOCK,
			   BLOCK));
	EXPECT_FALSE(finds(FIRST, "00200000-00300000 rw-s 0 08:03 77", BLOCK,
			   BLOCK));
	EXPECT_FALSE(finds("00101000-00200000 rw-p 0 00:00 0", SECOND, BLOCK,
			   BLOCK));
}

TEST_HARNESS_MAIN
