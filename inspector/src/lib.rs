//! inspector shows, and proves by eBPF, whether threads and file handles disappear after deletes.
//!
//! Data flows one way: **source → events → ledger → verdict → report**. The modules, in reading
//! order:
//!
//! - [`event`]: what happened, as every source tells it.
//! - [`ledger`]: what is true, as far as events tell.
//! - [`verdict`]: whether what a deleted entry owned is gone, and on what grounds.
//! - [`pipeline`]: the one loop: events in, verdicts out.
//! - [`report`]: verdicts as text and JSON.

pub mod event;
pub mod ledger;
pub mod pipeline;
pub mod report;
pub mod verdict;
