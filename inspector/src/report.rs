//! Judgements, findings, the whole ledger, and how their source fared, as text and as JSON.

#![forbid(unsafe_code)]

pub mod document;
pub mod finding;
pub mod json;
mod not_told;
pub mod source;
pub mod summary;
pub mod target;
pub mod text;
