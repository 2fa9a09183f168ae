//! The real programs on this kernel: each test runs a purpose-made program, follows it, and
//! compares what the ledger holds with the program's own bookkeeping and with /proc.
//!
//! Needs root (`cargo xtask test` starts it through sudo). Where the machine refuses root's
//! programs, each test says `SKIPPED: ` and the kernel's reason.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking, and show what they measured"
)]

#[path = "kernel/audits.rs"]
mod audits;
#[path = "kernel/binary.rs"]
mod binary;
#[path = "kernel/bounds.rs"]
mod bounds;
#[path = "kernel/calls.rs"]
mod calls;
#[path = "kernel/check.rs"]
mod check;
#[path = "kernel/command.rs"]
mod command;
#[path = "kernel/compat.rs"]
mod compat;
#[path = "kernel/config.rs"]
mod config;
#[path = "kernel/exits.rs"]
mod exits;
#[path = "kernel/exports.rs"]
mod exports;
#[path = "kernel/findings.rs"]
mod findings;
#[path = "kernel/fork.rs"]
mod fork;
#[path = "kernel/full.rs"]
mod full;
#[path = "kernel/groups.rs"]
mod groups;
#[path = "kernel/invoker.rs"]
mod invoker;
#[path = "kernel/lives.rs"]
mod lives;
#[path = "kernel/loss.rs"]
mod loss;
#[path = "kernel/marks.rs"]
mod marks;
#[path = "kernel/names.rs"]
mod names;
#[path = "kernel/oracle.rs"]
mod oracle;
#[path = "kernel/own.rs"]
mod own;
#[path = "kernel/page.rs"]
mod page;
#[path = "kernel/policies.rs"]
mod policies;
#[path = "kernel/program.rs"]
mod program;
#[path = "kernel/race.rs"]
mod race;
#[path = "kernel/real.rs"]
mod real;
#[path = "kernel/recording.rs"]
mod recording;
#[path = "kernel/refused.rs"]
mod refused;
#[path = "kernel/replayed.rs"]
mod replayed;
#[path = "kernel/report.rs"]
mod report;
#[path = "kernel/saves.rs"]
mod saves;
#[path = "kernel/scale.rs"]
mod scale;
#[path = "kernel/screen.rs"]
mod screen;
#[path = "kernel/sudo.rs"]
mod sudo;
#[path = "kernel/targets.rs"]
mod targets;
#[path = "kernel/verbs.rs"]
mod verbs;
#[path = "kernel/verifier.rs"]
mod verifier;
#[path = "kernel/waits.rs"]
mod waits;
#[path = "kernel/watch.rs"]
mod watch;
