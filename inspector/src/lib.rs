//! inspector shows, and proves by eBPF, whether threads and file handles disappear after deletes.
//!
//! Data flows one way: **source → events → ledger → verdict → screen and report**. The modules, in reading
//! order:
//!
//! - [`event`]: what happened, as every source tells it;
//! - [`ledger`]: what is true of the observed processes, as far as events tell;
//! - [`verdict`]: whether what a deleted entry owned is gone, and on what grounds;
//! - [`source`]: where events come from;
//! - [`pipeline`]: the one loop: events in, verdicts out;
//! - [`report`]: verdicts and the whole ledger, as text and JSON;
//! - [`trace`]: recordings: what was sent, written down and read again;
//! - [`export`]: a stream of events in the formats of other tools;
//! - [`rules`], [`check`]: what a run is held to, and what breaks it;
//! - [`pattern`]: what targets and names of one kind have in common;
//! - [`cli`], [`command`]: the command line, one file a verb;
//! - [`config`]: what a user prefers, and where it says so;
//! - [`target`], [`launch`]: which processes are meant, and starting a command that waits to be watched;
//! - [`doctor`], [`privilege`]: what works here, and dropping what is not needed;
//! - [`lab`]: the reference lifecycle map workload;
//! - [`tui`]: the interactive screen;
//! - [`duration`]: lengths of time as people write them.

pub mod check;
pub mod cli;
pub mod command;
pub mod config;
pub mod doctor;
pub mod duration;
pub mod event;
pub mod export;
pub mod lab;
pub mod launch;
pub mod ledger;
pub mod pattern;
pub mod pipeline;
pub mod privilege;
pub mod report;
pub mod rules;
pub mod source;
pub mod target;
pub mod trace;
pub mod tui;
pub mod verdict;
