//! A source and whatever judges its events, as the harness's [`Detection`].
//!
//! It has no thread of its own: the harness asks often, and what a source sends meanwhile waits
//! in its bounded channel, behind that in the kernel's ring.

use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::sync::{
    mpsc::{self, error::TryRecvError},
    oneshot,
};

use super::{
    detection::{Detection, Fallen},
    protocol::{ToldMark, ToldWhat},
};
use crate::event::{
    Batch, BootTime, Event, Mark, What,
    id::{Fd, Tgid, Tid},
    mark::{Declared, Key, MapId, Owned},
    text::Text,
};

/// How long a source may take to send what happened so far.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks while it is waited for.
const LOOK: Duration = Duration::from_micros(200);

/// A source at work on one child.
pub struct Watch<'a, D, T> {
    label: String,
    repeats: Option<Tgid>,
    batches: &'a mut mpsc::Receiver<Batch>,
    drain: D,
    take: T,
    fallen: Vec<Fallen>,
    ended: Option<String>,
}

impl<'a, D, T> Watch<'a, D, T>
where
    D: FnMut(oneshot::Sender<()>) -> anyhow::Result<()>,
    T: FnMut(&Batch) -> Vec<Fallen>,
{
    /// `label` names the source in every output. `repeats` is the child, if it must repeat its
    /// marks because the source cannot see them. `drain` asks the source to send everything that
    /// has happened so far and then to answer; `take` takes a batch into the pipeline and gives
    /// back what fell.
    pub fn new(
        label: String,
        repeats: Option<Tgid>,
        batches: &'a mut mpsc::Receiver<Batch>,
        drain: D,
        take: T,
    ) -> Self {
        Self {
            label,
            repeats,
            batches,
            drain,
            take,
            fallen: Vec::new(),
            ended: None,
        }
    }
}

impl<D, T> Detection for Watch<'_, D, T>
where
    D: FnMut(oneshot::Sender<()>) -> anyhow::Result<()>,
    T: FnMut(&Batch) -> Vec<Fallen>,
{
    fn label(&self) -> &str {
        &self.label
    }

    fn wants_marks(&self) -> bool {
        self.repeats.is_some()
    }

    fn told(&mut self, marks: &[ToldMark]) -> anyhow::Result<()> {
        let Some(tgid) = self.repeats else {
            return Ok(());
        };
        // A reading first: what the marks speak of must have been seen to be found.
        self.quiet()?;
        self.fallen.extend((self.take)(&repeated(tgid, marks)));
        Ok(())
    }

    fn quiet(&mut self) -> anyhow::Result<()> {
        let (answer, mut answered) = oneshot::channel();
        (self.drain)(answer)?;
        let until = Instant::now() + PATIENCE;
        loop {
            let done = match answered.try_recv() {
                Ok(()) => true,
                Err(oneshot::error::TryRecvError::Empty) => false,
                Err(oneshot::error::TryRecvError::Closed) => {
                    self.receive();
                    bail!(self.ended.clone().unwrap_or_else(|| {
                        "the source ended while it should send what it had".to_owned()
                    }));
                }
            };
            // After the answer everything is in the channel, so this look is the last needed.
            self.receive();
            if done {
                return Ok(());
            }
            if let Some(ended) = &self.ended {
                bail!(ended.clone());
            }
            if Instant::now() >= until {
                bail!(
                    "the source did not send what it had within {} s",
                    PATIENCE.as_secs()
                );
            }
            std::thread::sleep(LOOK);
        }
    }

    fn fallen(&mut self) -> anyhow::Result<Vec<Fallen>> {
        self.receive();
        match &self.ended {
            // What fell before the end is told before it.
            Some(ended) if self.fallen.is_empty() => bail!(ended.clone()),
            _ => Ok(std::mem::take(&mut self.fallen)),
        }
    }
}

impl<D, T: FnMut(&Batch) -> Vec<Fallen>> Watch<'_, D, T> {
    /// Takes in what has come.
    fn receive(&mut self) {
        loop {
            match self.batches.try_recv() {
                Ok(batch) => {
                    self.fallen.extend((self.take)(&batch));
                    if let Some(why) = batch.events.iter().find_map(end) {
                        self.ended = Some(format!("the source ended: {why}"));
                    }
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.ended
                        .get_or_insert_with(|| "the source ended".to_owned());
                    return;
                }
            }
        }
    }
}

fn end(event: &Event) -> Option<&str> {
    match &event.what {
        What::End(end) => Some(end.error.as_deref().unwrap_or("its target is gone")),
        _ => None,
    }
}

/// The marks that the child `tgid` repeated, as the events they would have been under a source
/// that sees them.
pub(super) fn repeated(tgid: Tgid, marks: &[ToldMark]) -> Batch {
    Batch {
        events: marks.iter().map(|mark| event(tgid, mark)).collect(),
    }
}

