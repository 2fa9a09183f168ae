// Shows lives of processes and tables: programs executed by a thread that is not the leader,
// spawned and vforked children, tables shared between processes and taken out of sharing, a
// leader that ends first, forks of forks, and short lives. Pids of processes that stay are told.
#include "orders.h"
#include <sched.h>
#include <spawn.h>
#include <sys/eventfd.h>

static char *self;
static char *stay[] = {"lives", "stay", NULL};
extern char **environ;

static int tell_to[2];

static void open_some(int count) {
    for (int i = 0; i < count; i++) must(eventfd(0, i % 2 ? EFD_CLOEXEC : 0), "eventfd");
}

static pthread_t begin(void *(*work)(void *), void *argument) {
    pthread_t thread;
    must(-pthread_create(&thread, NULL, work, argument), "pthread_create");
    return thread;
}

static void *pauses(void *argument) {
    for (;;) pause();
    return argument;
}

static void *executes(void *argument) {
    char *again[] = {"lives", "again", NULL};
    execv(self, again);
    return argument;
}

// What stays has nothing to do but be looked at.
static void remain(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
}

static atomic_int done;

static void *unshares(void *argument) {
    must(argument ? syscall(SYS_close_range, 5, 7, 2) : unshare(CLONE_FILES), "unshare");
    open_some(5);
    close(4);
    done = 1;
    return pauses(NULL);
}

static void in_thread(void *argument) {
    done = 0;
    begin(unshares, argument);
    while (!done) usleep(1000);
}

static int stays(void *argument) {
    open_some(3);
    close(6);
    if (argument) {
        fcntl(tell_to[1], F_SETFD, 0);
        execv(self, stay);
    }
    must(write(tell_to[1], "x", 1), "write");
    remain();
    return 0;
}

// A process that shares this one's table, and its memory.
static void share(int executes) {
    char byte;
    char *stack = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int child = must(clone(stays, stack + (1 << 20), CLONE_FILES | CLONE_VM | SIGCHLD,
                           executes ? &done : NULL), "clone");
    // The executed program has no tongue: it is looked at when it is itself.
    if (!executes) must(read(tell_to[0], &byte, 1), "read");
    printf("%d\n", child);
}

// The last of the chain says that it is whole.
static void chain(int depth) {
    if (must(fork(), "fork") > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    open_some(depth);
    printf("%d\n", getpid());
    fflush(stdout);
    if (depth > 1)
        chain(depth - 1);
    else
        must(write(tell_to[1], "x", 1), "write");
    remain();
}

static void *orders(void *argument);

static void follow_orders(void) {
    int number, other;
    while (next_order()) {
        if (ordered("exec")) {
            for (int i = 0; i < 4; i++) begin(pauses, NULL);
            open_some(10);
            begin(executes, NULL);
            pause();
        } else if (ordered("spawn")) {
            pid_t child;
            must(-posix_spawn(&child, self, NULL, NULL, stay, environ), "posix_spawn");
            printf("%d\n", child);
        } else if (ordered("vfork")) {
            pid_t child = must(vfork(), "vfork");
            if (child == 0) {
                execv(self, stay);
                _exit(1);
            }
            printf("%d\n", child);
        } else if (ordered("unshare")) {
            in_thread(NULL);
        } else if (ordered("range unshare")) {
            in_thread(&done);
        } else if (ordered("share")) {
            share(0);
        } else if (ordered("share and exec")) {
            share(1);
        } else if (ordered("leader ends")) {
            begin(orders, NULL);
            answered();
            pthread_exit(NULL);
        } else if (sscanf(order_line, "chain %d", &number) == 1) {
            char byte;
            fflush(stdout);
            chain(number);
            must(read(tell_to[0], &byte, 1), "read");
        } else if (sscanf(order_line, "short %d", &number) == 1) {
            for (int i = 0; i < number; i++) {
                pid_t child = must(fork(), "fork");
                if (child == 0) {
                    open_some(2);
                    _exit(0);
                }
                must(waitpid(child, NULL, 0), "waitpid");
                printf("%d\n", child);
            }
        } else if (sscanf(order_line, "grow %d %d", &number, &other) == 2) {
            for (int i = 0; i < number; i++) begin(pauses, NULL);
            open_some(other);
        } else if (ordered("end")) {
            // This thread was the last.
            pthread_exit(NULL);
        }
        answered();
    }
}

static void *orders(void *argument) {
    follow_orders();
    exit(0);
    return argument;
}

int main(int count, char **arguments) {
    self = "/proc/self/exe";
    if (count > 1 && !strcmp(arguments[1], "stay")) remain();
    must(pipe(tell_to), "pipe");
    if (count > 1) answered();
    follow_orders();
}
