// Shows descriptor numbers that are used again while the close that freed them has not returned.
// Threads make and close descriptors as fast as they can, each its own ("own"), or each what any
// made ("foreign", with close_range in "range"): a number is taken out of its place before it is
// closed. Or they close numbers that may be anybody's, even while the call that makes one has not
// returned ("blind", and with dup2 onto them in "dup2"). Between rounds nothing moves.
#include "orders.h"
#include <sys/eventfd.h>

#define THREADS 4
#define PLACES 32

static _Atomic int shared[PLACES];
static int own[THREADS][PLACES];
static _Atomic long births, deaths, replacements;
static pthread_barrier_t start, stop;
static char mode;
static int rounds;

static unsigned next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void close_number(int fd) {
    must(mode == 'r' ? syscall(SYS_close_range, fd, fd, 0) : syscall(SYS_close, fd), "close");
    deaths++;
}

static int born(void) {
    births++;
    return must(eventfd(0, 0), "eventfd");
}

static void put(int fd, unsigned place) {
    int nothing = 0;
    if (!atomic_compare_exchange_strong(&shared[place], &nothing, fd)) close_number(fd);
}

static void move_foreign(uint64_t *random) {
    unsigned place = next_random(random) % PLACES;
    int fd = atomic_exchange(&shared[place], 0);
    if (fd == 0) {
        put(born(), place);
    } else if (next_random(random) % 4 == 0) {
        // Onto an open number that this thread has taken.
        int from = born();
        must(dup2(from, fd), "dup2");
        births++;
        deaths++;
        replacements++;
        put(fd, place);
        close_number(from);
    } else {
        close_number(fd);
    }
}

static void move_own(int *mine, uint64_t *random) {
    int *fd = &mine[next_random(random) % PLACES];
    if (*fd == 0) {
        *fd = born();
    } else if (next_random(random) % 4 == 0) {
        int from = born();
        must(dup2(from, *fd), "dup2");
        births++;
        deaths++;
        replacements++;
        close_number(from);
    } else {
        close_number(*fd);
        *fd = 0;
    }
}

static void move_blind(uint64_t *random) {
    int fd = 3 + next_random(random) % PLACES;
    unsigned choice = next_random(random) % 16;
    if (choice < 6) {
        born();
    } else if (mode == 'd' && choice < 9) {
        // Refused where either is closed or on its way.
        if (dup2(fd, 3 + next_random(random) % PLACES) >= 0) births++;
    } else if (syscall(SYS_close, fd) == 0) {
        deaths++;
    }
}

static void *work(void *argument) {
    long number = (long)argument;
    uint64_t random = number;
    for (;;) {
        pthread_barrier_wait(&start);
        for (int i = 0; i < rounds; i++) {
            if (mode == 'o')
                move_own(own[number], &random);
            else if (mode == 'b' || mode == 'd')
                move_blind(&random);
            else
                move_foreign(&random);
        }
        pthread_barrier_wait(&stop);
    }
    return NULL;
}

int main(void) {
    pthread_barrier_init(&start, NULL, THREADS + 1);
    pthread_barrier_init(&stop, NULL, THREADS + 1);
    for (long i = 0; i < THREADS; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, work, (void *)i);
    }
    while (next_order()) {
        if (sscanf(order_line, "%c %d", &mode, &rounds) != 2) return 1;
        births = deaths = replacements = 0;
        pthread_barrier_wait(&start);
        pthread_barrier_wait(&stop);
        printf("%ld %ld %ld\n", births, deaths, replacements);
        for (int i = 0; i < PLACES; i++) {
            if (shared[i]) printf("%d\n", shared[i]);
            for (int j = 0; j < THREADS; j++)
                if (own[j][i]) printf("%d\n", own[j][i]);
        }
        answered();
    }
}
