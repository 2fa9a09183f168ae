/* A process that does what it is told, one letter a line, and says what it did: the real thing
 * that scans are compared with. Every answer ends with a line ".". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sem_t leader_may_go, worker_may_go, worker_is_ready;
static pthread_t worker;
static volatile int worker_tid, churning;

static void *wait_for_word(void *unshares) {
    if (unshares) {
        unshare(CLONE_FILES);
        open("/dev/null", O_RDONLY);
    }
    prctl(PR_SET_NAME, ") R (\n1");
    worker_tid = gettid();
    sem_post(&worker_is_ready);
    sem_wait(&worker_may_go);
    return 0;
}

static void *nothing(void *argument) { return argument; }

static void *churn(void *argument) {
    while (churning) {
        pthread_t thread;
        int fd = open("/dev/null", O_RDONLY);
        if (pthread_create(&thread, 0, nothing, 0) == 0) pthread_join(thread, 0);
        close(fd);
    }
    return argument;
}

static void say(const char *kind, long fd, int cloexec) {
    if (fd < 0) printf("refused %s %s\n", kind, strerror(errno));
    else printf("%ld %s %d\n", fd, kind, cloexec);
}

static void open_every_kind(void) {
    int pair[2];
    sigset_t signals;
    char page[16384] = {0};
    sigemptyset(&signals);
    say("file", open("/proc/self/exe", O_RDONLY | O_CLOEXEC), 1);
    say("file", open("/proc/self/maps", O_RDONLY), 0);
    say("directory", open("/", O_RDONLY | O_DIRECTORY), 0);
    say("directory", open("/", O_PATH), 0);
    say("device", open("/dev/null", O_RDWR | O_CLOEXEC), 1);
    say("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1);
    say("socket", socket(AF_UNIX, SOCK_DGRAM, 0), 0);
    if (pipe2(pair, O_CLOEXEC) == 0) say("pipe", pair[0], 1), say("pipe", pair[1], 1);
    say("eventfd", eventfd(0, EFD_CLOEXEC), 1);
    say("timerfd", timerfd_create(CLOCK_MONOTONIC, 0), 0);
    say("signalfd", signalfd(-1, &signals, SFD_CLOEXEC), 1);
    say("epoll", epoll_create1(0), 0);
    say("inotify", inotify_init1(IN_CLOEXEC), 1);
    say("fanotify", fanotify_init(FAN_CLASS_NOTIF, O_RDONLY), 0);
    say("memfd", syscall(SYS_memfd_create, "cache", 0), 0);
    say("memfd_secret", syscall(447, 0), 0);
    say("pidfd", syscall(SYS_pidfd_open, getpid(), 0), 1);
    say("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC | 1), 1);
    struct perf_event_attr event = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof event, .config = PERF_COUNT_SW_DUMMY,
        .exclude_kernel = 1 };
    say("perf_event", syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC), 1);
    union bpf_attr map = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
        .max_entries = 1 };
    say("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map), 1);
    say("io_uring", syscall(425, 4, page), 1);
    say("fs_context", syscall(430, "tmpfs", 0), 0);
    say("landlock", syscall(444, (unsigned long[]){1}, 8, 0), 1);
    char name[40];
    struct mq_attr queue = { .mq_maxmsg = 1, .mq_msgsize = 8 };
    sprintf(name, "scan-test-%d", getpid());
    say("mqueue", syscall(SYS_mq_open, name, O_CREAT | O_RDWR, 0600, &queue), 1);
    syscall(SYS_mq_unlink, name);
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = { 1, &allow };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    say("seccomp", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
        SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter), 1);
}

static void *obey(void *argument) {
    char line[32];
    pid_t child = 0;
    pthread_t churner;
    while (fgets(line, sizeof line, stdin)) {
        long number = atol(line + 1);
        switch (line[0]) {
        case 'k': open_every_kind(); break;
        case 't': case 'u': /* a thread; a thread with a table of its own */
            pthread_create(&worker, 0, wait_for_word, line[0] == 'u' ? line : 0);
            sem_wait(&worker_is_ready);
            printf("%d\n", worker_tid);
            break;
        case 'T': sem_post(&worker_may_go); pthread_join(worker, 0); break;
        case 'o': printf("%d\n", timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)); break;
        case 'd': printf("%d\n", fcntl(number, F_DUPFD, 1000)); break;
        case 'c': printf("%d\n", close(number)); break;
        case 'm': /* so many descriptors */
            for (long i = 0; i < number; i++) if (dup(0) < 0) break;
            break;
        case 'f': /* a child that waits to be killed */
            child = fork();
            if (child == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); for (;;) pause(); }
            printf("%d\n", child);
            break;
        case 'F': kill(child, SIGKILL); waitpid(child, 0, 0); break;
        case 'z': kill(child, SIGKILL); siginfo_t info; /* a zombie */
            waitid(P_PID, child, &info, WEXITED | WNOWAIT); break;
        case 'l': sem_post(&leader_may_go); usleep(20000); break; /* the leader ends */
        case 'b': churning = 1; pthread_create(&churner, 0, churn, 0); break;
        case 'B': churning = 0; pthread_join(churner, 0); break;
        }
        printf(".\n");
        fflush(stdout);
    }
    exit(0);
    return argument;
}

int main(void) {
    pthread_t obeying;
    alarm(60); /* whatever becomes of the test */
    sem_init(&leader_may_go, 0, 0);
    sem_init(&worker_may_go, 0, 0);
    sem_init(&worker_is_ready, 0, 0);
    pthread_create(&obeying, 0, obey, 0);
    while (sem_wait(&leader_may_go) != 0) {}
    pthread_exit(0);
}
