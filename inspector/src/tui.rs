//! The interactive screen: messages in, a changed model, cells and effects out.
//!
//! [`update::update`] is the only writer of the [`model::Model`]; [`view::draw`] is pure; what is
//! to be done is returned as an [`message::Effect`] and done by [`app`]. Keys are looked up in one
//! table ([`keymap`]), and colours stand in [`theme`] alone.

#![forbid(unsafe_code)]

pub mod alarm;
pub mod app;
pub mod chronicle;
mod dump;
pub mod filter;
pub mod history;
pub mod keymap;
pub mod layout;
pub mod message;
pub mod model;
pub mod output;
pub mod replay;
pub mod rows;
pub mod story;
pub mod subject;
pub mod table;
pub mod tape;
mod terminal;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod triage;
pub mod update;
pub mod view;
pub mod watched;
pub mod words;
pub mod world;
