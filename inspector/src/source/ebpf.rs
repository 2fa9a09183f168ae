//! The eBPF source: the kernel's own word on threads, descriptors, waits and marks.

mod bits;
pub mod btf;
mod counters;
pub mod decode;
pub mod hook;
pub mod kernel;
pub mod load;
mod log;
mod marks;
mod order;
pub mod refusal;
pub mod session;
pub mod start;
mod targets;
pub mod usdt;
mod waits;
