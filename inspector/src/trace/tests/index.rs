//! The index of a damaged recording: it changes nothing of what is read, and is believed nothing that
//! the recording contradicts.

use std::{fs, path::Path, sync::Arc};

use super::{STORY, record, replay, state};
use crate::{
    pipeline::story::Cast,
    trace::{
        block::HEADER,
        index::Index,
        read::{IndexUse, Limits, Recording, index_path},
        write::Options,
    },
};

/// A recording of a story, one block of whose content and one header are overwritten.
fn damaged(path: &Path) {
    let longer = format!("{STORY} 3400 100 open 8 file\n3800 100 open 9 file\n4200 100 tick");
    record(path, Options::default(), Cast::default().batches(&longer));
    let recording = Recording::open(path, Limits::default()).unwrap();
    let events: Vec<_> = recording
        .blocks()
        .iter()
        .filter(|block| block.header.digest.events > 0)
        .map(|block| block.offset as usize)
        .collect();
    assert!(events.len() > 2, "{events:?}");
    let mut bytes = fs::read(path).unwrap();
    bytes[events[0] + HEADER + 3] ^= 0xff;
    bytes[events[1] + 20] ^= 0xff;
    fs::write(path, bytes).unwrap();
}

/// What a recording comes to, and what of it is damaged.
fn read(path: &Path) -> (IndexUse, String) {
    let recording = Arc::new(Recording::open(path, Limits::default()).unwrap());
    let (pipeline, fallen) = replay(&recording);
    let mut reads = recording.reads();
    reads.by_ref().for_each(drop);
    let (damage, cost) = (recording.damage(), reads.damaged());
    let all = format!("{damage:?} {cost:?} {fallen:?} {}", state(&pipeline));
    (recording.index().clone(), all)
}

#[test]
fn an_index_changes_nothing_of_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.rec");
    damaged(&path);
    let bytes = fs::read(&path).unwrap();
    let (index, before) = read(&path);
    assert_eq!(index, IndexUse::None);
    let index = Index::of(&Recording::open(&path, Limits::default()).unwrap()).unwrap();
    assert!(!index.is_whole());
    assert_eq!((index.lost.blocks, index.segments[0].bad.len()), (2, 1));
    assert_eq!(index.segments[0].damage.len(), 1);
    fs::write(index_path(&path), serde_json::to_vec(&index).unwrap()).unwrap();
    assert_eq!(read(&path), (IndexUse::Used, before));
    assert_eq!(fs::read(&path).unwrap(), bytes);
    let anew = Recording::open_anew(&path, Limits::default()).unwrap();
    assert_eq!(Index::of(&anew).unwrap(), index);
}

#[test]
fn a_whole_recordings_index_tells_of_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.rec");
    record(&path, Options::default(), Cast::default().batches(STORY));
    let (_, before) = read(&path);
    let index = Index::of(&Recording::open(&path, Limits::default()).unwrap()).unwrap();
    assert!(index.is_whole());
    fs::write(index_path(&path), serde_json::to_vec(&index).unwrap()).unwrap();
    assert_eq!(read(&path), (IndexUse::Used, before));
}

/// Makes an index wrong.
type Change = fn(&mut Index);

#[test]
fn an_index_that_is_wrong_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.rec");
    damaged(&path);
    let (_, before) = read(&path);
    let right = Index::of(&Recording::open(&path, Limits::default()).unwrap()).unwrap();
    let changes: [(&str, Change); 9] = [
        ("not in the form", |index| index.schema.push('0')),
        ("of another recording", |index| {
            index.recording.replace_range(..1, "x");
        }),
        ("longer or shorter", |index| index.segments[0].bytes += 1),
        ("longer or shorter", |index| index.segments.clear()),
        // One left out, one moved, one beyond the end, one twice.
        ("wrong about the block", |index| {
            index.segments[0].blocks.remove(1);
        }),
        ("wrong about the block", |index| {
            index.segments[0].blocks.pop();
        }),
        ("wrong about the block", |index| {
            index.segments[0].blocks[1] += 1;
        }),
        ("wrong about the block", |index| {
            index.segments[0].blocks.push(u64::MAX);
        }),
        ("calls block 0 bad", |index| {
            let first = index.segments[0].blocks[0];
            index.segments[0].bad.push(first);
        }),
    ];
    for (why, change) in changes {
        let mut index = right.clone();
        change(&mut index);
        fs::write(index_path(&path), serde_json::to_vec(&index).unwrap()).unwrap();
        let (told, all) = read(&path);
        assert!(
            matches!(&told, IndexUse::Ignored(told) if told.contains(why)),
            "{why}: {told:?}"
        );
        assert_eq!(all, before, "{why}");
    }
    for garbage in [&b""[..], b"{", b"[]", b"\xff\xfe", b"{\"segments\":[{}]}"] {
        fs::write(index_path(&path), garbage).unwrap();
        let (told, all) = read(&path);
        assert!(matches!(told, IndexUse::Ignored(_)), "{told:?}");
        assert_eq!(all, before);
    }
}
