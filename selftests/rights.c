// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Who can do what: the lines of the table in Documentation/security.rst. The
 * measure is pread(2): wherever it can be asked the same, it is, and the load
 * has to end as it does.
 */

#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/fanotify.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "lsm_policy.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(2)
#define NOBODY	65533

/* What children exit with, besides errnos. */
#define DIFFER	250		/* a load does not end as pread(2) does */
#define UNABLE	251		/* not possible on this machine */
#define KILLED	256

FIXTURE(rights)
{
	int fd;
	struct ramload_info info;
	struct memory m;
	int src;
	struct ramload_job_result result;
	/* Of children. */
	int (*entry)(struct _test_data_rights *self);
	int status;
};

FIXTURE_SETUP(rights)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	if (geteuid())
		SKIP(return, "not root");
	test_info(self->fd, &self->info);
	test_setup(self->fd, 2);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, LENGTH, &why));
	self->src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(rights)
{
	close(self->fd);
}

typedef struct _test_data_rights rights_t;

static int become_nobody(void)
{
	return syscall(SYS_setgroups, 0, NULL) ||
	       syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) ||
	       syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
}

/* An own context in a child, with workers: self->fd. */
static int own_context(rights_t *self)
{
	self->fd = open_device();
	return self->fd < 0 || raw_setup(self->fd, 2);
}

/* 0 or the errno of a read of all of @src into the memory. */
static int by_read(rights_t *self, int src)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < LENGTH; done += n) {
		n = pread(src, self->m.map + done, LENGTH - done, done);
		if (n <= 0)
			return n ? errno : ENODATA;
	}
	return 0;
}

static int by_load(rights_t *self, int src)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);

	return -load_range(self->fd, src, &range, &self->result);
}

/* The errno that pread(2) and a load both end with; the same bytes, too. */
static int by_both(rights_t *self, int src)
{
	int err = by_read(self, src);

	if (!err && !pattern_matches(self->m.map, SEED_SOURCE, 0, LENGTH))
		return DIFFER;
	memset(self->m.map, 0, LENGTH);
	if (by_load(self, src) != err)
		return DIFFER;
	if (!err && !pattern_matches(self->m.map, SEED_SOURCE, 0, LENGTH))
		return DIFFER;
	if (err && !all_zero(self->m.map, LENGTH))
		return DIFFER;
	return err;
}

/* What the child exits with, or KILLED plus the signal. */
static int wait_status(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   KILLED + WTERMSIG(status);
}

static int in_child(rights_t *self, int (*entry)(rights_t *self))
{
	pid_t pid = fork();

	if (!pid)
		_exit(entry(self));
	return wait_status(pid);
}

#define ASSERT_CHILD(expected, entry)					\
	do {								\
		int __status = in_child(self, entry);			\
									\
		if (__status == UNABLE)					\
			SKIP(return, "not possible here");		\
		ASSERT_EQ(expected, __status);				\
	} while (0)

/*
 * Opening the device
 */

static int open_as_nobody(rights_t *self)
{
	if (become_nobody())
		return UNABLE;
	return open_device() < 0 ? errno : 0;
}

TEST_F_TIMEOUT(rights, other_user_cannot_open, TIMEOUT)
{
	struct stat st;

	ASSERT_EQ(0, stat(RAMLOAD_DEVICE, &st));
	ASSERT_EQ(0, st.st_mode & 07);
	ASSERT_CHILD(EACCES, open_as_nobody);
}

