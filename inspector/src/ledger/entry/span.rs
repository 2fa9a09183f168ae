//! Store spans: what a thread stores while it makes things.

use crate::event::{Mark, id::BootTime};
use crate::ledger::{
    Ledger,
    arena::Key,
    entry::{Delete, Entry, Removal},
    process::Process,
    thread::Thread,
};

/// An open store span.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(in crate::ledger) struct OpenSpan {
    /// The entry being stored.
    pub(in crate::ledger) entry: Key<Entry>,
    /// The entry it overwrites.
    pub(super) replaces: Option<Key<Entry>>,
    /// The span's id.
    id: Option<u64>,
}

impl OpenSpan {
    /// The entries that it pins.
    pub(in crate::ledger) fn pinned(&self) -> impl Iterator<Item = Key<Entry>> {
        [Some(self.entry), self.replaces].into_iter().flatten()
    }
}

/// Where an open span with an id stands.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(in crate::ledger) struct OpenSpanId {
    thread: Key<Thread>,
    entry: Key<Entry>,
}

/// Most open spans, and most open deletes, of one thread.
const MOST_OPEN: usize = 64;
/// Most open spans with an id, of one process.
const MOST_SPAN_IDS: usize = 1 << 20;

impl Ledger {
    pub(in crate::ledger) fn store_begin(
        &mut self,
        thread: Key<Thread>,
        mark: &Mark,
        id: Option<u64>,
        at: BootTime,
    ) {
        let process = self.threads[thread].process;
        if let Some(id) = id
            && let Some(&open) = self.processes[process].spans.get(&id)
            && self.is_of(open.entry, mark)
        {
            self.continue_span(thread, process, id, open);
            return;
        }
        let latest = self.latest(process, mark.map, &mark.key);
        let mut replaces = None;
        let mut contested = false;
        if let Some(before) = latest {
            let record = &mut self.entries[before];
            match &record.delete {
                None => {
                    record.delete = Some(Delete {
                        begin: Some(at),
                        unlink: None,
                        end: None,
                        how: Removal::Overwritten,
                        deleters: 1,
                    });
                    replaces = Some(before);
                    self.finish_entry(before);
                }
                // Its unlink, if it was not told, may come after this store.
                Some(delete) => contested = delete.end.is_none() && delete.unlink.is_none(),
            }
        }
        let entry = self.add_entry(process, mark, Some(at));
        self.entries[entry].contested = contested;
        self.pin(entry);
        if let Some(replaces) = replaces {
            self.pin(replaces);
        }
        if let Some(id) = id
            && self.processes[process].spans.len() < MOST_SPAN_IDS
        {
            self.processes[process]
                .spans
                .insert(id, OpenSpanId { thread, entry });
        }
        self.works_for(thread, entry);
        let span = OpenSpan {
            entry,
            replaces,
            id,
        };
        let spans = &mut self.live_mut(thread).spans;
        spans.push(span);
        if spans.len() > MOST_OPEN {
            let outermost = spans.remove(0);
            self.drop_span(process, outermost);
        }
    }

    /// A span with an id goes on, on this thread.
    pub(in crate::ledger) fn continue_span(
        &mut self,
        thread: Key<Thread>,
        process: Key<Process>,
        id: u64,
        open: OpenSpanId,
    ) {
        if open.thread == thread {
            return;
        }
        let moved = self
            .threads
            .get_mut(open.thread)
            .and_then(|thread| thread.live.as_mut())
            .and_then(|live| {
                let place = live.spans.iter().rposition(|span| span.id == Some(id))?;
                Some(live.spans.remove(place))
            });
        let Some(span) = moved else {
            self.processes[process].spans.remove(&id);
            return;
        };
        self.works_for(thread, span.entry);
        self.live_mut(thread).spans.push(span);
        self.processes[process].spans.insert(
            id,
            OpenSpanId {
                thread,
                entry: open.entry,
            },
        );
    }

    pub(in crate::ledger) fn store_end(
        &mut self,
        thread: Key<Thread>,
        mark: &Mark,
        id: Option<u64>,
        at: BootTime,
    ) {
        let process = self.threads[thread].process;
        let holder = id
            .and_then(|id| self.processes[process].spans.get(&id))
            .map_or(thread, |open| open.thread);
        let place = self
            .threads
            .get(holder)
            .and_then(|holder| holder.live.as_ref())
            .and_then(|live| {
                live.spans
                    .iter()
                    .rposition(|span| span.id == id && self.is_of(span.entry, mark))
            });
        let Some(place) = place else {
            self.counters.marks_without_begin += 1;
            return;
        };
        let spans = &mut self.live_mut(holder).spans;
        let span = spans.remove(place);
        // A span of this thread that was opened within and never closed ends with it.
        let inner = if id.is_none() {
            spans.split_off(place)
        } else {
            Vec::new()
        };
        for span in inner {
            if span.id.is_some() {
                self.live_mut(holder).spans.push(span);
            } else {
                self.drop_span(process, span);
            }
        }
        self.entries[span.entry].stored = Some(at);
        if let Some(before) = span.replaces
            && let Some(delete) = &mut self.entries[before].delete
            && delete.how == Removal::Overwritten
            && delete.end.is_none()
        {
            delete.unlink = Some(at);
            self.delete_ended(before, at);
        }
        self.drop_span(process, span);
    }

    pub(in crate::ledger) fn drop_span(&mut self, process: Key<Process>, span: OpenSpan) {
        if let Some(id) = span.id {
            self.processes[process].spans.remove(&id);
        }
        self.unpin(span.entry);
        if let Some(replaces) = span.replaces {
            self.unpin(replaces);
        }
    }

    /// The thread's open spans and deletes end unfinished.
    pub(in crate::ledger) fn close_spans(&mut self, thread: Key<Thread>) {
        let process = self.threads[thread].process;
        let live = self.live_mut(thread);
        let spans = std::mem::take(&mut live.spans);
        let deletes = std::mem::take(&mut live.deletes);
        for span in spans {
            self.drop_span(process, span);
        }
        for entry in deletes {
            self.unpin(entry);
        }
    }
}
