//! Judgements as text lines and as JSON.

#![forbid(unsafe_code)]

pub mod json;
pub mod text;
