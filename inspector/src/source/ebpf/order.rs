//! Puts events into the order of the times at which they count.
//!
//! Ring order is arrival order: a birth is written at its call's exit, a death too, but a death
//! counts at its call's entry, and another thread may have been handed the number in between.
//! Times are read before the ring reserve, so they run backwards in the ring as well (by up to
//! 108 µs where it was measured). Events are held back for [`HOLD_NS`] and sorted; a death whose
//! call blocked for longer comes late, and the ledger knows what to do with it.

use crate::event::{BootTime, Event};

/// How long an event waits for an earlier one. Fifty times the worst disorder seen, and half the
/// reader's poll interval.
pub(super) const HOLD_NS: u64 = 5_000_000;

/// Events on their way.
#[derive(Debug, Default)]
pub(super) struct Order {
    held: Vec<Event>,
}

impl Order {
    /// Where decoded events go.
    pub(super) fn incoming(&mut self) -> &mut Vec<Event> {
        &mut self.held
    }

    /// Moves what counts before `before` to `out`, in order; what arrived first comes first among
    /// equals.
    pub(super) fn release(&mut self, before: BootTime, out: &mut Vec<Event>) {
        self.held.sort_by_key(|event| event.at);
        let ready = self.held.partition_point(|event| event.at < before);
        out.extend(self.held.drain(..ready));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::What;

    #[test]
    fn releases_in_the_order_of_time_and_keeps_what_is_too_young() {
        let mut order = Order::default();
        for at in [30, 10, 20, 40] {
            order.incoming().push(Event {
                at: BootTime(at),
                what: What::Tick,
            });
        }
        let mut out = Vec::new();
        order.release(BootTime(40), &mut out);
        assert_eq!(
            out.iter().map(|event| event.at.0).collect::<Vec<_>>(),
            [10, 20, 30]
        );
        assert_eq!(order.held.len(), 1);
        order.release(BootTime(u64::MAX), &mut out);
        assert_eq!(out.len(), 4);
        assert!(order.held.is_empty());
    }
}