fn event(tgid: Tgid, told: &ToldMark) -> Event {
    let what = match &told.what {
        ToldWhat::StoreBegin => Declared::StoreBegin { span: None },
        ToldWhat::StoreEnd => Declared::StoreEnd { span: None },
        ToldWhat::OwnHandle { handle } => Declared::Own(Owned::Handle(Fd(*handle))),
        ToldWhat::OwnThread { thread } => Declared::Own(Owned::Thread(Tid(*thread))),
        ToldWhat::DeleteBegin { policy } => Declared::DeleteBegin {
            policy: Some(Text::from(policy.as_bytes())),
        },
        ToldWhat::DeleteUnlink => Declared::DeleteUnlink,
        ToldWhat::DeleteEnd => Declared::DeleteEnd,
    };
    Event {
        at: BootTime(told.at_ns),
        what: What::Mark(Box::new(Mark {
            tid: Tid(told.tid),
            tgid,
            map: MapId(told.map),
            key: Key::whole(told.key.as_bytes()),
            what,
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::SourceEnd,
        lab::detection::{Claim, Named, Said},
    };

    type Senders = std::sync::mpsc::Receiver<oneshot::Sender<()>>;

    /// A watch that shows the events it takes, and the far ends of its channels.
    fn watch() -> (impl Detection, mpsc::Sender<Batch>, Senders) {
        let (sender, batches) = mpsc::channel(8);
        let batches = Box::leak(Box::new(batches));
        let (asks, asked) = std::sync::mpsc::channel();
        let fallen = |event: &Event| Fallen {
            claim: Claim {
                key: Vec::new(),
                generation: 1,
                resource: Named::Thread { tid: 1 },
                said: Said::Unknown,
            },
            text: format!("{} {:?}", event.at.0, event.what),
            grounds: String::new(),
            json: serde_json::Value::Null,
        };
        let watch = Watch::new(
            "test".to_owned(),
            Some(Tgid(7)),
            batches,
            move |answer| Ok(asks.send(answer)?),
            move |batch: &Batch| batch.events.iter().map(fallen).collect(),
        );
        (watch, sender, asked)
    }

    fn tick(at: u64) -> Batch {
        let event = Event {
            at: BootTime(at),
            what: What::Tick,
        };
        Batch {
            events: vec![event],
        }
    }

    fn texts(watch: &mut impl Detection) -> Vec<String> {
        let fallen = watch.fallen().unwrap();
        fallen.into_iter().map(|fallen| fallen.text).collect()
    }

    #[test]
    fn what_was_sent_before_the_answer_is_taken_before_quiet_returns() {
        let (mut watch, sender, asked) = watch();
        let source = std::thread::spawn(move || {
            let answer = asked.recv().unwrap();
            // More than the channel holds: whoever waits for the answer must take meanwhile.
            for at in 0..100 {
                sender.blocking_send(tick(at)).unwrap();
            }
            answer.send(()).unwrap();
            sender
        });
        watch.quiet().unwrap();
        assert_eq!(texts(&mut watch).len(), 100);
        source.join().unwrap();
    }

    #[test]
    fn repeated_marks_become_events_in_order() {
        let (mut watch, sender, asked) = watch();
        let source = std::thread::spawn(move || {
            let answer = asked.recv().unwrap();
            sender.blocking_send(tick(9)).unwrap();
            answer.send(()).unwrap();
            sender
        });
        let told = |at_ns, what| ToldMark {
            at_ns,
            tid: 8,
            map: 1,
            key: "k".to_owned(),
            what,
        };
        let marks = [
            told(1, ToldWhat::StoreBegin),
            told(2, ToldWhat::OwnHandle { handle: 5 }),
        ];
        watch.told(&marks).unwrap();
        source.join().unwrap();
        let texts = texts(&mut watch);
        assert_eq!(texts[0], "9 Tick", "the reading comes first");
        assert!(texts[1].starts_with("1 Mark(Mark { tid: Tid(8), tgid: Tgid(7), map: MapId(1)"));
        assert!(texts[1].contains("StoreBegin { span: None }"));
        assert!(texts[2].contains("Own(Handle(Fd(5)))"));
    }

    #[test]
    fn a_source_that_ends_is_an_error_after_its_last_events() {
        let (mut watch, sender, asked) = watch();
        let last = Event {
            at: BootTime(3),
            what: What::End(Box::new(SourceEnd {
                error: Some("its ring broke".to_owned()),
                counts: Vec::new(),
            })),
        };
        let batch = Batch { events: vec![last] };
        sender.blocking_send(batch).unwrap();
        assert_eq!(texts(&mut watch).len(), 1);
        let error = watch.fallen().unwrap_err().to_string();
        assert_eq!(error, "the source ended: its ring broke");
        drop((sender, asked));
        assert!(watch.quiet().is_err());
    }
}
