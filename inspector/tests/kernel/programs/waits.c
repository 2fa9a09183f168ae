// Shows threads that wait: in each kind of call, for long and for short, woken by each other and
// by timers beside a thread that never sleeps. Each tells what it did.
#include "orders.h"
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

struct waiter {
    long number, arguments[4];
    atomic_long tid;
};

static long futex_call(atomic_int *word, int operation, int value) {
    return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static pthread_t begin(void *(*work)(void *), void *argument) {
    pthread_t thread;
    must(-pthread_create(&thread, NULL, work, argument), "pthread_create");
    return thread;
}

static long tid_of(atomic_long *tid) {
    while (!*tid) sched_yield();
    return *tid;
}

// Waits until a thread is off the cpu in a call.
static void until_blocked(long tid, long number) {
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/syscall", tid);
    for (;;) {
        FILE *file = fopen(path, "r");
        int reads = file && fgets(text, sizeof text, file);
        if (file) fclose(file);
        if (reads && text[0] != 'r' && atol(text) == number) return;
        sched_yield();
    }
}

static void *wait_once(void *argument) {
    struct waiter *waiter = argument;
    waiter->tid = syscall(SYS_gettid);
    long *a = waiter->arguments;
    syscall(waiter->number, a[0], a[1], a[2], a[3], 0, 0);
    // Ends with the process, blocked in another call.
    for (;;) pause();
    return NULL;
}

static void block(void) {
    static struct timespec long_time = {1000};
    static struct epoll_event event;
    static atomic_int word;
    int pipes[2];
    must(pipe(pipes), "pipe");
    static struct pollfd polled;
    polled = (struct pollfd){pipes[0], POLLIN};
    int timer = must(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd");
    struct itimerspec due = {.it_value = {1000}};
    timerfd_settime(timer, 0, &due, NULL);
    static char byte[8];
    static struct waiter waiters[6];
    struct waiter made[] = {
        {SYS_futex, {(long)&word, FUTEX_WAIT_PRIVATE, 0, (long)&long_time}},
        {SYS_read, {pipes[0], (long)byte, 1, 0x1234}},
        {SYS_read, {timer, (long)byte, 8, 0}},
        {SYS_poll, {(long)&polled, 1, -1, 0}},
        {SYS_nanosleep, {(long)&long_time, 0, 0, 0}},
        {SYS_epoll_wait, {epoll_create1(0), (long)&event, 1, -1}},
    };
    for (int i = 0; i < 6; i++) {
        long *a = memcpy(waiters[i].arguments, made[i].arguments, sizeof made[i].arguments);
        waiters[i].number = made[i].number;
        begin(wait_once, &waiters[i]);
        until_blocked(tid_of(&waiters[i].tid), waiters[i].number);
        printf("%ld %ld %ld %ld %ld\n", waiters[i].tid, waiters[i].number, a[0], a[1], a[2]);
    }
}

// One wait of so many milliseconds, then another call.
static void nap(int ms) {
    static struct timespec time;
    time = (struct timespec){ms / 1000, ms % 1000 * 1000000};
    struct waiter *waiter = calloc(1, sizeof *waiter);
    waiter->number = SYS_nanosleep;
    waiter->arguments[0] = (long)&time;
    begin(wait_once, waiter);
    until_blocked(tid_of(&waiter->tid), SYS_nanosleep);
    printf("%ld\n", waiter->tid);
}

static int longs, shorts;
static atomic_long sleeper;

static void sleep_and_tell(long ns) {
    struct timespec time = {0, ns};
    long began = now_ns();
    syscall(SYS_nanosleep, &time, NULL);
    printf("%ld %ld\n", ns, now_ns() - began);
}

static void *sleeps(void *argument) {
    sleeper = syscall(SYS_gettid);
    for (int i = 0; i < longs; i++) sleep_and_tell(20000000);
    for (int i = 0; i < shorts; i++) sleep_and_tell(100000);
    printf("%ld\n", sleeper);
    atomic_store((atomic_int *)argument, 1);
    for (;;) pause();
    return NULL;
}

static atomic_int spinning;

static void *spins(void *argument) {
    // Half of the time in user mode, half of it in calls.
    while (spinning)
        for (int i = 0; i < 1000; i++)
            if (argument) syscall(SYS_getppid);
    return NULL;
}

static atomic_int word, waiting;
static atomic_long waiter_tid;

static void *waits_for_word(void *argument) {
    waiter_tid = syscall(SYS_gettid);
    while (waiting) futex_call(&word, FUTEX_WAIT_PRIVATE, 0);
    return argument;
}

static void *wakes(void *argument) {
    int woken = 0;
    for (long i = (long)argument; i > 0; i--) {
        until_blocked(waiter_tid, SYS_futex);
        woken += futex_call(&word, FUTEX_WAKE_PRIVATE, 1);
    }
    printf("%ld %d\n", syscall(SYS_gettid), woken);
    return NULL;
}

static void *dies(void *argument) {
    usleep(1000 + (long)argument % 7 * 100);
    return NULL;
}

int main(void) {
    int first, second;
    while (next_order()) {
        if (ordered("block")) {
            block();
        } else if (sscanf(order_line, "nap %d", &first) == 1) {
            nap(first);
        } else if (sscanf(order_line, "sleep %d %d", &longs, &shorts) == 2) {
            atomic_int done = 0;
            begin(sleeps, &done);
            while (!done) usleep(1000);
            until_blocked(sleeper, SYS_pause);
        } else if (sscanf(order_line, "timers %d %d", &first, &second) == 2) {
            // All on one cpu, so that the timer interrupts the thread that spins.
            cpu_set_t before, one;
            sched_getaffinity(0, sizeof before, &before);
            CPU_ZERO(&one);
            CPU_SET(0, &one);
            sched_setaffinity(0, sizeof one, &one);
            spinning = 1;
            pthread_t spinner = begin(spins, second ? &spinning : NULL);
            longs = 0, shorts = first;
            atomic_int done = 0;
            begin(sleeps, &done);
            sched_setaffinity(0, sizeof before, &before);
            while (!done) usleep(1000);
            spinning = 0;
            pthread_join(spinner, NULL);
        } else if (sscanf(order_line, "futex %d", &first) == 1) {
            waiter_tid = 0;
            waiting = 1;
            pthread_t waiter = begin(waits_for_word, NULL);
            printf("%ld %ld\n", (long)&word, tid_of(&waiter_tid));
            for (int i = 0; i < 3; i++) pthread_join(begin(wakes, (void *)(long)(first + i)), NULL);
            waiting = 0;
            until_blocked(waiter_tid, SYS_futex);
            futex_call(&word, FUTEX_WAKE_PRIVATE, 1);
            pthread_join(waiter, NULL);
        } else if (sscanf(order_line, "die %d", &first) == 1) {
            for (int i = 0; i < first; i++) pthread_detach(begin(dies, (void *)(long)i));
            usleep(100000);
        }
        answered();
    }
}
