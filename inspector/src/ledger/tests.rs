//! Stories of events: data in, text out.
