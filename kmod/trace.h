/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events. They are for people who look for what took time or went
 * another way than they had thought; Documentation/tracing.rst is written for
 * those. An event is told once: by who decides, or by who comes to an end.
 *
 * Fields are only added, and behind those there are: scripts name them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ramload

#if !defined(RAMLOAD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define RAMLOAD_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>
#include <uapi/linux/ramload.h>

#include "fallback.h"

struct load_job;

/* So that programs that read the raw events know the values. */
TRACE_DEFINE_ENUM(RAMLOAD_DIRECT_AUTO);
TRACE_DEFINE_ENUM(RAMLOAD_DIRECT_ON);
TRACE_DEFINE_ENUM(RAMLOAD_DIRECT_OFF);
TRACE_DEFINE_ENUM(FALLBACK_NO_DIRECT);
TRACE_DEFINE_ENUM(FALLBACK_OFFSET);
TRACE_DEFINE_ENUM(FALLBACK_END);
TRACE_DEFINE_ENUM(FALLBACK_SMALL);
TRACE_DEFINE_ENUM(FALLBACK_CACHED);
TRACE_DEFINE_ENUM(FALLBACK_MEMORY);
TRACE_DEFINE_ENUM(FALLBACK_NOT_PINNED);
TRACE_DEFINE_ENUM(FALLBACK_FAILED);
TRACE_DEFINE_ENUM(FALLBACK_SHORT);
TRACE_DEFINE_ENUM(FALLBACK_AGAIN);
TRACE_DEFINE_ENUM(FALLBACK_NO_HUGE);

#define show_direct(direct)						\
	__print_symbolic(direct,					\
		{ RAMLOAD_DIRECT_AUTO, "auto" },			\
		{ RAMLOAD_DIRECT_ON, "on" },				\
		{ RAMLOAD_DIRECT_OFF, "off" })

#define show_fallback(why)						\
	__print_symbolic(why,						\
		{ FALLBACK_NO_DIRECT, "no-direct-io" },			\
		{ FALLBACK_OFFSET, "unaligned-offset" },		\
		{ FALLBACK_END, "end-of-file" },			\
		{ FALLBACK_SMALL, "small" },				\
		{ FALLBACK_CACHED, "cached" },				\
		{ FALLBACK_MEMORY, "unaligned-memory" },		\
		{ FALLBACK_NOT_PINNED, "memory-not-pinned" },		\
		{ FALLBACK_FAILED, "failed" },				\
		{ FALLBACK_SHORT, "short-read" },			\
		{ FALLBACK_AGAIN, "read-again" },			\
		{ FALLBACK_NO_HUGE, "no-huge-page" })

/* Before any worker can take it. By the task that submits it. */
TRACE_EVENT(job_submit,
	TP_PROTO(const struct load_job *job),
	TP_ARGS(job),
	TP_STRUCT__entry(
		__field(u32, job)
		__field(u32, context)
		__field(u32, ranges)
		__field(u32, chunks)
		__field(u64, bytes)
		__field(u32, direct)
		__field(dev_t, dev)
		__field(u64, ino)
	),
	TP_fast_assign(
		const struct inode *inode = file_inode(job->source.file);

		__entry->job = job->id;
		__entry->context = job->pool->id;
		__entry->ranges = job->nr_ranges;
		__entry->chunks = job->nr_chunks;
		__entry->bytes = job->bytes_total;
		__entry->direct = job->source.direct;
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
	),
	TP_printk("job=%u context=%u ranges=%u chunks=%u bytes=%llu direct=%s dev=%d:%d ino=%llu",
		  __entry->job, __entry->context, __entry->ranges,
		  __entry->chunks, __entry->bytes,
		  show_direct(__entry->direct),
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino)
);

/* By its worker. */
TRACE_EVENT(chunk_start,
	TP_PROTO(const struct load_job *job, u32 chunk),
	TP_ARGS(job, chunk),
	TP_STRUCT__entry(
		__field(u32, job)
		__field(u32, chunk)
		__field(u64, offset)
		__field(u64, dest)
	),
	TP_fast_assign(
		struct load_position pos = job->request->chunks[chunk];

		__entry->job = job->id;
		__entry->chunk = chunk;
		__entry->offset = load_request_file_offset(job->request, pos);
		__entry->dest = load_request_dest(job->request, pos);
	),
	TP_printk("job=%u chunk=%u offset=%llu dest=0x%llx",
		  __entry->job, __entry->chunk, __entry->offset,
		  __entry->dest)
);

/* By its worker, or by who takes it off a worker that is stopped. */
TRACE_EVENT(chunk_done,
	TP_PROTO(const struct load_job *job, u32 chunk, u64 bytes,
		 u64 direct_bytes, int error),
	TP_ARGS(job, chunk, bytes, direct_bytes, error),
	TP_STRUCT__entry(
		__field(u32, job)
		__field(u32, chunk)
		__field(u64, bytes)
		__field(u64, direct_bytes)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->job = job->id;
		__entry->chunk = chunk;
		__entry->bytes = bytes;
		__entry->direct_bytes = direct_bytes;
		__entry->error = error;
	),
	TP_printk("job=%u chunk=%u bytes=%llu direct_bytes=%llu error=%d",
		  __entry->job, __entry->chunk, __entry->bytes,
		  __entry->direct_bytes, __entry->error)
);

/* Before those who wait for it are woken. */
TRACE_EVENT(job_done,
	TP_PROTO(const struct load_job *job, u64 queue_ns, u64 service_ns),
	TP_ARGS(job, queue_ns, service_ns),
	TP_STRUCT__entry(
		__field(u32, job)
		__field(int, error)
		__field(u64, bytes)
		__field(u64, queue_ns)
		__field(u64, service_ns)
	),
	TP_fast_assign(
		__entry->job = job->id;
		__entry->error = job->error;
		__entry->bytes = atomic64_read(&job->bytes_done);
		__entry->queue_ns = queue_ns;
		__entry->service_ns = service_ns;
	),
	TP_printk("job=%u error=%d bytes=%llu queue_ns=%llu service_ns=%llu",
		  __entry->job, __entry->error, __entry->bytes,
		  __entry->queue_ns, __entry->service_ns)
);

/* By a worker that is between chunk_start and chunk_done. */
TRACE_EVENT(fallback,
	TP_PROTO(u64 offset, u64 bytes, enum fallback reason, int error),
	TP_ARGS(offset, bytes, reason, error),
	TP_STRUCT__entry(
		__field(u64, offset)
		__field(u64, bytes)
		__field(u32, reason)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->offset = offset;
		__entry->bytes = bytes;
		__entry->reason = reason;
		__entry->error = error;
	),
	TP_printk("offset=%llu bytes=%llu reason=%s error=%d",
		  __entry->offset, __entry->bytes,
		  show_fallback(__entry->reason),
		  __entry->error)
);

#endif /* RAMLOAD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
