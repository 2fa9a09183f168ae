//! inspector shows, and proves by eBPF, whether threads and file handles disappear after deletes.
//!
//! Data flows one way: **source → events → ledger → verdict → report**. The modules, in reading
//! order:
//!
//! - [`event`]: what happened, as every source tells it;
//! - [`source`]: where events come from;
//! - [`doctor`]: what works on this machine, and what mends the rest;
//! - [`privilege`]: what root is still needed for after the attach;
//! - [`command`]: the verbs.

pub mod command;
pub mod doctor;
pub mod event;
pub mod privilege;
pub mod source;
