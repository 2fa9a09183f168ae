//! inspector shows, and proves by eBPF, whether threads and file handles disappear after deletes.
//!
//! Data flows one way: **source → events → ledger → verdict → report**. The modules, in reading
//! order:
//!
//! - [`event`]: what happened, as every source tells it.

pub mod cli;
pub mod command;
pub mod event;
pub mod lab;
