//! What crosses from the kernel: records, the system-call table, configuration, counters.

pub mod call;
pub mod config;
pub mod loss;
pub mod mark;
pub mod name;
pub mod record;
pub mod table;
pub mod thread;
pub mod wait;
