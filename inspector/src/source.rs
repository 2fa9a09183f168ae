//! Where events come from, and what every source offers its reader.
//!
//! A source is one function that starts it and returns a [`Running`]: a bounded channel of
//! batches, and a way to ask. No type of a particular source passes this module: whoever reads
//! `batches` can't tell the kernel's programs from /proc but by [`Running::kind`].

pub mod ebpf;
