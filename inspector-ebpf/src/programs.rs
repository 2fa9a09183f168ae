//! The programs, by what they watch. Each is loaded and attached by itself.

mod call;
mod control;
mod entry;
mod floor;
mod mark;
mod name;
mod table;
mod thread;
mod wait;
