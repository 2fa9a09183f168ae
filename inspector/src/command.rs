//! The verbs: wiring only, one file each.

pub mod doctor;
