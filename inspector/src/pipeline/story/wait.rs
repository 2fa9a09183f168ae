//! A story's lines about waits.

use super::{args::Args, args::time};
use crate::event::{
    WaitEvent,
    id::{BootTime, Tgid, Tid},
    wait::{Blocked, WaitSums, Waker},
};

/// `sample [in=CALL [since=MS] [on=FD]]`: what a thread does; `waited in=CALL since=MS [by=TID]`:
/// a wait that ended; `futex WORD WAITS [by=TID:TIMES]`: what is known of a word.
pub(super) fn wait(at: BootTime, tid: Tid, tgid: Tgid, verb: &str, args: &Args<'_>) -> WaitEvent {
    let by = args.wakers();
    let waker = by.first().map(|&(how, _)| Waker { how, at });
    let sums = WaitSums {
        count: by.iter().map(|(_, times)| times).sum(),
        ..WaitSums::default()
    };
    match verb {
        "sample" => WaitEvent::Sample {
            tid,
            tgid,
            blocked: blocked(args),
            ran: None,
            waker,
            sums,
        },
        "waited" => WaitEvent::Ended {
            tid,
            tgid,
            wait: blocked(args).unwrap(),
            waker,
        },
        _ => WaitEvent::Futex {
            tgid,
            address: args.count(0),
            sums: WaitSums {
                count: args.count(1),
                ..WaitSums::default()
            },
            wakers: args.wakers(),
        },
    }
}

fn blocked(args: &Args<'_>) -> Option<Blocked> {
    let on = args.value("on").map_or(0, |on| on.parse().unwrap());
    args.value("in").map(|call| Blocked {
        since: args.value("since").map(time),
        call: Some(call.parse().unwrap()),
        args: [on, 0, 0, 0],
    })
}
