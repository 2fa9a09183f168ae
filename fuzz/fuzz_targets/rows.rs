//! Any bytes are rows that come back as they were, or none.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inspector::trace::fuzz::rows(bytes));
