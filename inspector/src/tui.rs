//! The interactive screen.

pub mod keymap;
