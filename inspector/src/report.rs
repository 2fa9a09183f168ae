//! Judgements, and how their source fared, as text lines and as JSON.

#![forbid(unsafe_code)]

pub mod finding;
pub mod json;
pub mod source;
pub mod target;
pub mod text;
