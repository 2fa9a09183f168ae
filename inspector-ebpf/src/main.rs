//! The eBPF programs. On any other target this file is an empty `main`, so that one package can
//! hold both the ABI and the programs, and host lints see it.
//!
//! A program filters, reads, emits: `target` is the early return of each, `context` holds
//! every unsafe read, `emit` is the only way into the ring.

#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(
    target_arch = "bpf",
    feature(asm_experimental_arch),
    expect(
        unstable_features,
        reason = "atomic operations on maps are inline assembly"
    ),
    expect(
        clippy::needless_pass_by_value,
        reason = "a program takes its context as aya's macros hand it over"
    ),
    expect(
        clippy::multiple_unsafe_ops_per_block,
        reason = "a record is filled in place, field by field, under one reservation"
    ),
    expect(
        clippy::needless_borrows_for_generic_args,
        reason = "map keys and values are passed as the kernel takes them: by their address"
    ),
    expect(
        unsafe_code,
        reason = "programs read the kernel's memory and are verified by it"
    )
)]

#[cfg(target_arch = "bpf")]
mod bits;
#[cfg(target_arch = "bpf")]
mod context;
#[cfg(target_arch = "bpf")]
mod emit;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod programs;
#[cfg(target_arch = "bpf")]
mod settings;
#[cfg(target_arch = "bpf")]
mod target;

/// Helpers used here are marked `gpl_only` by the kernel; the project's own licence allows both.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}
