// Leaves something behind, or does not: its arguments are what, and whether it is the leaky
// variant. Each has a twin that does the same work and leaves nothing.
#include "orders.h"
#include "lifecycle.h"
#include <sys/eventfd.h>

#define SITE __attribute__((noinline)) static void

SITE store_begin(void) {
    MARK(store_begin, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"("key"), "n"(3), "n"(0));
}

SITE store_end(void) {
    MARK(store_end, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"("key"), "n"(3), "n"(0));
}

SITE delete_begin(void) {
    MARK(delete_begin, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"("key"), "n"(3), "n"(0));
}

SITE delete_end(void) { MARK(delete_end, "8@%0 8@%1 8@%2", "n"(1), "r"("key"), "n"(3)); }

int main(int count, char **arguments) {
    if (count != 3) return 2;
    const char *what = arguments[1];
    int leaks = !strcmp(arguments[2], "leaky"), fd = -1;
    if (!strcmp(what, "open")) {
        for (int i = 0; i < 3; i++) {
            fd = must(eventfd(0, 0), "eventfd");
            if (!leaks) close(fd);
        }
    } else if (!strcmp(what, "delete")) {
        store_begin();
        fd = must(eventfd(0, 0), "eventfd");
        store_end();
        delete_begin();
        if (!leaks) close(fd);
        delete_end();
        // The grace is over before it closes what it kept: only the delete is wrong.
        usleep(700000);
        if (leaks) close(fd);
    } else if (!strcmp(what, "close")) {
        fd = must(eventfd(0, 0), "eventfd");
        close(fd);
        if (leaks) close(fd);
    } else {
        return 2;
    }
    return 0;
}