/* Opens a device node of its own, on a mount with @flags. */
static int open_node(unsigned long flags, gid_t group)
{
	char dir[] = "/tmp/ramload-rights.XXXXXX", path[64];
	struct stat st;
	int err, fd;

	if (stat(RAMLOAD_DEVICE, &st) || !mkdtemp(dir) ||
	    unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", dir, "tmpfs", flags, "mode=755"))
		return UNABLE;
	snprintf(path, sizeof(path), "%s/ramload", dir);
	if (mknod(path, S_IFCHR, st.st_rdev) || chown(path, 0, group) ||
	    chmod(path, 0660))
		return UNABLE;
	if (group && (setgroups(1, &group) ||
		      setresuid(NOBODY, NOBODY, NOBODY)))
		return UNABLE;
	fd = open(path, O_RDWR | O_CLOEXEC);
	err = fd < 0 ? errno : 0;
	if (fd >= 0 && raw_setup(fd, 1))
		err = errno;
	return err;
}

static int open_node_as_group(rights_t *self)
{
	return open_node(MS_NOSUID | MS_NOEXEC, NOBODY);
}

static int open_node_on_nodev(rights_t *self)
{
	return open_node(MS_NODEV, 0);
}

TEST_F_TIMEOUT(rights, member_of_the_group_can_open, TIMEOUT)
{
	ASSERT_CHILD(0, open_node_as_group);
}

TEST_F_TIMEOUT(rights, node_on_a_nodev_mount_cannot_be_opened, TIMEOUT)
{
	ASSERT_CHILD(EACCES, open_node_on_nodev);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Root in a user namespace of its own, as far as it thinks. */
static int become_root_of_a_namespace(void)
{
	char map[32];

	if (become_nobody() || prctl(PR_SET_DUMPABLE, 1) ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -1;
	snprintf(map, sizeof(map), "0 %d 1", NOBODY);
	return write_text("/proc/self/uid_map", map) ||
	       write_text("/proc/self/setgroups", "deny") ||
	       write_text("/proc/self/gid_map", map);
}

static int open_as_root_of_a_namespace(rights_t *self)
{
	if (become_root_of_a_namespace() || geteuid())
		return UNABLE;
	return open_device() < 0 ? errno : 0;
}

static int make_node_as_root_of_a_namespace(rights_t *self)
{
	struct stat st;

	if (stat(RAMLOAD_DEVICE, &st) || become_root_of_a_namespace() ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, NULL))
		return UNABLE;
	return mknod("/tmp/ramload", S_IFCHR | 0666, st.st_rdev) ? errno : 0;
}

TEST_F_TIMEOUT(rights, root_of_a_user_namespace_cannot_open, TIMEOUT)
{
	ASSERT_CHILD(EACCES, open_as_root_of_a_namespace);
	ASSERT_CHILD(EPERM, make_node_as_root_of_a_namespace);
}

TEST_F_TIMEOUT(rights, fd_without_access, TIMEOUT)
{
	int fd = open(RAMLOAD_DEVICE, O_PATH | O_CLOEXEC);

	ASSERT_LE(0, fd);
	test_err_setup(EBADF, fd, 1);
}

/*
 * Contexts of others
 */

static int use_of_parents_context(rights_t *self)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1);

	if (raw_info(self->fd, &self->info))
		return DIFFER;
	if (!raw_setup(self->fd, 1) || errno != EPERM)
		return DIFFER;
	return raw_load(self->fd, &load) ? errno : 0;
}

TEST_F_TIMEOUT(rights, forked_child, TIMEOUT)
{
	ASSERT_CHILD(EPERM, use_of_parents_context);
}

static int use_after_execve(rights_t *self)
{
	char fd[16];

	snprintf(fd, sizeof(fd), "%d", dup(self->fd));
	execl("./fd_helper", "fd_helper", "load", fd, NULL);
	return UNABLE;
}

TEST_F_TIMEOUT(rights, process_after_execve, TIMEOUT)
{
	ASSERT_CHILD(EPERM, use_after_execve);
}

/* Root may take any fd of any process; that makes it no thread of it. */
TEST_F_TIMEOUT(rights, tracer_that_takes_the_fd, TIMEOUT)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1);
	int pipes[2], fd, theirs;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	if (!pid) {
		theirs = open_device();
		if (raw_setup(theirs, 1) ||
		    write(pipes[1], &theirs, sizeof(theirs)) < 0)
			_exit(1);
		pause();
	}
	ASSERT_EQ(sizeof(theirs), read(pipes[0], &theirs, sizeof(theirs)));
	fd = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), theirs,
		     0);
	ASSERT_LE(0, fd);
	test_err_load(EPERM, fd, &load);
	kill(pid, SIGKILL);
	ASSERT_EQ(KILLED + SIGKILL, wait_status(pid));
}

static int clone_entry(void *arg)
{
	rights_t *self = arg;

	self->status = self->entry(self);
	_exit(0);
}

/* Runs @entry in a process that shares our memory, but no more. */
static int in_process_with_our_memory(rights_t *self,
				      int (*entry)(rights_t *self))
{
	static char stack[KIB(256)] __attribute__((aligned(16)));

	self->entry = entry;
	self->status = -1;
	wait_status(clone(clone_entry, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK | SIGCHLD, self));
	return self->status;
}

static int both(rights_t *self)
{
	return by_both(self, self->src);
}

TEST_F_TIMEOUT(rights, process_that_shares_the_memory, TIMEOUT)
{
	ASSERT_EQ(0, in_process_with_our_memory(self, both));
}

