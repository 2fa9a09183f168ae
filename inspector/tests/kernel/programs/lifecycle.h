// The marks of the USDT provider lifecycle, written out: a one-byte nop and an ELF note that says
// where its arguments lie, as SystemTap's sys/sdt.h makes them. ARGUMENTS is the note's string.
#define MARK(name, arguments, ...) \
    __asm__ volatile( \
        "990: nop\n" \
        ".pushsection .note.stapsdt,\"?\",\"note\"\n .balign 4\n" \
        ".4byte 992f-991f, 994f-993f, 3\n" \
        "991: .asciz \"stapsdt\"\n 992: .balign 4\n" \
        "993: .8byte 990b, _.stapsdt.base, 0\n" \
        ".asciz \"lifecycle\"\n .asciz \"" #name "\"\n .asciz \"" arguments "\"\n" \
        "994: .balign 4\n .popsection\n" \
        ".ifndef _.stapsdt.base\n" \
        ".pushsection .stapsdt.base,\"aGR\",\"progbits\",.stapsdt.base,comdat\n" \
        ".weak _.stapsdt.base\n .hidden _.stapsdt.base\n" \
        "_.stapsdt.base: .space 1\n .size _.stapsdt.base, 1\n .popsection\n .endif\n" \
        ::__VA_ARGS__ : "memory")
