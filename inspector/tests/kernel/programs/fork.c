// Shows forks of a big process while one of its threads opens and closes: each child tells the
// table it was born with, and stays.
#include "orders.h"
#include <dirent.h>
#include <sys/eventfd.h>

#define CHILDREN 100
#define BIG (200 << 20)

static atomic_int racing;

static void *race(void *argument) {
    int open_now[24] = {0};
    uint64_t random = 1;
    for (;;) {
        while (!racing) usleep(1000);
        random = random * 6364136223846793005u + 1442695040888963407u;
        int *fd = &open_now[(random >> 33) % 24];
        if (*fd == 0) {
            *fd = must(eventfd(0, random >> 40 & 1 ? EFD_CLOEXEC : 0), "eventfd");
        } else {
            must(close(*fd), "close");
            *fd = 0;
        }
    }
    return argument;
}

// The child's own table, the descriptor it is read through left out: "number:close-on-exec …".
static void tell_table(int to) {
    char text[4096];
    int length = sprintf(text, "%d", getpid());
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(directory));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(directory)) continue;
        length += sprintf(text + length, " %d:%d", fd, fcntl(fd, F_GETFD) & 1);
    }
    text[length++] = '\n';
    must(write(to, text, length), "write");
    closedir(directory);
}

int main(void) {
    int answers[2];
    char line[4096];
    must(pipe(answers), "pipe");
    FILE *from_children = fdopen(answers[0], "r");
    char *big = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    // Small pages take their time to be copied.
    madvise(big, BIG, MADV_NOHUGEPAGE);
    for (long at = 0; at < BIG; at += 4096) big[at] = 1;
    pthread_t thread;
    pthread_create(&thread, NULL, race, NULL);
    while (next_order()) {
        racing = 1;
        for (int i = 0; i < CHILDREN; i++) {
            pid_t child = must(fork(), "fork");
            if (child == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                tell_table(answers[1]);
                for (;;) pause();
            }
            fputs(fgets(line, sizeof line, from_children), stdout);
        }
        racing = 0;
        usleep(20000);
        answered();
    }
}
