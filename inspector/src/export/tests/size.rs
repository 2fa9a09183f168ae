//! How large each format is, on a window such as a busy server's.

use std::{fmt::Write as _, time::Instant};

use super::{Told, keeping_everything, subject, write_in};
use crate::{event::Batch, export::Format, pipeline::story::Cast, trace::read::Read};

/// Keys with a thread and three descriptors each, and ten waits of that thread.
fn busy(keys: u64) -> String {
    let mut story = String::new();
    for key in 0..keys {
        let (ms, tid) = (1_000 + key, 1_000 + key % 500);
        let fd = 10 + key % 500 * 3;
        writeln!(story, "{ms} 100 store-begin key-{}", key % 500).unwrap();
        writeln!(story, "{ms}.01 100 thread {tid}").unwrap();
        for number in 0..3 {
            writeln!(
                story,
                "{ms}.0{} 100 open {} socket",
                number + 2,
                fd + number
            )
            .unwrap();
        }
        writeln!(story, "{ms}.05 100 store-end key-{}", key % 500).unwrap();
        for wait in 0..10 {
            let line =
                format!("{ms}.2{wait}5 {tid} waited in=202 since={ms}.2{wait} on=4096 by=100:1");
            writeln!(story, "{line}").unwrap();
        }
        writeln!(story, "{ms}.4 100 delete-begin key-{}", key % 500).unwrap();
        for number in 0..3 {
            writeln!(story, "{ms}.5{number} 100 close {} refs=1", fd + number).unwrap();
        }
        writeln!(story, "{ms}.6 100 delete-end key-{}", key % 500).unwrap();
        writeln!(story, "{ms}.7 {tid} exiting").unwrap();
        writeln!(story, "{ms}.71 {tid} gone").unwrap();
    }
    story
}

#[test]
fn an_event_takes_so_many_bytes() {
    let story = busy(2_000);
    let told = Told {
        story: &story,
        since_ms: 1_000,
        until_ms: 10_000,
        ..Told::default()
    };
    let batches: Vec<Batch> = Cast::default().batches(&story).collect();
    let most = [
        (Format::Perfetto, 150),
        (Format::Chrome, 500),
        (Format::Jsonl, 250),
        (Format::Ctf, 150),
        #[cfg(feature = "sqlite")]
        (Format::Sqlite, 600),
        #[cfg(feature = "parquet")]
        (Format::Parquet, 40),
    ];
    for (format, most) in most {
        let folder = tempfile::tempdir().unwrap();
        let mut again = batches.iter().cloned().map(Read::Batch);
        let began = Instant::now();
        let subject = subject(keeping_everything(), &mut again, &told);
        let totals = write_in(format, subject, folder.path()).unwrap();
        let each = totals.bytes / totals.events;
        println!(
            "{format:?}: {each} bytes an event, {:?}: {totals}",
            began.elapsed()
        );
        assert_eq!(totals.events, batches.len() as u64);
        assert!((most / 3..most).contains(&each), "{format:?}: {each}");
    }
}
