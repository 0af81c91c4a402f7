/*
 * Sends netlink requests that were encoded beforehand, and prints how long the kernel took: the least that any program needs for the
 * same operations.
 *
 *     replay SCRIPT FIRST-FD HOST-NAMESPACE [POD-NAMESPACE...]
 *
 * Pod namespace number n is open as descriptor FIRST-FD + n, as the requests name it. SCRIPT is a row of records: what to do, a number, a
 * length (32 bits each, of this machine), and so many bytes. Each mark prints its number and the nanoseconds since the mark before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OPEN_POD = 1, SEND_HOST, SEND_POD, MARK };

struct record {
	uint32_t what, number, length;
};

static int home, first;

static void die(const char *what)
{
	fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int socket_in(int space)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int yes = 1, room = 1 << 20, fd;

	if (setns(space, CLONE_NEWNET))
		die("enter a namespace");
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		die("socket");
	if (setns(home, CLONE_NEWNET))
		die("come back");
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof yes);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &yes, sizeof yes);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	if (connect(fd, (struct sockaddr *)&kernel, sizeof kernel))
		die("connect");
	return fd;
}

static void exchange(int fd, const void *bytes, uint32_t length, uint32_t answers)
{
	static char answer[65536];

	if (send(fd, bytes, length, 0) != (ssize_t)length)
		die("send");
	while (answers > 0) {
		ssize_t got = recv(fd, answer, sizeof answer, 0);
		if (got < 0)
			die("receive");
		for (struct nlmsghdr *m = (void *)answer; NLMSG_OK(m, (size_t)got); m = NLMSG_NEXT(m, got)) {
			if (m->nlmsg_type != NLMSG_ERROR)
				continue;
			errno = -((struct nlmsgerr *)NLMSG_DATA(m))->error;
			if (errno)
				die("a request was refused");
			answers--;
		}
	}
}

static char *load(const char *path, size_t *size)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes;

	if (fd < 0 || fstat(fd, &status))
		die(path);
	*size = status.st_size;
	bytes = malloc(*size);
	if (!bytes || read(fd, bytes, *size) != (ssize_t)*size)
		die(path);
	close(fd);
	return bytes;
}

int main(int argc, char **argv)
{
	size_t size, at = 0;
	int host, pod = -1, space;
	long long last;
	char *script;

	if (argc < 4) {
		fprintf(stderr, "usage: replay SCRIPT FIRST-FD HOST-NAMESPACE [POD-NAMESPACE...]\n");
		return 2;
	}
	script = load(argv[1], &size);
	first = atoi(argv[2]);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (int i = 3; i < argc; i++) {
		space = open(argv[i], O_RDONLY | O_CLOEXEC);
		if (space < 0)
			die(argv[i]);
		if (i == 3) {
			host = socket_in(space);
		} else if (dup3(space, first + i - 4, O_CLOEXEC) < 0) {
			die("dup");
		}
		close(space);
	}
	last = now();
	while (at + sizeof(struct record) <= size) {
		struct record r;
		memcpy(&r, script + at, sizeof r);
		at += sizeof r;
		switch (r.what) {
		case OPEN_POD:
			if (pod >= 0)
				close(pod);
			pod = socket_in(first + r.number);
			break;
		case SEND_HOST:
			exchange(host, script + at, r.length, r.number);
			break;
		case SEND_POD:
			exchange(pod, script + at, r.length, r.number);
			break;
		case MARK: {
			long long time = now();
			printf("%u %lld\n", r.number, time - last);
			last = now();
			break;
		}
		}
		at += r.length;
	}
	return 0;
}
