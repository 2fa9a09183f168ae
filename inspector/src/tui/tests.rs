//! Tests of the screen: stories in, cells and effects out.

mod any;
mod drive;
mod hostile;
mod look;
mod mouse;
mod moving;
mod pane;
mod screens;
pub(super) mod stage;
mod targets;
mod triage;
mod typing;
mod watching;
mod worlds;
