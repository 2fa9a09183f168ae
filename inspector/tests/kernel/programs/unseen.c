// Shows descriptors that no call of the program's own returns, or no call that is watched: opened
// by an io_uring, and by an ioctl of a namespace. It tells their numbers.
#include "orders.h"
#include <linux/io_uring.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>

// Opens a file through a ring; −1 where the kernel refuses rings.
static int open_by_ring(const char *path) {
    struct io_uring_params params = {0};
    int ring = syscall(SYS_io_uring_setup, 2, &params);
    if (ring < 0) return -1;
    size_t size = params.sq_off.array + params.sq_entries * 4;
    size_t completions = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    if (completions > size) size = completions;
    char *queues = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                        IORING_OFF_SQ_RING);
    struct io_uring_sqe *entries =
        mmap(0, params.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
    must(queues == MAP_FAILED || (void *)entries == MAP_FAILED ? -1 : 0, "mmap");
    entries[0] = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD,
        .addr = (uint64_t)path, .open_flags = O_RDONLY};
    ((unsigned *)(queues + params.sq_off.array))[0] = 0;
    atomic_store((_Atomic unsigned *)(queues + params.sq_off.tail), 1);
    must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), "enter");
    struct io_uring_cqe *done = (void *)(queues + params.cq_off.cqes);
    int fd = done[0].res;
    must(close(ring), "close");
    return fd;
}

int main(void) {
    while (next_order()) {
        if (ordered("ring")) {
            int fd = open_by_ring("/dev/null");
            if (fd < 0)
                printf("unavailable\n");
            else
                printf("%d\n", fd);
        } else if (ordered("ioctl")) {
            int space = must(open("/proc/self/ns/mnt", O_RDONLY), "open");
            printf("%ld\n", must(ioctl(space, NS_GET_USERNS), "NS_GET_USERNS"));
            must(close(space), "close");
        }
        answered();
    }
}
