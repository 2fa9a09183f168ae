// Shows a big process: many threads, and descriptor tables with many descriptors each. Its
// arguments are how many threads, how many tables beside the first, and how many descriptors each
// of these holds; it says when they are there.
#include "orders.h"
#include <limits.h>
#include <sched.h>

static atomic_int ready;
static int descriptors;

static void *hold(void *has_table) {
    if (has_table) {
        must(unshare(CLONE_FILES), "unshare");
        for (int i = 0; i < descriptors; i++) must(dup(0), "dup");
    }
    atomic_fetch_add(&ready, 1);
    for (;;) pause();
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    int threads = atoi(arguments[1]), tables = atoi(arguments[2]);
    descriptors = atoi(arguments[3]);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        errno = pthread_create(&thread, &small, hold, i < tables ? "" : NULL);
        must(-errno, "pthread_create");
    }
    while (ready < threads) usleep(1000);
    while (next_order()) answered();
}
