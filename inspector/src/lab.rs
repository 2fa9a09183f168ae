//! The reference lifecycle map workload: a child process whose keys own real threads and
//! descriptors, driven and judged from outside.
//!
//! Two sides live here and share only [`protocol`]. In the **child**: [`child`] takes orders,
//! `map`, [`entry`] and [`policy`] are what a run is made of, `mark` declares it all through
//! the public USDT provider `lifecycle`. In the **harness**: [`process`] starts the child as the
//! account that [`account`] chose, [`oracle`] reads the truth from /proc and kcmp, [`harness`]
//! plays a [`scenario`] or a plain policy run, [`score`] compares what detection said with the
//! truth. Detection sees nothing of the child but its marks. Where a person plays instead of the
//! harness, [`driver`] owns the child.

pub mod account;
pub mod child;
pub mod detection;
pub mod driver;
pub mod entry;
pub mod expect;
pub mod harness;
mod map;
mod mark;
pub mod oracle;
pub mod plan;
pub mod policy;
pub mod print;
pub mod process;
pub mod protocol;
pub mod scenario;
pub mod score;
mod told;
pub mod watch;
mod wire;

pub use map::MapKind;
