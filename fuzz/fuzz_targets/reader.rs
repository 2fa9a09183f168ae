//! A file of any bytes is opened as a recording, and played to its end.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inspector::trace::fuzz::reader(bytes));
