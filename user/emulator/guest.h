/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * The guest: where things are in its memory, and what it tells by its ports
 */
#ifndef EMULATOR_GUEST_H
#define EMULATOR_GUEST_H

#define GUEST_TABLES	0x1000		/* page tables, identity-mapped */
#define GUEST_CODE	0x8000
#define GUEST_DATA	0x200000	/* up to the end of memory */

#define GUEST_CHECKED	0x10		/* EAX: a generation that was right */
#define GUEST_FAILED	0x11		/* RBX: where RDX was, not RAX */

#ifndef __ASSEMBLER__
extern const char guest_code[], guest_code_end[];
#endif

#endif /* EMULATOR_GUEST_H */
