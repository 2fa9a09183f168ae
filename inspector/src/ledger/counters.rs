//! Sums over everything the ledger was told. They add up: what was ever met is alive, kept dead,
//! or forgotten.

/// The ledger's sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Events applied.
    pub events: u64,
    /// Threads ever met.
    pub threads: u64,
    /// Of these, those that nothing announced.
    pub threads_unseen: u64,
    /// Dead threads that the retention rule has forgotten.
    pub threads_forgotten: u64,
    /// Descriptors ever met.
    pub handles: u64,
    /// Of these, those that nothing announced.
    pub handles_unseen: u64,
    /// Closed descriptors that the retention rule has forgotten.
    pub handles_forgotten: u64,
    /// Entries ever met.
    pub entries: u64,
    /// Deleted entries that the retention rule has forgotten.
    pub entries_forgotten: u64,
    /// Tables ever met.
    pub tables: u32,
    /// Closes of a descriptor whose birth never came.
    pub closes_of_unseen: u64,
    /// Closes of numbers that were not open (EBADF).
    pub closes_refused: u64,
    /// Births refused for want of descriptors.
    pub births_refused: u64,
    /// Descriptors whose number was left ambiguous, ever.
    pub ambiguous: u64,
    /// Descriptors that a reference count showed to refer to something else than believed.
    pub parted: u64,
    /// Times the kernel named another table than the ledger believed.
    pub wrong_tables: u64,
    /// End and unlink marks without their begin.
    pub marks_without_begin: u64,
    /// `own` marks of resources that are not known.
    pub owns_of_nothing: u64,
    /// Deletes of keys whose delete had ended.
    pub deletes_of_nothing: u64,
    /// Events that cannot be true.
    pub nonsense: u64,
}
