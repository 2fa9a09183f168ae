//! The eBPF source: the kernel's own word on threads, descriptors, waits and marks.

pub mod btf;
pub mod decode;
pub mod hook;
pub mod kernel;
pub mod load;
