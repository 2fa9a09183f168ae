// Shows the six marks, their arguments in every place a compiler puts them: constants, registers
// of each width (with other bits above), memory. Each is told as it is passed. A forked child, a
// vforked and a spawned program pass them too.
#include "orders.h"
#include "lifecycle.h"
#include <spawn.h>

#define SITE __attribute__((noinline)) static void
#define ABOVE(value) ((long)(value) | 0x5a5a000000000000)

static const char *self;

static void tell(const char *mark, long map, const char *key, long length) {
    printf("%ld %s map=%ld key=%s of %ld ", syscall(SYS_gettid), mark, map, key, length);
}

SITE store_begin(const char *key, long length, const long *spans, long index) {
    MARK(store_begin, "8@%0 8@%1 2@%w2 8@%3", "n"(7L), "r"(key), "r"(ABOVE(length)), "m"(spans[index]));
}

SITE store_end(long map, const char *volatile key, long length, long span) {
    MARK(store_end, "4@%k0 8@%1 1@%b2 -8@%3", "r"(ABOVE(map)), "m"(key), "q"(length | 0x700), "r"(span));
}

SITE own(long map, const char *key, long length, unsigned what, volatile int number) {
    MARK(own, "8@%0 8@%1 8@%2 4@%k3 -4@%4", "r"(map), "r"(key), "r"(length), "r"(what), "m"(number));
}

SITE own_handle(long map, const char *key, long length, int fd) {
    MARK(own, "8@%0 8@%1 8@%2 -4@%3 -4@%k4", "r"(map), "r"(key), "r"(length), "n"(0), "r"(fd));
}

SITE delete_begin(long map, const char *key, long length, const char *policy) {
    MARK(delete_begin, "8@%0 8@%1 8@%2 8@%3", "r"(map), "r"(key), "r"(length), "r"(policy));
}

SITE delete_unlink(volatile short map, const char *key, volatile int length) {
    MARK(delete_unlink, "2@%0 8@%1 -4@%2", "m"(map), "r"(key), "m"(length));
}

SITE delete_end(unsigned char map, const char *key, long length) {
    MARK(delete_end, "1@%b0 8@%1 8@%2", "q"((int)map), "r"(key), "r"(length));
}

static void pass_all(void) {
    long spans[] = {0, 41, 42};
    for (int i = 0; i < 3; i++) {
        tell("store_begin", 7, "a-key", 5);
        spans[i] ? printf("span %ld\n", spans[i]) : printf("no span\n");
        store_begin("a-key", 5, spans, i);
    }
    tell("store_end", 0x10007, "other", 5), printf("span 41\n");
    store_end(0x10007, "other", 5, 41);
    tell("own", 1, "k", 1), printf("thread %ld\n", syscall(SYS_gettid));
    own(1, "k", 1, 1, syscall(SYS_gettid));
    tell("own", 1, "k", 1), printf("handle 2\n");
    own_handle(1, "k", 1, 2);
    tell("delete_begin", 1, "k", 1), printf("policy stop-wait-delete\n");
    delete_begin(1, "k", 1, "stop-wait-delete");
    tell("delete_begin", 1, "k", 1), printf("no policy\n");
    delete_begin(1, "k", 1, NULL);
    tell("delete_unlink", 300, "k", 1), puts("");
    delete_unlink(300, "k", 1);
    tell("delete_end", 200, "", 0), puts("");
    delete_end(200, "", 0);
    fflush(stdout);
}

static void wait_for(pid_t child) {
    int status;
    must(waitpid(child, &status, 0), "waitpid");
    if (status != 0) printf("child died: status %#x\n", status);
}

int main(int count, char **arguments) {
    self = arguments[0];
    if (count > 1) {
        pass_all();
        return 0;
    }
    extern char **environ;
    char *const again[] = {arguments[0], "pass", NULL};
    while (next_order()) {
        if (ordered("pass")) {
            pass_all();
        } else if (ordered("long")) {
            char key[301];
            memset(key, 'x', 300);
            key[300] = 0;
            key[128] = 0;
            tell("delete_end", 1, key, 300), puts("");
            key[128] = 'x';
            delete_end(1, key, 300);
        } else if (ordered("unreadable")) {
            tell("delete_end", 1, "", 5), puts("");
            delete_end(1, (char *)16, 5);
            tell("delete_begin", 1, "k", 1), printf("no policy\n");
            delete_begin(1, "k", 1, (char *)16);
        } else if (ordered("fork")) {
            pid_t child = must(fork(), "fork");
            if (child == 0) {
                pass_all();
                _exit(0);
            }
            wait_for(child);
        } else if (ordered("vfork")) {
            pid_t child = must(vfork(), "vfork");
            if (child == 0) {
                // A mark on the parent's memory, then a program of its own.
                delete_end(3, "vforked", 7);
                execv(self, again);
                _exit(1);
            }
            printf("%d delete_end map=3 key=vforked of 7 \n", child);
            wait_for(child);
        } else if (ordered("spawn")) {
            pid_t child;
            if (posix_spawn(&child, self, NULL, NULL, again, environ)) return 1;
            wait_for(child);
        }
        answered();
    }
}
