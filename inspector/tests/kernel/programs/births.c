// Shows births and deaths at a steady rate: its arguments are how many a second, and for how many
// milliseconds. Two threads open and close descriptors so fast together, and each keeps one in a
// thousand open. It tells how many it opened, and ends.
#include "orders.h"
#include <time.h>

#define THREADS 2

static long a_second, for_ms;

static void *open_and_close(void *opened) {
    long count = 0;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long ms = 0; ms < for_ms; ms++) {
        for (long i = 0; i < a_second / THREADS / 1000; i++) {
            int fd = must(dup(0), "dup");
            if (++count % 1000) close(fd);
        }
        next.tv_nsec += 1000000;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    *(long *)opened = count;
    return NULL;
}

int main(int count, char **arguments) {
    pthread_t threads[THREADS];
    long opened[THREADS], all = 0;
    if (count != 3) return 2;
    a_second = atol(arguments[1]);
    for_ms = atol(arguments[2]);
    for (int i = 0; i < THREADS; i++) {
        errno = pthread_create(&threads[i], NULL, open_and_close, &opened[i]);
        must(-errno, "pthread_create");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        all += opened[i];
    }
    printf("%ld\n", all);
    fflush(stdout);
    // What remains is compared with /proc before this ends.
    sleep(1);
}
