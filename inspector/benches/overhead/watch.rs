//! inspector's own source at work beside a program.

use anyhow::{Context as _, ensure};
use inspector::{
    event::id::Tgid,
    source::{
        Request, Running,
        ebpf::{load::LoadOptions, start},
        probe_set::ProbeSetKind,
    },
};
use tokio::sync::oneshot;

/// inspector's own source, watching one program; what it tells is received and thrown away.
pub(crate) struct Watch {
    running: Running,
}

impl Watch {
    pub(crate) fn start(
        set: ProbeSetKind,
        without: &[String],
        target: Tgid,
    ) -> anyhow::Result<Self> {
        let options = LoadOptions {
            set,
            without: without.to_vec(),
            ..LoadOptions::default()
        };
        let mut running = start::start(&options)?;
        let (done, answer) = oneshot::channel();
        running
            .requests
            .send(Request::Follow { tgid: target, done })?;
        let followed = answer.blocking_recv()?;
        ensure!(followed.is_ok(), "can't follow: {followed:?}");
        let (sender, batches) = tokio::sync::mpsc::channel(1);
        drop(sender);
        let mut received = std::mem::replace(&mut running.batches, batches);
        // The reader is a thread of this process, as in the real tool.
        let (sender, batches) = tokio::sync::mpsc::channel(1);
        running.batches = batches;
        std::thread::spawn(move || {
            while let Some(batch) = received.blocking_recv() {
                let last = batch.events.into_iter().last();
                if let Some(last) = last
                    && matches!(last.what, inspector::event::What::End(_))
                {
                    let events = vec![last];
                    let _asker_may_be_gone =
                        sender.blocking_send(inspector::event::Batch { events });
                }
            }
        });
        Ok(Self { running })
    }

    /// Ends it; returns how many records were lost.
    pub(crate) fn stop(self) -> anyhow::Result<u64> {
        let Self { mut running } = self;
        // One whose target has ended does not listen any more.
        let _may_have_ended = running.requests.send(Request::Stop);
        let batch = running
            .batches
            .blocking_recv()
            .context("the source ends with its counts")?;
        running.thread.join().ok();
        let lost = batch.events.iter().map(|event| match &event.what {
            inspector::event::What::End(end) => {
                end.counts.iter().map(|(_, count)| count.lost).sum()
            }
            _ => 0,
        });
        Ok(lost.sum())
    }
}
