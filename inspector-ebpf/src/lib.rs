//! The ABI between inspector's eBPF programs and its user side.
//!
//! Rules: every struct is `repr(C)`, made of fixed-width numbers with named padding, and derives
//! zerocopy's traits, so hidden padding does not compile. No enum, bool, `Option` or pointer
//! crosses. Numbers are in the machine's byte order. A change of any layout or code raises
//! [`ABI_VERSION`]; both sides are built from this one crate, so the number serves recordings.

#![no_std]

pub mod abi;

/// Raised with every change of a record's layout or of a code in it.
pub const ABI_VERSION: u32 = 2;
