// Shows every call that makes, duplicates, passes, marks or closes a descriptor, each made once
// for real, with what it did: a line a change, in the order they happen.
#include "orders.h"
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/un.h>

#define SYS(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

// Descriptors to close one by one, and how many there are of each one's file.
static int open_now[256], open_count, copies[256];

static int cloexec(int fd) { return fcntl(fd, F_GETFD) & 1; }

// The call made a descriptor, or the kernel refuses it here.
static int born(const char *call, const char *kind, long fd) {
    if (fd < 0) {
        printf("unavailable %s %d\n", call, errno);
        return -1;
    }
    printf("born %s %ld %s cloexec=%d\n", call, fd, kind, cloexec(fd));
    copies[fd] = 1;
    return open_now[open_count++] = fd;
}

static int same(const char *call, int from, long fd) {
    must(fd, call);
    printf("dup %s %d %ld cloexec=%d\n", call, from, fd, cloexec(fd));
    return fd;
}

static void close_one(int fd, int references) {
    printf("closed %d references=%d\n", fd, references);
    must(SYS(close, fd), "close");
}

static void files(void) {
    born("open", "opened", SYS(open, "a-file", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    born("creat", "opened", SYS(creat, "another", 0600));
    born("openat", "opened", SYS(openat, AT_FDCWD, "a-file", O_RDONLY));
    born("openat", "opened", SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct { uint64_t flags, mode, resolve; } how = {O_RDONLY | O_CLOEXEC, 0, 0};
    born("openat2", "opened", SYS(openat2, AT_FDCWD, "a-file", &how, sizeof how));
    how.flags = O_RDONLY;
    born("openat2", "opened", SYS(openat2, AT_FDCWD, "a-file", &how, sizeof how));
    struct { struct file_handle handle; char bytes[128]; } place = {.handle.handle_bytes = 128};
    int mount;
    if (SYS(name_to_handle_at, AT_FDCWD, "a-file", &place, &mount, 0) < 0)
        born("open_by_handle_at", "opened", -1);
    else
        born("open_by_handle_at", "opened",
             SYS(open_by_handle_at, AT_FDCWD, &place, O_RDONLY | O_CLOEXEC));
    int master = SYS(open, "/dev/ptmx", O_RDWR | O_NOCTTY);
    if (born("open", "opened", master) >= 0) {
        int unlocked = 0;
        must(ioctl(master, TIOCSPTLCK, &unlocked), "TIOCSPTLCK");
        born("ioctl", "opened", SYS(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    }
}

static void sockets(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    // An abstract name that the kernel chooses.
    int server = born("socket", "socket", SYS(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    must(bind(server, (void *)&name, sizeof name.sun_family), "bind");
    socklen_t size = sizeof name;
    must(getsockname(server, (void *)&name, &size), "getsockname");
    must(listen(server, 8), "listen");
    for (int flags = 0; flags < 3; flags++) {
        int client = born("socket", "socket", SYS(socket, AF_UNIX, SOCK_STREAM, 0));
        must(connect(client, (void *)&name, size), "connect");
        if (flags == 0)
            born("accept", "socket", SYS(accept, server, NULL, NULL));
        else
            born("accept4", "socket",
                 SYS(accept4, server, NULL, NULL, flags == 1 ? SOCK_CLOEXEC : 0));
    }
    int pair[2];
    must(SYS(socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
    born("socketpair", "socket", pair[0]);
    born("socketpair", "socket", pair[1]);
    must(SYS(pipe, pair), "pipe");
    born("pipe", "pipe", pair[0]);
    born("pipe", "pipe", pair[1]);
    must(SYS(pipe2, pair, O_CLOEXEC), "pipe2");
    born("pipe2", "pipe", pair[0]);
    born("pipe2", "pipe", pair[1]);
}

static void events(void) {
    born("eventfd", "eventfd", SYS(eventfd, 1));
    born("eventfd2", "eventfd", SYS(eventfd2, 1, O_CLOEXEC));
    born("timerfd_create", "timerfd", SYS(timerfd_create, CLOCK_MONOTONIC, O_CLOEXEC));
    born("timerfd_create", "timerfd", SYS(timerfd_create, CLOCK_MONOTONIC, 0));
    uint64_t mask = 1 << (SIGUSR1 - 1);
    int fd = born("signalfd", "signalfd", SYS(signalfd, -1, &mask, sizeof mask));
    // A new mask for an existing one is no birth.
    must(SYS(signalfd, fd, &mask, sizeof mask), "signalfd");
    fd = born("signalfd4", "signalfd", SYS(signalfd4, -1, &mask, sizeof mask, O_CLOEXEC));
    must(SYS(signalfd4, fd, &mask, sizeof mask, 0), "signalfd4");
    born("epoll_create", "epoll", SYS(epoll_create, 1));
    born("epoll_create1", "epoll", SYS(epoll_create1, O_CLOEXEC));
    born("inotify_init", "inotify", SYS(inotify_init));
    born("inotify_init1", "inotify", SYS(inotify_init1, O_CLOEXEC));
    born("fanotify_init", "fanotify", SYS(fanotify_init, 1, O_RDONLY));
    born("memfd_create", "memfd", SYS(memfd_create, "memory", 1));
    born("memfd_create", "memfd", SYS(memfd_create, "memory", 0));
    born("memfd_secret", "memfd_secret", SYS(memfd_secret, O_CLOEXEC));
}

static void kernel_objects(void) {
    int self = born("pidfd_open", "pidfd", SYS(pidfd_open, getpid(), 0));
    long passed = must(SYS(pidfd_getfd, self, 1, 0), "pidfd_getfd");
    printf("received pidfd_getfd %ld cloexec=%d\n", passed, cloexec(passed));
    born("userfaultfd", "userfaultfd", SYS(userfaultfd, O_CLOEXEC));
    struct perf_event_attr clock = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof clock, .config = PERF_COUNT_SW_TASK_CLOCK};
    born("perf_event_open", "perf_event", SYS(perf_event_open, &clock, 0, -1, -1, 8));
    born("perf_event_open", "perf_event", SYS(perf_event_open, &clock, 0, -1, -1, 0));
    union bpf_attr map = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    int fd = born("bpf", "bpf", SYS(bpf, BPF_MAP_CREATE, &map, sizeof map));
    // A command that returns no descriptor.
    union bpf_attr element = {.map_fd = fd, .key = (uint64_t)&(int){0}, .value = (uint64_t)&(int){0}};
    SYS(bpf, BPF_MAP_LOOKUP_ELEM, &element, sizeof element);
    char ring[120] = {0};
    born("io_uring_setup", "io_uring", SYS(io_uring_setup, 2, ring));
    // Its version is no descriptor.
    SYS(landlock_create_ruleset, NULL, 0, 1);
    uint64_t rules = 1;
    born("landlock_create_ruleset", "landlock",
         SYS(landlock_create_ruleset, &rules, sizeof rules, 0));
    born("mq_open", "mqueue", SYS(mq_open, "inspector-test", O_CREAT | O_RDWR, 0600, NULL));
    SYS(mq_unlink, "inspector-test");
}

static void mounts(void) {
    int context = born("fsopen", "fs_context", SYS(fsopen, "tmpfs", 1));
    if (SYS(fsconfig, context, 6, NULL, NULL, 0) < 0)
        born("fsmount", "mount", -1);
    else
        born("fsmount", "mount", SYS(fsmount, context, 1, 0));
    born("open_tree", "mount", SYS(open_tree, AT_FDCWD, "/", O_CLOEXEC | 1));
    born("open_tree_attr", "mount", SYS(open_tree_attr, AT_FDCWD, "/", 1, NULL, 0));
    born("fspick", "fs_context", SYS(fspick, AT_FDCWD, "/proc", 0));
}

static void duplicates(void) {
    int first = born("eventfd2", "eventfd", SYS(eventfd2, 0, 0));
    same("dup", first, SYS(dup, first));
    same("dup2", first, SYS(dup2, first, 300));
    // Onto itself: nothing changes.
    must(SYS(dup2, first, first), "dup2");
    // Onto an open number: that one closes.
    int second = born("eventfd2", "eventfd", SYS(eventfd2, 0, 0));
    same("dup2", second, SYS(dup2, second, 300));
    same("dup3", second, SYS(dup3, second, 301, O_CLOEXEC));
    same("fcntl", second, SYS(fcntl, second, F_DUPFD, 310));
    same("fcntl", second, SYS(fcntl, second, F_DUPFD_CLOEXEC, 310));
    must(SYS(fcntl, 310, F_SETFD, 1), "F_SETFD");
    printf("flag fcntl 310 310 cloexec=1\n");
    must(SYS(fcntl, 310, F_SETFD, 0), "F_SETFD");
    printf("flag fcntl 310 310 cloexec=0\n");
    must(SYS(ioctl, 310, FIOCLEX), "FIOCLEX");
    printf("flag ioctl 310 310 cloexec=1\n");
    must(SYS(ioctl, 310, FIONCLEX), "FIONCLEX");
    printf("flag ioctl 310 310 cloexec=0\n");
    // second, 300, 301, 310 and 311.
    close_one(301, 5);
    must(SYS(close_range, 310, 320, 4), "close_range");
    printf("flag close_range 310 320 cloexec=1\n");
    must(SYS(close_range, 310, 320, 0), "close_range");
    printf("range 310 320\n");
    same("dup2", second, SYS(dup2, second, 310));
    must(SYS(close_range, 310, ~0u, 2), "close_range");
    // Nobody shares this table: it stays the same.
    printf("range 310 %u\n", ~0u);
    must(SYS(unshare, CLONE_FILES), "unshare");
    printf("table unshare\n");
    SYS(close, 999);
    printf("not open close 999\n");
    struct rlimit limit, low = {.rlim_cur = 3};
    getrlimit(RLIMIT_NOFILE, &limit);
    low.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &low);
    SYS(eventfd2, 0, 0);
    printf("limit eventfd2 %d\n", errno);
    SYS(dup, 0);
    printf("limit dup %d\n", errno);
    setrlimit(RLIMIT_NOFILE, &limit);
    // What dup made, and 300.
    copies[first] = copies[second] = 2;
}

struct message {
    char byte, control[64];
    struct iovec bytes;
    struct mmsghdr header;
};

static void prepare(struct message *message, int fd) {
    memset(message, 0, sizeof *message);
    message->bytes = (struct iovec){&message->byte, 1};
    message->header.msg_hdr = (struct msghdr){.msg_iov = &message->bytes, .msg_iovlen = 1,
        .msg_control = message->control, .msg_controllen = sizeof message->control};
    if (fd < 0) return;
    message->header.msg_hdr.msg_controllen = CMSG_SPACE(sizeof fd);
    struct cmsghdr *control = CMSG_FIRSTHDR(&message->header.msg_hdr);
    *control = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(control), &fd, sizeof fd);
}

static void arrived(const char *call, struct message *message, int given) {
    struct msghdr *header = &message->header.msg_hdr;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        int fd;
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
        if (c->cmsg_type == SCM_RIGHTS) {
            printf("received %s %d cloexec=%d\n", call, fd, cloexec(fd));
            copies[given]++;
        } else {
            born(call, "pidfd", fd);
        }
    }
}

static void messages(void) {
    int pair[2];
    must(SYS(socketpair, AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair");
    born("socketpair", "socket", pair[0]);
    born("socketpair", "socket", pair[1]);
    int given = born("eventfd2", "eventfd", SYS(eventfd2, 0, 0));
    struct message one, two[2];
    for (int flags = 0; flags < 2; flags++) {
        prepare(&one, given);
        must(SYS(sendmsg, pair[0], &one.header.msg_hdr, 0), "sendmsg");
        printf("shared sendmsg %d\n", given);
        prepare(&one, -1);
        must(SYS(recvmsg, pair[1], &one.header.msg_hdr, flags ? MSG_CMSG_CLOEXEC : 0), "recvmsg");
        arrived("recvmsg", &one, given);
    }
    struct mmsghdr both[2];
    for (int i = 0; i < 2; i++) {
        prepare(&two[i], given);
        both[i] = two[i].header;
        printf("shared sendmmsg %d\n", given);
    }
    must(SYS(sendmmsg, pair[0], both, 2, 0), "sendmmsg");
    for (int i = 0; i < 2; i++) {
        prepare(&two[i], -1);
        both[i] = two[i].header;
    }
    must(SYS(recvmmsg, pair[1], both, 2, MSG_CMSG_CLOEXEC, NULL), "recvmmsg");
    for (int i = 0; i < 2; i++) {
        two[i].header = both[i];
        arrived("recvmmsg", &two[i], given);
    }
    int on = 1;
    if (setsockopt(pair[1], SOL_SOCKET, 76 /* SO_PASSPIDFD */, &on, sizeof on) == 0) {
        prepare(&one, given);
        must(SYS(sendmsg, pair[0], &one.header.msg_hdr, 0), "sendmsg");
        printf("shared sendmsg %d\n", given);
        prepare(&one, -1);
        must(SYS(recvmsg, pair[1], &one.header.msg_hdr, 0), "recvmsg");
        arrived("recvmsg", &one, given);
    }
}

static void children(void) {
    int pidfd = -1;
    long child = SYS(clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
    if (child == 0) _exit(0);
    must(child, "clone");
    born("clone", "pidfd", pidfd);
    must(waitpid(child, NULL, 0), "waitpid");
    uint64_t clone3[8] = {CLONE_PIDFD, (uint64_t)&pidfd, 0, 0, SIGCHLD};
    child = SYS(clone3, clone3, sizeof clone3);
    if (child == 0) _exit(0);
    must(child, "clone3");
    born("clone3", "pidfd", pidfd);
    must(waitpid(child, NULL, 0), "waitpid");
}

static void listener(void) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {1, &allow};
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    // Without the flag it returns no descriptor.
    must(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
    born("seccomp", "seccomp",
         SYS(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
}

int main(void) {
    while (next_order()) {
        if (ordered("make")) {
            files();
            sockets();
            events();
            kernel_objects();
            mounts();
            messages();
            children();
            listener();
        } else if (ordered("close")) {
            while (open_count > 0) {
                int fd = open_now[--open_count];
                close_one(fd, copies[fd]);
            }
        } else if (ordered("duplicate")) {
            duplicates();
        }
        answered();
    }
}
