//! Stories of deletes.
