// Shows a 64-bit program that makes i386 calls: their numbers mean other calls there.
#include "orders.h"

static long i386(long number, long first, long second, long third) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(second), "d"(third)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

int main(void) {
    // Its pointers have 32 bits.
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    strcpy(low, "/dev/zero");
    int zero = must(open(low, O_RDONLY), "open"), opened = -1;
    while (next_order()) {
        if (ordered("open")) {
            printf("%d\n", opened = i386(5, (long)low, O_RDONLY, 0));
        } else if (ordered("close")) {
            printf("%ld\n", i386(6, opened, 0, 0));
        } else if (ordered("read")) {
            // 3: close for 64 bits. 41: dup, but socket for 64 bits.
            printf("%ld\n", i386(3, zero, (long)low + 64, 1));
        }
        answered();
    }
}