/*
 * Whose rights a load has
 */

/*
 * The workers were made with other credentials than the load is submitted
 * with; a FUSE daemon is told whose a read is.
 */
static int reader_after_setuid(rights_t *self, int src, atomic_uint *reader)
{
	unsigned int of_read, of_load;

	if (become_nobody())
		return UNABLE;
	if (pread(src, self->m.map, PAGE, 0) != PAGE)
		return errno;
	of_read = atomic_load(reader);
	posix_fadvise(src, 0, 0, POSIX_FADV_DONTNEED);
	atomic_store(reader, 0);
	if (by_load(self, src))
		return -self->result.out_error;
	of_load = atomic_load(reader);
	return of_read == NOBODY && of_load == of_read ? 0 : DIFFER;
}

static int load_after_setuid(rights_t *self)
{
	struct reason why;
	struct fuse_source *slow;

	if (own_context(self))
		return UNABLE;
	slow = fuse_source_start(LENGTH, UINT64_MAX, &why);
	if (!slow)
		return UNABLE;
	return reader_after_setuid(self, slow->fd, &slow->reader);
}

TEST_F_TIMEOUT(rights, load_after_setuid, TIMEOUT)
{
	ASSERT_CHILD(0, load_after_setuid);
}

/* A job that was submitted before goes on with the rights of then. */
static int setuid_after_load(rights_t *self)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct fuse_source *slow;
	struct reason why;
	int job;

	if (own_context(self))
		return UNABLE;
	slow = fuse_source_start(LENGTH, 0, &why);
	if (!slow)
		return UNABLE;
	atomic_store(&slow->reader, 1);
	job = start_range(self->fd, slow->fd, RAMLOAD_DIRECT_OFF, &range);
	fuse_source_wait_held(slow);
	if (become_nobody())
		return UNABLE;
	fuse_source_release(slow);
	raw_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	if (self->result.out_error)
		return -self->result.out_error;
	return atomic_load(&slow->reader) ? DIFFER : 0;
}

TEST_F_TIMEOUT(rights, setuid_after_load, TIMEOUT)
{
	ASSERT_CHILD(0, setuid_after_load);
}

/* What a task opens that no policy is for, it may read for ever. */
static int load_under_policy(rights_t *self)
{
	int src, err;

	if (lsm_policy_enter(LSM_POLICY_ALL) || own_context(self))
		return UNABLE;
	src = file_reopen(self->src, O_RDONLY);
	if (by_both(self, src))
		return DIFFER;
	memset(self->m.map, 0, LENGTH);
	if (lsm_policy_enter(LSM_POLICY_NOTHING))
		return UNABLE;
	err = by_both(self, src);
	return self->result.out_error_offset ? DIFFER : err;
}

/* The workers were made under a policy that allows what this one denies. */
TEST_F_TIMEOUT(rights, lsm_denies_to_read_an_open_fd, TIMEOUT)
{
	struct reason why;
	int dir;

	if (lsm_policy_load(&why))
		SKIP(return, "%s", why.text);
	/* AppArmor has no say about files without a name in a file system. */
	dir = fs_open("ext4", NULL, &why);
	ASSERT_LE(0, dir);
	self->src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
	ASSERT_CHILD(EACCES, load_under_policy);
	lsm_policy_remove();
}

static int with_no_new_privs(rights_t *self)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || own_context(self))
		return UNABLE;
	return both(self);
}

TEST_F_TIMEOUT(rights, no_new_privs, TIMEOUT)
{
	ASSERT_CHILD(0, with_no_new_privs);
}

/*
 * seccomp
 */

