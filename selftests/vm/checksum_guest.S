/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * A guest that knows what its memory holds
 *
 * A multiboot kernel of 32 bits without paging. It fills its memory from FIRST
 * on, but for the last MiB, with words that depend on their address and do not
 * repeat, page by page as the last letter of its command line says: d all
 * pages, a every second one, i runs of 32 pages and gaps of 128. Then it says
 * READY, and from then on, on and on, adds up all of its memory, says "sum N
 * ok" if the sum is that of the beginning, else "BAD", and stops. N counts.
 *
 * What it says goes to the serial port. Registers: %ebp the count, %esi the
 * end of memory, kept throughout.
 */
	.set FIRST, 0x400000
	.set PAGE, 4096
	.set SERIAL, 0x3f8
	.set MULTIBOOT, 0x1badb002
	.set WANT_MEMORY, 0x2

	.section .multiboot, "a"
	.align 4
	.long MULTIBOOT
	.long WANT_MEMORY
	.long -(MULTIBOOT + WANT_MEMORY)

	.text
	.code32
	.globl _start
_start:
	cli
	mov $stack_end, %esp
	mov 8(%ebx), %esi		/* KiB above 1 MiB */
	shl $10, %esi			/* less the last MiB */
	mov 16(%ebx), %eax
	call last_letter
	mov %al, %dl

	/* %dl pattern, %edi page, %ecx words left */
	mov $FIRST, %edi
next_page:
	call is_filled
	jc absent
	mov $PAGE / 4, %ecx
next_word:
	mov %edi, %eax
	imul $0x9e3779b1, %eax
	or $1, %eax
	mov %eax, (%edi)
	add $4, %edi
	loop next_word
	jmp filled
absent:
	add $PAGE, %edi
filled:
	cmp %esi, %edi
	jb next_page

	call sum
	mov %eax, first_sum
	mov $ready, %edi
	call say

	xor %ebp, %ebp
again:
	call sum
	cmp first_sum, %eax
	jne bad
	inc %ebp
	mov $sum_is, %edi
	call say
	mov %ebp, %eax
	call say_number
	mov $ok, %edi
	call say
	jmp again
bad:
	mov $is_bad, %edi
	call say
stop:
	hlt
	jmp stop

/* The last byte of the string %eax into %al. */
last_letter:
	mov %eax, %ecx
0:	mov (%ecx), %dl
	test %dl, %dl
	jz 1f
	mov %dl, %al
	inc %ecx
	jmp 0b
1:	ret

/* Carry: the page at %edi stays as it is. Changes %eax, %ecx. */
is_filled:
	mov %edi, %eax
	shr $12, %eax
	cmp $'a', %dl
	je alternating
	cmp $'i', %dl
	je idle
	clc
	ret
alternating:
	bt $0, %eax
	ret
idle:
	push %edx
	xor %edx, %edx
	mov $160, %ecx
	div %ecx
	cmp $32, %edx			/* carry: less */
	pop %edx
	cmc
	ret

/* Sum of all words into %eax, each with its place. Changes %ecx, %edi. */
sum:
	xor %eax, %eax
	mov $FIRST, %edi
0:	rol $1, %eax
	add (%edi), %eax
	add $4, %edi
	cmp %esi, %edi
	jb 0b
	ret

/* Writes the string %edi. Changes %eax, %edx, %edi. */
say:
	mov (%edi), %al
	inc %edi
	test %al, %al
	jz 0f
	call put
	jmp say
0:	ret

/* Writes %eax in hexadecimal. Changes %eax, %ecx, %edx. */
say_number:
	mov $8, %ecx
0:	rol $4, %eax
	push %eax
	and $15, %eax
	mov digits(%eax), %al
	call put
	pop %eax
	loop 0b
	ret

/* Writes %al when the port can take it. Changes %edx. */
put:
	push %eax
	mov $SERIAL + 5, %edx
0:	in %dx, %al
	test $0x20, %al
	jz 0b
	pop %eax
	mov $SERIAL, %edx
	out %al, %dx
	ret

digits:	.ascii "0123456789abcdef"
ready:	.asciz "READY\n"
sum_is:	.asciz "sum "
ok:	.asciz " ok\n"
is_bad:	.asciz "BAD\n"

	.bss
	.align 16
first_sum:
	.skip 4
	.skip 4096
stack_end:

	.section .note.GNU-stack, "", @progbits
