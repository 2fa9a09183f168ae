//! Reading anew what descriptors point at: of the handle that is selected, or of all that a group or
//! a process has.

use super::note;
use crate::{
    ledger::{handle::Descriptor, identity::HandleName},
    tui::{
        message::Effect,
        model::Model,
        rows::Rows,
        subject::Place,
        triage::{group::GroupKind, live_processes},
        words,
    },
};

/// What is to be read, by what is selected.
pub(super) fn asked(model: &mut Model) -> Vec<Effect> {
    let ledger = model.world().ledger();
    let of_handles = |rows: &Rows, row: usize| match rows {
        Rows::Triage(rows) => rows
            .get(row)
            .is_some_and(|row| matches!(row.kind, GroupKind::Handles(_))),
        _ => false,
    };
    let place = model.subject().map(|subject| subject.place);
    let (effects, text) = match place {
        Some(Place::Handle(handle)) => {
            let is_open = ledger.handle(handle).is_some_and(Descriptor::is_open);
            match ledger.handle_name(handle).filter(|_| is_open) {
                Some(HandleName { tgid, fd, .. }) => (
                    vec![Effect::Reread {
                        tgid,
                        fds: Some(vec![fd]),
                    }],
                    format!("reading what fd {fd} points at"),
                ),
                None => (
                    Vec::new(),
                    "it is closed: nobody can tell any more what it points at".to_owned(),
                ),
            }
        }
        Some(Place::Group(_)) if of_handles(&model.rows, model.table().row) => {
            let live = live_processes(ledger);
            let effects: Vec<_> = live
                .map(|(_, process)| Effect::Reread {
                    tgid: process.tgid,
                    fds: None,
                })
                .collect();
            let open = words::count(model.world().live().handles.into());
            (effects, format!("reading what {open} handles point at"))
        }
        _ => (
            Vec::new(),
            "select a handle, or a group of handles, to read anew what it points at".to_owned(),
        ),
    };
    note(model, text, false);
    effects
}