/* Has the process's system call @nr fail with EPERM. */
static int forbid(unsigned int nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = { ARRAY_SIZE(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static int load_where_ioctl_is_forbidden(rights_t *self)
{
	if (own_context(self) || forbid(SYS_ioctl))
		return UNABLE;
	return by_load(self, self->src);
}

/* A filter is about system calls, and workers make none. */
static int load_where_pread_is_forbidden(rights_t *self)
{
	if (forbid(SYS_pread64) || own_context(self))
		return UNABLE;
	if (by_read(self, self->src) != EPERM || by_load(self, self->src))
		return DIFFER;
	return !pattern_matches(self->m.map, SEED_SOURCE, 0, LENGTH);
}

static int load_in_strict_mode(rights_t *self)
{
	if (own_context(self) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		return UNABLE;
	return by_load(self, self->src);
}

TEST_F_TIMEOUT(rights, seccomp_filter_of_ioctl, TIMEOUT)
{
	ASSERT_CHILD(EPERM, load_where_ioctl_is_forbidden);
}

TEST_F_TIMEOUT(rights, seccomp_filter_of_pread, TIMEOUT)
{
	ASSERT_CHILD(0, load_where_pread_is_forbidden);
}

/*
 * The thread that calls is killed. Where workers are threads, one of them may
 * be the last of the process and give it its status, which is 0.
 */
TEST_F_TIMEOUT(rights, seccomp_strict_mode, TIMEOUT)
{
	int status = in_child(self, load_in_strict_mode);

	ASSERT_TRUE(status == KILLED + SIGKILL || status == 0);
	ASSERT_TRUE(all_zero(self->m.map, LENGTH));
}

/*
 * Sources
 */

TEST_F_TIMEOUT(rights, mode_of_the_fd, TIMEOUT)
{
	ASSERT_EQ(0, by_both(self, file_reopen(self->src, O_RDONLY)));
	ASSERT_EQ(0, by_both(self, file_reopen(self->src, O_RDWR | O_APPEND)));
	ASSERT_EQ(EBADF, by_both(self, file_reopen(self->src, O_WRONLY)));
	ASSERT_EQ(EBADF, by_both(self, file_reopen(self->src, O_PATH)));
	ASSERT_EQ(EBADF, by_both(self, -1));
}

static void send_fd(int socket, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(socket, &msg, 0) != 1)
		_exit(1);
}

static int receive_fd(int socket)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	int fd;

	if (recvmsg(socket, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* @self->src is the socket to get the fd from. */
static int load_fd_of_another(rights_t *self)
{
	int fd;

	if (own_context(self) || become_nobody())
		return UNABLE;
	fd = receive_fd(self->src);
	if (file_reopen(fd, O_RDONLY) >= 0 || errno != EACCES)
		return DIFFER;
	return by_both(self, fd);
}

/* What an fd can do was decided when it was opened. */
TEST_F_TIMEOUT(rights, fd_of_a_file_that_the_process_may_not_open, TIMEOUT)
{
	int sockets[2], src = self->src;

	ASSERT_EQ(0, fchmod(src, 0));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets));
	send_fd(sockets[0], file_reopen(src, O_RDONLY));
	self->src = sockets[1];
	ASSERT_CHILD(0, load_fd_of_another);
	send_fd(sockets[0], file_reopen(src, O_WRONLY));
	ASSERT_CHILD(EBADF, load_fd_of_another);
}

static int load_from_a_strict_mount(rights_t *self)
{
	char dir[] = "/tmp/ramload-rights.XXXXXX";
	int src, at;

	if (!mkdtemp(dir) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=8M"))
		return UNABLE;
	at = open(dir, O_RDONLY | O_DIRECTORY);
	src = file_create_pattern(at, SEED_SOURCE, LENGTH);
	close(at);
	if (src < 0 || own_context(self))
		return UNABLE;
	at = file_reopen(src, O_RDONLY);
	close(src);
	if (mount(NULL, dir, NULL, MS_REMOUNT | MS_NOEXEC | MS_NODEV |
		  MS_NOSUID, NULL))
		return UNABLE;
	return by_both(self, at);
}

TEST_F_TIMEOUT(rights, source_on_a_noexec_nodev_mount, TIMEOUT)
{
	ASSERT_CHILD(0, load_from_a_strict_mount);
}

static int change_attributes(int fd, int set, int clear)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return -1;
	flags = (flags | set) & ~clear;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

TEST_F_TIMEOUT(rights, immutable_source, TIMEOUT)
{
	struct reason why;
	int dir = fs_open("ext4", NULL, &why);
	int src, err;

	if (dir < 0)
		SKIP(return, "%s", why.text);
	src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
	ASSERT_LE(0, src);
	ASSERT_EQ(0, change_attributes(src, FS_IMMUTABLE_FL, 0));
	err = by_both(self, src);
	ASSERT_EQ(0, change_attributes(src, 0, FS_IMMUTABLE_FL));
	ASSERT_EQ(0, err);
}

/*
 * Destinations
 */

/* Mapped before it became immutable; no store can reach it any more. */
TEST_F_TIMEOUT(rights, immutable_destination, TIMEOUT)
{
	struct reason why;
	int read, load;

	memory_unmap(&self->m);
	if (memory_map(&self->m, MEMORY_FILE_SHARED, LENGTH, &why))
		SKIP(return, "%s", why.text);
	ASSERT_EQ(0, change_attributes(self->m.fd, FS_IMMUTABLE_FL, 0));
	read = by_read(self, self->src);
	load = by_load(self, self->src);
	ASSERT_EQ(0, change_attributes(self->m.fd, 0, FS_IMMUTABLE_FL));
	ASSERT_EQ(EFAULT, read);
	ASSERT_EQ(EFAULT, load);
	ASSERT_TRUE(all_zero(self->m.map, LENGTH));
}

TEST_F_TIMEOUT(rights, destination_of_a_read_only_fd, TIMEOUT)
{
	int fd = file_reopen(self->m.fd, O_RDONLY);
	char *map;

	ASSERT_EQ(MAP_FAILED, mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
				   MAP_SHARED, fd, 0));
	map = mmap(self->m.map, LENGTH, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		   0);
	ASSERT_EQ(self->m.map, map);
	ASSERT_EQ(EFAULT, by_read(self, self->src));
	ASSERT_EQ(EFAULT, by_load(self, self->src));
	ASSERT_EQ(-1, mprotect(map, LENGTH, PROT_READ | PROT_WRITE));
	ASSERT_TRUE(all_zero(map, LENGTH));
}

TEST_F_TIMEOUT(rights, sealed_destination, TIMEOUT)
{
	ASSERT_EQ(0, munmap(self->m.map, LENGTH));
	ASSERT_EQ(0, fcntl(self->m.fd, F_ADD_SEALS, F_SEAL_WRITE));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
				   MAP_SHARED, self->m.fd, 0));
	ASSERT_EQ(self->m.map, mmap(self->m.map, LENGTH, PROT_READ,
				    MAP_SHARED | MAP_FIXED, self->m.fd, 0));
	ASSERT_EQ(EFAULT, by_read(self, self->src));
	ASSERT_EQ(EFAULT, by_load(self, self->src));
	ASSERT_TRUE(all_zero(self->m.map, LENGTH));
}

/*
 * Who watches
 */

TEST_F_TIMEOUT(rights, inotify_sees_a_load, TIMEOUT)
{
	char path[64], buf[4096];
	int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int src;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->src);
	ASSERT_LE(0, inotify_add_watch(notify, path, IN_ACCESS));
	src = file_reopen(self->src, O_RDONLY);
	ASSERT_EQ(0, by_read(self, src));
	ASSERT_LT(0, read(notify, buf, sizeof(buf)));
	ASSERT_EQ(-1, read(notify, buf, sizeof(buf)));
	ASSERT_EQ(0, by_load(self, src));
	ASSERT_LT(0, read(notify, buf, sizeof(buf)));
}

