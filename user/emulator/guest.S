/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * The guest. Each vCPU has every so-manieth page. In each generation it fills
 * three of four of them with words that depend on address, generation and vCPU,
 * looks at all of them again, tells the outcome, and looks once more, for it is
 * often stopped while it tells. It keeps what it needs in as many kinds of state
 * as it can, to lose its way if one is not restored: the generation in a general
 * register, a factor in an SSE register, its number where GS begins, the page it
 * is at on a stack. It makes the key of the words anew for each page, so what it
 * lost shows in pages that it filled before.
 *
 * It starts in long mode, with ports allowed, in user mode: where KVM has no
 * help of the CPU, as on PVM, that is the fast one. It is given
 *	rdi	number of the vCPU
 *	rsi	number of vCPUs
 *	rdx	end of memory
 *	rsp	a stack
 *	gs:0	a number that is its own
 */
#include "guest.h"

#define FACTOR	0x9e3779b97f4a7c15

	.section .rodata
	.globl	guest_code, guest_code_end
	.code64
guest_code:
	mov	%rdx, %r9
	mov	$1, %r8d
	movabs	$FACTOR, %rax
	movq	%rax, %xmm15

generation:
	/* r14: 0 while it fills, 1 while it checks, 2 when it checks again */
	xor	%r14d, %r14d
pass:
	mov	%rdi, %rbx
	shl	$12, %rbx
	add	$GUEST_DATA, %rbx
page:
	cmp	%r9, %rbx
	jae	pass_done
	push	%rbx
	lea	4096(%rbx), %r12

	/* r10: the key */
	mov	%r8, %r10
	shl	$8, %r10
	or	%gs:0, %r10
	movq	%xmm15, %rax
	imul	%rax, %r10

	/* ebp: 1 if this is a page that stays zero */
	xor	%ebp, %ebp
	bt	$12, %rbx
	jnc	1f
	bt	$13, %rbx
	adc	$0, %ebp
1:	test	%r14, %r14
	jnz	check
	test	%ebp, %ebp
	jnz	page_done
fill:
	lea	(%rbx, %r10), %rax
	mov	%rax, (%rbx)
	add	$8, %rbx
	cmp	%r12, %rbx
	jb	fill
	jmp	page_done
check:
	lea	(%rbx, %r10), %rax
	test	%ebp, %ebp
	jz	2f
	xor	%eax, %eax
2:	mov	(%rbx), %rdx
	cmp	%rdx, %rax
	jne	failed
	add	$8, %rbx
	cmp	%r12, %rbx
	jb	check
page_done:
	pop	%rbx
	mov	%rsi, %rax
	shl	$12, %rax
	add	%rax, %rbx
	jmp	page
pass_done:
	inc	%r14d
	cmp	$2, %r14d
	jb	pass
	ja	next
	mov	%r8d, %eax
	out	%eax, $GUEST_CHECKED
	jmp	pass
next:
	inc	%r8
	jmp	generation

failed:
	out	%eax, $GUEST_FAILED
	jmp	failed
guest_code_end:

	.section .note.GNU-stack, "", @progbits
