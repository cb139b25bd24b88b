// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * NFS over loopback. What mountd(8) answers when the server asks who may have
 * what, is written into the server's caches before it can ask.
 */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nfs_mount.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define NFSD		"/proc/fs/nfsd"
#define CHANNEL(cache)	"/proc/net/rpc/" cache "/channel"
#define FOR_EVER	"2147483647"
/* Unprivileged ports, no subtree check, an fsid. */
#define EXPORT_FLAGS	(0x2 | 0x400 | 0x2000)

static int give_reason(struct reason *why, const char *what)
{
	snprintf(why->text, sizeof(why->text), "nfs: %s: %s", what,
		 strerror(errno));
	return -1;
}

__attribute__((format(printf, 2, 3)))
static int write_file(const char *path, const char *format, ...)
{
	char text[160];
	va_list args;
	int fd, err;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	err = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return err;
}

static int running_threads(void)
{
	FILE *f = fopen(NFSD "/threads", "re");
	int nr = -1;

	if (f) {
		if (fscanf(f, "%d", &nr) != 1)
			nr = -1;
		fclose(f);
	}
	return nr;
}

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -1;
	err = ioctl(fd, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags |= IFF_UP;
	if (!err)
		err = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return err;
}

/* The server must live until the last file of the mount is closed. */
static void stop_after(int process)
{
	struct pollfd pfd = { .events = POLLIN };

	setsid();
	dup2(process, 0);
	close_range(1, ~0U, 0);
	while (poll(&pfd, 1, -1) < 1)
		;
	write_file(NFSD "/threads", "0\n");
	write_file("/proc/net/rpc/nfsd.fh/flush", "1\n");
	write_file("/proc/net/rpc/nfsd.export/flush", "1\n");
	write_file("/proc/net/rpc/auth.unix.ip/flush", "1\n");
	_exit(0);
}

/* However this process ends, another one ends the server then. */
static int start_stopper(void)
{
	int process = syscall(SYS_pidfd_open, getpid(), 0);
	pid_t pid = process < 0 ? -1 : fork();

	if (!pid)
		stop_after(process);
	close(process);
	return pid < 0 ? -1 : 0;
}

static int fill_caches(int below)
{
	char path[40];

	/* The server does not follow a symlink that is last. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", below);
	return write_file(CHANNEL("auth.unix.ip"),
			  "nfsd 127.0.0.1 " FOR_EVER " ramload\n") ||
	       write_file(CHANNEL("nfsd.export"), "ramload %s " FOR_EVER
			  " %d 65534 65534 0\n", path, EXPORT_FLAGS) ||
	       write_file(CHANNEL("nfsd.fh"), "ramload 1 \\x00000000 "
			  FOR_EVER " %s\n", path);
}

static int start(int below, struct reason *why)
{
	load_module("nfsd");
	load_module("nfsv4");
	if (access(NFSD "/threads", F_OK) &&
	    mount("nfsd", NFSD, "nfsd", 0, NULL))
		return give_reason(why, "no server");
	if (running_threads()) {
		errno = EBUSY;
		return give_reason(why, "server");
	}
	if (loopback_up())
		return give_reason(why, "no loopback device");
	if (fill_caches(below))
		return give_reason(why, "caches of the server");
	/* Without rpcbind, only version 4 can be had. */
	if (write_file(NFSD "/versions", "-2 -3 +4 +4.1 +4.2\n") &&
	    write_file(NFSD "/versions", "-3 +4 +4.1 +4.2\n"))
		return give_reason(why, "versions");
	/*
	 * Files cannot be opened as long as a client of an earlier life may
	 * come back. That is over at once by v4_end_grace, which some kernels
	 * refuse without a daemon, or after a time, 10 seconds at least.
	 */
	write_file(NFSD "/nfsv4leasetime", "10\n");
	write_file(NFSD "/nfsv4gracetime", "10\n");
	if (write_file(NFSD "/portlist", "tcp 2049\n"))
		return give_reason(why, "port");
	if (start_stopper() || write_file(NFSD "/threads", "2\n"))
		return give_reason(why, "threads");
	write_file(NFSD "/v4_end_grace", "Y\n");
	return 0;
}

int nfs_mount(int below, struct reason *why)
{
	char dir[] = "/tmp/ramload-nfs.XXXXXX";
	int fd = -1;

	if (start(below, why))
		return -1;
	if (!mkdtemp(dir))
		return give_reason(why, dir);
	if (mount("127.0.0.1:/", dir, "nfs4", 0,
		  "vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1")) {
		give_reason(why, "mount");
	} else {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		umount2(dir, MNT_DETACH);
	}
	rmdir(dir);
	return fd;
}
