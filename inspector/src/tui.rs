//! The interactive screen.

pub mod filter;
pub mod keymap;
