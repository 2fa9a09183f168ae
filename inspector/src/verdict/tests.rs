//! Stories of deletes: the clock, the rules of ownership, and what is not known.

mod clock;
mod doubt;
mod ownership;
