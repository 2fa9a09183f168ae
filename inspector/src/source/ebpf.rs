//! The eBPF source: what the running kernel offers, where a program's marks lie.

pub mod btf;
pub mod kernel;
pub mod usdt;
