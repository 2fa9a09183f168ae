//! Judgements, and how their source fared, as text lines and as JSON.

pub mod json;
pub mod source;
pub mod text;
