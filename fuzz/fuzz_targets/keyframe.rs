//! Any bytes are a keyframe that any events may follow, or none.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inspector::trace::fuzz::keyframe(bytes));
