// Shows who owns what, by a program that marks its stores and deletes: connections accepted
// before their store, stores over live keys, a thread that works for several keys, descriptors
// that a child inherited, that were duplicated or passed on. It tells the numbers it used.
#include "orders.h"
#include "lifecycle.h"
#include <sys/eventfd.h>
#include <sys/un.h>

#define SITE __attribute__((noinline)) static void

SITE store_begin(const char *key) {
    MARK(store_begin, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"(key), "r"(strlen(key)), "n"(0));
}

SITE store_end(const char *key) {
    MARK(store_end, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"(key), "r"(strlen(key)), "n"(0));
}

SITE own(const char *key, long what, long number) {
    MARK(own, "8@%0 8@%1 8@%2 8@%3 8@%4", "n"(1), "r"(key), "r"(strlen(key)), "r"(what), "r"(number));
}

SITE delete_begin(const char *key) {
    MARK(delete_begin, "8@%0 8@%1 8@%2 8@%3", "n"(1), "r"(key), "r"(strlen(key)), "n"(0));
}

SITE delete_unlink(const char *key) {
    MARK(delete_unlink, "8@%0 8@%1 8@%2", "n"(1), "r"(key), "r"(strlen(key)));
}

SITE delete_end(const char *key) {
    MARK(delete_end, "8@%0 8@%1 8@%2", "n"(1), "r"(key), "r"(strlen(key)));
}

// Deletes a key; closes `fd` in it unless it is −1.
static void delete_key(const char *key, int fd) {
    delete_begin(key);
    delete_unlink(key);
    if (fd >= 0) must(close(fd), "close");
    delete_end(key);
}

static int store_event(const char *key) {
    store_begin(key);
    int fd = must(eventfd(0, 0), "eventfd");
    store_end(key);
    return fd;
}

static int server;
static struct sockaddr_un name = {.sun_family = AF_UNIX};
static socklen_t name_size = sizeof name;

static void *accepts(void *argument) {
    return (void *)must(accept(server, NULL, NULL), "accept");
}

// Accepted by another thread, outside any store.
static int accept_one(void) {
    void *accepted;
    pthread_t acceptor;
    pthread_create(&acceptor, NULL, accepts, NULL);
    int client = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
    must(connect(client, (void *)&name, name_size), "connect");
    pthread_join(acceptor, &accepted);
    return (long)accepted;
}

static int connection(const char *key) {
    int accepted = accept_one();
    store_begin(key);
    own(key, 0, accepted);
    store_end(key);
    return accepted;
}

struct pool {
    atomic_long tid;
    const char *works_for;
    int made;
    atomic_int ready;
};

static void *pool_thread(void *argument) {
    struct pool *pool = argument;
    pool->tid = syscall(SYS_gettid);
    while (!pool->ready) usleep(1000);
    pool->made = pool->works_for ? store_event(pool->works_for) : must(eventfd(0, 0), "eventfd");
    pool->ready = 2;
    for (;;) pause();
    return NULL;
}

// A thread made while `key` is stored; then it works for another key, or for itself.
static struct pool *pool(const char *key, const char *works_for) {
    struct pool *pool = calloc(1, sizeof *pool);
    pthread_t thread;
    pool->works_for = works_for;
    store_begin(key);
    pthread_create(&thread, NULL, pool_thread, pool);
    store_end(key);
    pool->ready = 1;
    while (pool->ready != 2) usleep(1000);
    return pool;
}

static pid_t stay(void) {
    pid_t child = must(fork(), "fork");
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
}

static void pass(int fd) {
    static int pair[2];
    static pid_t receiver;
    char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
    struct iovec bytes = {&byte, 1};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    *CMSG_FIRSTHDR(&message) = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof fd);
    must(sendmsg(pair[0], &message, 0), "sendmsg");
    if ((receiver = must(fork(), "fork")) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        must(close(fd), "close");
        message.msg_controllen = sizeof control;
        must(recvmsg(pair[1], &message, 0), "recvmsg");
        must(write(pair[1], "x", 1), "write");
        for (;;) pause();
    }
    must(read(pair[0], &byte, 1), "read");
}

int main(void) {
    int fd = -1, other;
    pid_t child = 0;
    server = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
    must(bind(server, (void *)&name, sizeof name.sun_family), "bind");
    must(getsockname(server, (void *)&name, &name_size), "getsockname");
    must(listen(server, 8), "listen");
    while (next_order()) {
        if (ordered("accepted, left")) {
            printf("%d\n", fd = connection("left"));
            delete_key("left", -1);
        } else if (ordered("accepted, closed")) {
            printf("%d\n", fd = connection("closed"));
            delete_key("closed", fd);
        } else if (ordered("moved")) {
            printf("%d\n", fd = connection("from"));
            store_begin("to");
            own("to", 0, fd);
            store_end("to");
            delete_key("from", -1);
            delete_key("to", -1);
        } else if (ordered("overwritten, left")) {
            printf("%d\n", store_event("over"));
            store_event("over");
        } else if (ordered("overwritten, closed")) {
            printf("%d\n", fd = store_event("over closed"));
            store_begin("over closed");
            must(eventfd(0, 0), "eventfd");
            must(close(fd), "close");
            store_end("over closed");
        } else if (ordered("pool")) {
            struct pool *shared = pool("lazy", "worked for");
            printf("%ld\n%d\n", shared->tid, shared->made);
            delete_key("lazy", -1);
            delete_key("worked for", shared->made);
        } else if (ordered("pool, owned")) {
            struct pool *shared = pool("owned", "worked for too");
            own("owned", 1, shared->tid);
            printf("%ld\n%d\n", shared->tid, shared->made);
            delete_key("owned", -1);
            delete_key("worked for too", shared->made);
        } else if (ordered("descent")) {
            struct pool *own_thread = pool("parent", NULL);
            printf("%ld\n%d\n", own_thread->tid, own_thread->made);
            delete_key("parent", -1);
        } else if (ordered("inherited")) {
            fd = store_event("inherited");
            child = stay();
            printf("%d\n%d\n", fd, child);
            delete_key("inherited", fd);
        } else if (ordered("heir ends")) {
            kill(child, SIGKILL);
            must(waitpid(child, NULL, 0), "waitpid");
        } else if (ordered("duplicated")) {
            fd = store_event("copied");
            printf("%d\n%ld\n", fd, must(other = dup(fd), "dup"));
            delete_key("copied", fd);
        } else if (ordered("passed")) {
            fd = store_event("passed");
            pass(fd);
            printf("%d\n", fd);
            delete_key("passed", fd);
        }
        answered();
    }
}
