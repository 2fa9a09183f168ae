//! The kernel's own type information is read right, and damaged bytes never panic.

use super::*;
use proptest::prelude::*;

/// A builder of small type information: the other half of the format, written independently.
#[derive(Default)]
struct Build {
    types: Vec<u8>,
    strings: Vec<u8>,
}

impl Build {
    fn string(&mut self, text: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        if text.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    fn add(&mut self, name: &str, kind: u8, flag: bool, count: u16, size: u32, data: &[u32]) {
        let name = self.string(name);
        let info = u32::from(kind) << 24 | u32::from(flag) << 31 | u32::from(count);
        for word in [name, info, size].iter().chain(data) {
            self.types.extend(word.to_ne_bytes());
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let types = self.types.len() as u32;
        for word in [24, 0, types, types, self.strings.len() as u32] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(&self.types);
        bytes.extend(&self.strings);
        bytes
    }
}

fn sample() -> Vec<u8> {
    let mut build = Build::default();
    let [a, b, c] = ["a", "b", "c"].map(|name| build.string(name));
    build.add("int", kind::INT, false, 0, 4, &[32]); // 1
    build.add("", kind::UNION, false, 1, 8, &[b, 1, 0]); // 2: anonymous { b }
    build.add("", kind::CONST, false, 0, 2, &[]); // 3: const of it
    build.add("s", kind::STRUCT, false, 2, 12, &[a, 1, 0, 0, 3, 32]); // 4
    build.add("s_t", kind::TYPEDEF, false, 0, 4, &[]); // 5
    let bit = 3 << 24 | 67; // a bit-field of 3 bits at bit 67
    build.add("outer", kind::STRUCT, true, 2, 24, &[c, 5, 64, a, 1, bit]); // 6
    build.add("", kind::FUNC_PROTO, false, 3, 0, &[0, 1, 0, 1, 0, 1]); // 7
    build.add("", kind::PTR, false, 0, 7, &[]); // 8
    build.add("btf_trace_happened", kind::TYPEDEF, false, 0, 8, &[]); // 9
    build.bytes()
}

#[test]
fn members_are_found_through_anonymous_ones_and_typedefs() {
    let bytes = sample();
    let btf = Btf::parse(&bytes).expect("well formed");
    assert_eq!(btf.types(), 10);
    assert_eq!(btf.member_offset("s", &["a"]), Some(0));
    assert_eq!(btf.member_offset("s", &["b"]), Some(4));
    assert_eq!(btf.member_offset("outer", &["c", "b"]), Some(12));
    assert_eq!(btf.member_offset("outer", &["a"]), None, "within a byte");
    assert_eq!(btf.member_offset("outer", &["c", "nothing"]), None);
    assert_eq!(btf.member_offset("s", &["a", "b"]), None, "an int has none");
    assert_eq!(
        btf.member_offset("s_t", &["a"]),
        None,
        "not a structure's tag"
    );
    assert_eq!(btf.tracepoint_args("happened"), Some(2));
    assert_eq!(btf.tracepoint_args("other"), None);
}

#[test]
fn every_truncation_is_an_error_or_an_answer() {
    let bytes = sample();
    for len in 0..bytes.len() {
        assert!(Btf::parse(&bytes[..len]).is_err(), "cut at {len}");
    }
    assert_eq!(Btf::parse(b"\x7fELF").err(), Some(BtfError::Magic(0x457f)));
}

#[test]
fn structures_that_hold_themselves_end() {
    let mut build = Build::default();
    let members: Vec<u32> = (0..1000).flat_map(|_| [0, 1, 0]).collect();
    build.add("s", kind::STRUCT, false, 1000, 8, &members); // every member is s itself, nameless
    build.add("t", kind::TYPEDEF, false, 0, 2, &[]); // its own definition
    let bytes = build.bytes();
    let btf = Btf::parse(&bytes).expect("well formed");
    assert_eq!(btf.member_offset("s", &["x"]), None);
}

#[test]
fn unknown_kinds_are_named() {
    let mut build = Build::default();
    build.add("new", 29, false, 0, 0, &[]);
    assert_eq!(
        Btf::parse(&build.bytes()).err(),
        Some(BtfError::Type { id: 1, kind: 29 })
    );
}

proptest! {
    #[test]
    fn garbled_bytes_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = sample();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(btf) = Btf::parse(&bytes) {
            btf.member_offset("outer", &["c", "b"]);
            btf.member_offset("s", &["x"]);
            btf.tracepoint_args("happened");
        }
    }

    #[test]
    fn any_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(start) = bytes.get_mut(..2) {
            start.copy_from_slice(&MAGIC.to_ne_bytes());
        }
        if let Ok(btf) = Btf::parse(&bytes) {
            btf.member_offset("s", &["a"]);
        }
    }
}