struct guard {
	pthread_t thread;
	int notify;
	pid_t reader;		/* of the last read that was denied */
	unsigned int nr;
};

static void *deny_all(void *arg)
{
	struct fanotify_event_metadata event;
	struct fanotify_response response = { .response = FAN_DENY };
	struct guard *g = arg;

	while (read(g->notify, &event, sizeof(event)) == sizeof(event)) {
		g->reader = event.pid;
		g->nr++;
		response.fd = event.fd;
		if (write(g->notify, &response, sizeof(response)) < 0)
			break;
		close(event.fd);
		if (g->nr == 2)
			break;
	}
	return NULL;
}

TEST_F_TIMEOUT(rights, fanotify_denies_a_load, TIMEOUT)
{
	struct guard g = {};
	int src;

	g.notify = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	if (g.notify < 0)
		SKIP(return, "no fanotify");
	if (fanotify_mark(g.notify, FAN_MARK_ADD, FAN_ACCESS_PERM, self->src,
			  NULL))
		SKIP(return, "no permission events");
	src = file_reopen(self->src, O_RDONLY);
	ASSERT_EQ(0, pthread_create(&g.thread, NULL, deny_all, &g));
	ASSERT_EQ(EPERM, by_both(self, src));
	pthread_join(g.thread, NULL);
	ASSERT_EQ(2, g.nr);
	if (self->info.out_features & RAMLOAD_FEATURE_THREADS)
		ASSERT_EQ(getpid(), g.reader);
	ASSERT_EQ(RAMLOAD_JOB_FAILED, self->result.out_state);
	ASSERT_EQ(0, self->result.out_error_offset);
	ASSERT_EQ(0, self->result.out_bytes_done);
	close(g.notify);
}

TEST_HARNESS_MAIN
