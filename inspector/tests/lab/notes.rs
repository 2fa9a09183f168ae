//! The marks are in the program as ordinary USDT notes.

use std::collections::BTreeMap;

use inspector_ebpf::abi::mark::code;
use object::{Object, ObjectSection};

/// Probe → (address of its site, its arguments), of provider `lifecycle`.
fn probes(bytes: &[u8]) -> BTreeMap<String, Vec<(u64, String)>> {
    let file = object::File::parse(bytes).unwrap();
    let notes = file.section_by_name(".note.stapsdt").unwrap();
    let mut rest = notes.data().unwrap();
    let mut probes: BTreeMap<String, Vec<_>> = BTreeMap::new();
    while rest.len() >= 12 {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap()) as usize;
        let (name, desc) = (word(0), word(4));
        let from = 12 + name.next_multiple_of(4);
        let desc_bytes = &rest[from..from + desc];
        let site = u64::from_le_bytes(desc_bytes[..8].try_into().unwrap());
        let texts: Vec<_> = desc_bytes[24..]
            .split(|&byte| byte == 0)
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect();
        if texts[0] == "lifecycle" {
            probes
                .entry(texts[1].clone())
                .or_default()
                .push((site, texts[2].clone()));
        }
        rest = &rest[from + desc.next_multiple_of(4)..];
    }
    probes
}

#[test]
fn every_probe_is_there_once_on_a_one_byte_nop() {
    let bytes = std::fs::read(crate::program()).unwrap();
    let probes = probes(&bytes);
    let mut expected = code::NAMES;
    expected.sort_unstable();
    assert_eq!(probes.keys().collect::<Vec<_>>(), expected.each_ref());

    let file = object::File::parse(&*bytes).unwrap();
    let text = file.section_by_name(".text").unwrap();
    let code = text.data().unwrap();
    let args = BTreeMap::from([
        ("store_begin", 4),
        ("store_end", 4),
        ("own", 5),
        ("delete_begin", 4),
        ("delete_unlink", 3),
        ("delete_end", 3),
    ]);
    for (name, sites) in &probes {
        assert_eq!(sites.len(), 1, "{name}: one site each");
        let (site, arguments) = &sites[0];
        assert_eq!(
            arguments.split(' ').count(),
            args[name.as_str()],
            "{name}: {arguments}"
        );
        let at = usize::try_from(site - text.address()).unwrap();
        assert_eq!(code[at], 0x90, "{name}: the site is a one-byte nop");
    }
}
