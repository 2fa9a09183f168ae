// Shows closes of numbers that are not open, or another's, and descriptors refused; and the same
// work done as it should be. It tells the numbers it used and the threads that closed them.
#include "orders.h"
#include "lifecycle.h"
#include <sys/eventfd.h>

#define SITE __attribute__((noinline)) static void

SITE store_begin(const char *key) {
    MARK(store_begin, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"(key), "r"(strlen(key)), "n"(0));
}

SITE store_end(const char *key) {
    MARK(store_end, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"(key), "r"(strlen(key)), "n"(0));
}

SITE delete_begin(const char *key) {
    MARK(delete_begin, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"(key), "r"(strlen(key)), "n"(0));
}

SITE delete_end(const char *key) {
    MARK(delete_end, "8@%0 8@%1 8@%2", "n"(1), "r"(key), "r"(strlen(key)));
}

static void *stores_b(void *made) {
    store_begin("b");
    *(int *)made = must(eventfd(0, 0), "eventfd");
    store_end("b");
    return NULL;
}

static void *closes(void *fd) {
    close(*(int *)fd);
    return (void *)(long)gettid();
}

static void on_a_thread(void *(*does)(void *), void *argument) {
    pthread_t thread;
    pthread_create(&thread, NULL, does, argument);
    pthread_join(thread, NULL);
}

static int store_a(void) {
    store_begin("a");
    int fd = must(eventfd(0, 0), "eventfd");
    store_end("a");
    return fd;
}

int main(void) {
    int fd, other = -1;
    while (next_order()) {
        if (ordered("double")) {
            fd = must(eventfd(0, 0), "eventfd");
            must(close(fd), "close");
            close(fd);
            on_a_thread(closes, &fd);
            printf("%d\n", fd);
        } else if (ordered("nothing")) {
            close(-1);
            for (fd = 900; fd < 1000; fd++) close(fd);
        } else if (ordered("foreign")) {
            // The delete closes what the entry's owner had closed already; the number is b's now.
            fd = store_a();
            must(close(fd), "close");
            on_a_thread(stores_b, &other);
            delete_begin("a");
            must(close(fd), "close");
            delete_end("a");
            printf("%d\n%d\n", fd, other);
        } else if (ordered("limit")) {
            struct rlimit limit, low;
            getrlimit(RLIMIT_NOFILE, &limit);
            low = limit;
            low.rlim_cur = 3;
            setrlimit(RLIMIT_NOFILE, &low);
            for (int i = 0; i < 5; i++) eventfd(0, 0);
            setrlimit(RLIMIT_NOFILE, &limit);
        } else if (ordered("clean")) {
            // Numbers go from one to another here as well, and each is closed by whom it was
            // handed to.
            for (int i = 0; i < 200; i++) {
                on_a_thread(stores_b, &other);
                on_a_thread(closes, &other);
                fd = store_a();
                delete_begin("a");
                must(close(fd), "close");
                delete_end("a");
            }
        }
        answered();
    }
}
