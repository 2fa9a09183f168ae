// Orders and answers: what the test programs share. An order is a line on stdin, an answer some
// lines on stdout and a line ".". A program ends when its orders do, and after a minute anyhow.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// What the tests' starter left open is none of ours, nor are the few descriptors that an ordinary
// user's shell allows.
__attribute__((constructor)) static void start_clean(void) {
    struct rlimit limit;
    syscall(SYS_close_range, 3, ~0u, 0);
    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static char order_line[256];

static inline int next_order(void) {
    alarm(60);
    if (!fgets(order_line, sizeof order_line, stdin)) return 0;
    order_line[strcspn(order_line, "\n")] = 0;
    return 1;
}

static inline int ordered(const char *what) { return !strcmp(order_line, what); }

static inline void answered(void) {
    puts(".");
    fflush(stdout);
}

// Ends the program, saying why, when what must work does not.
static inline long must(long result, const char *what) {
    if (result < 0) {
        printf("%s: %s\n", what, strerror(errno));
        fflush(stdout);
        exit(1);
    }
    return result;
}
