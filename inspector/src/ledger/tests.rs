//! Tests of the ledger alone: a model of the kernel that it is compared with.

mod baseline;
mod findings;
mod model;
mod names;
mod past;
mod properties;
mod stories;
mod targets;
mod world;
