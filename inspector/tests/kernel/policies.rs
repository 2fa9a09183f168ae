//! The delete policies under the real probes: every verdict right, and wrong once a probe that
//! verdicts need is missing.
