//! Judgements as text lines and as JSON.

pub mod json;
pub mod text;
