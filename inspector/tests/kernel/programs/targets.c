// Shows descriptors that point at things worth telling: it opens one of each and tells its
// number, and what a look at it is to find.
#include "orders.h"
#include <arpa/inet.h>
#include <sched.h>
#include <sys/stat.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static void told(int fd, const char *what) {
    must(fd, what);
    printf("%d %s\n", fd, what);
}

static int listener;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void sockets(void) {
    char line[64];
    socklen_t size = sizeof address;
    listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(bind(listener, (void *)&address, size), "bind");
    must(listen(listener, 8), "listen");
    getsockname(listener, (void *)&address, &size);
    snprintf(line, sizeof line, "tcp 127.0.0.1:%d LISTEN", ntohs(address.sin_port));
    told(listener, line);
    int client = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    must(connect(client, (void *)&address, size), "connect");
    snprintf(line, sizeof line, "tcp 127.0.0.1:%d ESTABLISHED", ntohs(address.sin_port));
    told(client, line);
    struct sockaddr_in peer;
    int server = must(accept(listener, (void *)&peer, &size), "accept");
    snprintf(line, sizeof line, "tcp 127.0.0.1:%d ESTABLISHED", ntohs(peer.sin_port));
    told(server, line);
    int pair[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    told(pair[0], "unix stream connected");
    told(pair[1], "unix stream connected");
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "here"};
    int bound = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
    must(bind(bound, (void *)&name, sizeof name), "bind");
    must(listen(bound, 8), "listen");
    told(bound, "unix stream here listening");
}

static void others(void) {
    char line[64];
    told(open("a-file", O_CREAT | O_RDWR, 0600), "file a-file");
    told(open(".", O_RDONLY), "directory .");
    told(open("/dev/null", O_RDONLY), "device /dev/null");
    mkfifo("fifo", 0600);
    told(open("fifo", O_RDWR), "pipe fifo");
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec every = {{1, 0}, {1, 0}};
    must(timerfd_settime(timer, 0, &every, NULL), "timerfd_settime");
    told(timer, "armed, every 1 s");
    told(timerfd_create(CLOCK_MONOTONIC, 0), "not armed");
    int count = eventfd(26, 0);
    told(count, "count 26");
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event), "epoll_ctl");
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, count, &event), "epoll_ctl");
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    told(epoll, "3 members");
    told(memfd_create("cache", 0), "memfd /memfd:cache (deleted)");
    snprintf(line, sizeof line, "process %d", getpid());
    told(syscall(SYS_pidfd_open, getpid(), 0), line);
    int watching = inotify_init();
    must(inotify_add_watch(watching, ".", IN_CREATE), "inotify_add_watch");
    told(watching, "1 watch");
}

static void *opens_and_leaves(void *folder) {
    if (folder) must(unshare(CLONE_FILES), "unshare");
    return (void *)(long)must(open("by-thread", O_CREAT | O_RDWR, 0600), "open");
}

static void *stays(void *unused) {
    for (;;) pause();
    return NULL;
}

int main(void) {
    int fd, server;
    socklen_t size = sizeof address;
    while (next_order()) {
        if (ordered("open")) {
            sockets();
            others();
        } else if (ordered("by thread")) {
            // The thread that opened it is gone; the table is the process's.
            pthread_t thread;
            void *made;
            pthread_create(&thread, NULL, opens_and_leaves, NULL);
            pthread_join(thread, &made);
            told((long)made, "file by-thread");
        } else if (ordered("leader ends")) {
            // Another thread goes on, and opens.
            pthread_t thread;
            pthread_create(&thread, NULL, stays, NULL);
            told(open("by-leader", O_CREAT | O_RDWR, 0600), "file by-leader");
            answered();
            syscall(SYS_exit, 0);
        } else if (ordered("reuse")) {
            // A number used again and again never keeps what it pointed at before.
            char name[16];
            for (int i = 0; i < 2000; i++) {
                snprintf(name, sizeof name, "f%d", i);
                fd = must(open(name, O_CREAT | O_RDWR, 0600), "open");
                if (i < 1999) must(close(fd), "close");
                if (i % 100 == 0) usleep(3000);
            }
            printf("%d file %s\n", fd, name);
        } else if (ordered("half-close")) {
            int client = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
            must(connect(client, (void *)&address, size), "connect");
            server = must(accept(listener, NULL, NULL), "accept");
            printf("%d\n", server);
            must(close(client), "close");
        }
        answered();
    }
}
