//! Nothing but the target is reported, and nothing after the end.

use std::time::{Duration, Instant};

use inspector::{
    event::{Event, ThreadEvent, WaitEvent, What, id::Tgid},
    source::ebpf::load::LoadOptions,
};

use crate::{program::Program, watch::Watch};

/// The process an event is of.
fn process(event: &Event) -> Option<Tgid> {
    match &event.what {
        What::Thread(thread) => Some(match *thread {
            ThreadEvent::Born { parent_tgid, .. } => parent_tgid,
            ThreadEvent::Renamed { tgid, .. }
            | ThreadEvent::Exec { tgid, .. }
            | ThreadEvent::Exiting { tgid, .. }
            | ThreadEvent::Gone { tgid, .. } => tgid,
        }),
        What::Handle(handle) => Some(handle.tgid),
        What::Table(table) => Some(table.tgid),
        What::Wait(wait) => Some(match **wait {
            WaitEvent::Ended { tgid, .. }
            | WaitEvent::Sample { tgid, .. }
            | WaitEvent::Futex { tgid, .. } => tgid,
        }),
        What::Mark(mark) => Some(mark.tgid),
        What::Scan(scan) => Some(scan.tgid),
        What::Named(named) => Some(named.tgid),
        What::Targets(targets) => Some(targets.tgid),
        What::Gap(_) | What::Tick | What::End(_) => None,
    }
}

#[test]
fn a_noisy_bystander_is_not_reported() {
    let mut target = Program::start("race");
    let mut noisy = [
        Program::start("race"),
        Program::start("waits"),
        Program::start("marks"),
    ];
    let mut marked = Program::start("marks");
    let Some(mut watch) = Watch::follow(&LoadOptions::default(), &target) else {
        return;
    };
    // Its program's sites are attached; the bystander passes the same ones.
    watch.also(marked.tgid()).unwrap();
    noisy[0].order("f 3000");
    noisy[1].order("die 100");
    noisy[2].order("fork");
    target.tell("o 500");
    marked.tell("pass");
    for program in &mut noisy {
        program.answer("noise");
    }
    watch.audit(true);
    let processes: Vec<Tgid> = watch.events.iter().filter_map(process).collect();
    let ours = [target.tgid(), marked.tgid()];
    assert!(ours.iter().all(|tgid| processes.contains(tgid)));
    assert!(
        processes.iter().all(|tgid| ours.contains(tgid)),
        "{processes:?}"
    );
}

#[test]
fn after_stop_no_event_is_accepted() {
    let mut target = Program::start("race");
    // A machine that is busy with other things gets a second and a third try.
    let mut took = Duration::MAX;
    for _ in 0..3 {
        let Some(mut watch) = Watch::follow(&LoadOptions::default(), &target) else {
            return;
        };
        target.order("o 1000");
        let asked = Instant::now();
        watch.stop();
        took = took.min(asked.elapsed());
        let events = watch.events.len();
        assert!(matches!(watch.events[events - 1].what, What::End(_)));
        target.answer("race");
        watch.take_for(Duration::from_millis(100));
        assert_eq!(watch.events.len(), events, "events after the end");
        let joining = Instant::now();
        watch.join();
        println!("end after {took:?}, detached after {:?}", joining.elapsed());
        if took < Duration::from_millis(100) {
            return;
        }
    }
    panic!("the end came after {took:?}");
}
