//! Decoding of records.
