//! Judgements, findings, the whole ledger, and how their source fared: as text, as JSON and as a page. And two runs compared.

#![forbid(unsafe_code)]

pub mod diff;
pub mod document;
pub mod finding;
pub mod history;
pub mod html;
pub mod json;
mod not_told;
pub mod source;
pub mod summary;
pub mod target;
pub mod text;
