//! Damage costs exactly the blocks it hits, whatever and wherever it is.

use std::fs;

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::story::whole;
use crate::trace::{
    block::HEADER,
    read::{Limits, OpenError, Recording},
};

#[test]
fn each_bit_of_a_header_and_each_block_may_flip() {
    let whole = whole(40, 6_000);
    assert!(whole.files.len() >= 3, "{} segments", whole.files.len());
    whole.check(&whole.recording, &[], "whole");
    for (place, (_, bytes)) in whole.files.iter().enumerate() {
        let blocks = whole.recording.blocks().iter();
        for block in blocks.filter(|block| block.segment == place) {
            let offset = block.offset as usize;
            let content = block.header.stored_len as usize;
            let in_content = [HEADER, HEADER + content / 2, HEADER + content - 1];
            for at in [0, 8, 12, 16, 24, 36].into_iter().chain(in_content) {
                let mut changed = bytes.clone();
                changed[offset + at] ^= 1 << (at % 8);
                let hit = whole.hit(place, &changed);
                assert_eq!(hit.len(), 1);
                let what = format!("byte {at} of {block:?}");
                whole.check(&whole.damaged(&[(place, changed)]), &hit, &what);
            }
        }
        // The segment's header.
        for at in 0..64 {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let what = format!("byte {at} of segment {place}");
            whole.check(&whole.damaged(&[(place, changed)]), &[], &what);
        }
    }
}

#[test]
fn garbage_anywhere_costs_the_blocks_it_hits() {
    let whole = whole(30, 6_000);
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    for run in 0..600 {
        let place = random.next_u32() as usize % whole.files.len();
        let mut changed = whole.files[place].1.clone();
        let at = random.next_u32() as usize % (changed.len() - 64);
        random.fill_bytes(&mut changed[at..at + 64]);
        let hit = whole.hit(place, &changed);
        let what = format!("run {run}: 64 bytes at {at} of segment {place}, {hit:?}");
        whole.check(&whole.damaged(&[(place, changed)]), &hit, &what);
    }
}

#[test]
fn what_is_cut_off_costs_what_is_not_there() {
    let whole = whole(5, 1 << 20);
    assert_eq!(whole.files.len(), 1);
    let (path, bytes) = &whole.files[0];
    for len in 0..bytes.len() {
        let cut = &bytes[..len];
        let is_there = |block: &&crate::trace::read::Block| (block.offset as usize) < len;
        let begun: Vec<_> = whole.recording.blocks().iter().filter(is_there).collect();
        if begun.len() < 2 && whole.hit(0, cut).len() == whole.recording.blocks().len() {
            fs::write(path, cut).unwrap();
            let opened = Recording::open(path, Limits::default());
            assert!(
                matches!(opened, Err(OpenError::NoRecording { .. })),
                "{len}"
            );
            continue;
        }
        let damaged = whole.damaged(&[(0, cut.to_vec())]);
        assert!(!damaged.is_clean(), "{len}");
        let mut reads = damaged.reads();
        let read = reads.by_ref().count();
        let is_cut = damaged.damage().len() as u64;
        assert_eq!(reads.damaged().blocks, is_cut, "{len}");
        assert_eq!(
            damaged.blocks().len() as u64 + is_cut,
            begun.len() as u64,
            "{len}"
        );
        assert!(read > 0 || damaged.blocks().len() < 2, "{len}");
    }
}

#[test]
fn a_missing_segment_is_told() {
    let whole = whole(40, 6_000);
    let (middle, last) = (1, whole.files.len() - 1);
    assert!(middle < last);
    fs::remove_file(&whole.files[middle].0).unwrap();
    let without = std::sync::Arc::new(Recording::open(whole.path(), Limits::default()).unwrap());
    let blocks = whole.recording.blocks().iter();
    let hit: Vec<_> = blocks
        .filter(|block| block.segment == middle)
        .copied()
        .collect();
    whole.check(&without, &hit, "a segment is missing");
}

#[test]
fn another_recordings_segments_are_left_alone() {
    let (one, other) = (whole(40, 6_000), whole(40, 6_000));
    assert!(one.files.len() > 1 && other.files.len() > 1);
    for damage in [false, true] {
        let mut first = one.files[0].1.clone();
        // Its header tells which is which, or else its blocks do.
        first[20] ^= u8::from(damage);
        fs::write(&one.files[0].0, first).unwrap();
        fs::copy(&other.files[1].0, one.folder.path().join("a.rec.77")).unwrap();
        let opened = std::sync::Arc::new(Recording::open(one.path(), Limits::default()).unwrap());
        one.check(&opened, &[], "beside another's");
    }
}

#[test]
fn a_ring_is_opened_by_its_first_name() {
    let whole = whole(40, 6_000);
    fs::remove_file(&whole.files[0].0).unwrap();
    let rest = std::sync::Arc::new(Recording::open(whole.path(), Limits::default()).unwrap());
    let mut reads = rest.reads();
    assert!(reads.by_ref().count() > 0);
    // What made room is no damage.
    assert_eq!(reads.damaged(), crate::trace::read::Damaged::default());
}
