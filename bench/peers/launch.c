/*
 * Starts a program again and again, and prints for each run: nanoseconds from just before the start until the end of its output,
 * its largest resident size in KiB. In C, because what starts the program must not cost more than the program.
 *
 *     launch RUNS INPUT PROGRAM [ARGUMENT...]
 *
 * RUNS is a file with a line for each run: its environment, assignments separated by tabs. INPUT becomes standard input.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_VARIABLES 64

static void die(const char *what)
{
	fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void run(char *line, const char *input, char **command)
{
	char *environment[MOST_VARIABLES + 1];
	char answer[65536];
	size_t length = 0;
	int count = 0, out[2], status;
	struct rusage usage;
	posix_spawn_file_actions_t actions;
	pid_t child;

	for (char *word = strtok(line, "\t\n"); word && count < MOST_VARIABLES; word = strtok(NULL, "\t\n"))
		environment[count++] = word;
	environment[count] = NULL;
	if (pipe2(out, O_CLOEXEC) < 0)
		die("pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);

	long long started = now();
	errno = posix_spawn(&child, command[0], &actions, NULL, command, environment);
	if (errno)
		die(command[0]);
	close(out[1]);
	for (;;) {
		ssize_t got = read(out[0], answer + length, sizeof answer - 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += got;
	}
	long long ended = now();

	close(out[0]);
	posix_spawn_file_actions_destroy(&actions);
	if (wait4(child, &status, 0, &usage) < 0)
		die("wait");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		answer[length] = 0;
		fprintf(stderr, "launch: %s ended with status %d: %s\n", command[0], status, answer);
		exit(1);
	}
	printf("%lld %ld\n", ended - started, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
	char line[8192];
	FILE *runs;

	if (argc < 4) {
		fprintf(stderr, "usage: launch RUNS INPUT PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	runs = fopen(argv[1], "re");
	if (!runs)
		die(argv[1]);
	while (fgets(line, sizeof line, runs))
		run(line, argv[2], argv + 3);
	return 0;
}
