/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_FALLBACK_H
#define RAMLOAD_FALLBACK_H

/**
 * enum fallback - why something was not done in the best way there is
 * @FALLBACK_NONE: it was
 * @FALLBACK_NO_DIRECT: the file can do no direct I/O
 * @FALLBACK_OFFSET: the bytes begin, or all of them end, where no direct read may
 * @FALLBACK_END: the file ends before a direct read could
 * @FALLBACK_SMALL: too few bytes for one wait for the device
 * @FALLBACK_CACHED: the page cache has them
 * @FALLBACK_MEMORY: the memory is not aligned as a direct read needs
 * @FALLBACK_NOT_PINNED: the memory is not to be pinned
 * @FALLBACK_FAILED: a direct read failed
 * @FALLBACK_SHORT: a direct read got less than was asked for
 * @FALLBACK_AGAIN: somebody interfered with pages that were read into: those
 *	bytes are read again
 * @FALLBACK_NO_HUGE: no huge page was to be had
 *
 * All but the last two say why the source is read through its page cache, where
 * direct reads are allowed.
 */
enum fallback {
	FALLBACK_NONE,
	FALLBACK_NO_DIRECT,
	FALLBACK_OFFSET,
	FALLBACK_END,
	FALLBACK_SMALL,
	FALLBACK_CACHED,
	FALLBACK_MEMORY,
	FALLBACK_NOT_PINNED,
	FALLBACK_FAILED,
	FALLBACK_SHORT,
	FALLBACK_AGAIN,
	FALLBACK_NO_HUGE,
};

#endif /* RAMLOAD_FALLBACK_H */
