//! Arbitrary events.
