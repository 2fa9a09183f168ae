//! Probes of programs that gcc really built, and of damaged files.

use super::*;
use inspector_ebpf::abi::mark::place;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

/// Two marks of the provider (one of them with a semaphore), one probe on a 5-byte nop, one on
/// another instruction, one linked at another base, and a note of another owner. Written as
/// SystemTap's sys/sdt.h and the crate `probe` expand.
const PROGRAM: &str = r#"
#define NOTE(instruction, provider, name, moved, semaphore, arguments) \
    "990: " instruction "\n" \
    ".pushsection .note.stapsdt,\"?\",\"note\"\n .balign 4\n" \
    ".4byte 992f-991f, 994f-993f, 3\n" \
    "991: .asciz \"stapsdt\"\n 992: .balign 4\n" \
    "993: .8byte 990b+" moved ", _.stapsdt.base+" moved ", " semaphore "\n" \
    ".asciz \"" provider "\"\n .asciz \"" name "\"\n .asciz \"" arguments "\"\n" \
    "994: .balign 4\n .popsection\n" \
    ".ifndef _.stapsdt.base\n" \
    ".pushsection .stapsdt.base,\"aGR\",\"progbits\",.stapsdt.base,comdat\n" \
    ".weak _.stapsdt.base\n .hidden _.stapsdt.base\n" \
    "_.stapsdt.base: .space 1\n .size _.stapsdt.base, 1\n .popsection\n .endif\n"

__attribute__((section(".probes"))) volatile unsigned short semaphore = 0;

int main(int argc, char **argv) {
    long map = 7, span = argc;
    __asm__ volatile(NOTE("nop", "lifecycle", "store_begin", "0", "0", "-8@%0 8@%1 8@$4 -8@%2")
        :: "r"(map), "r"(argv), "m"(span));
    __asm__ volatile(NOTE("nop", "lifecycle", "delete_end", "0", "semaphore", "8@%0 4@%k1 8@semaphore(%%rip)")
        :: "r"(map), "r"(argc));
    __asm__ volatile(NOTE(".byte 0x0f,0x1f,0x44,0,0", "other", "five", "0", "0", ""));
    __asm__ volatile(NOTE("xchg %%rax,%%rax; .byte 0", "other", "stray", "0", "0", "1@%0")
        :: "q"((char)argc) : "memory");
    __asm__ volatile(NOTE("nop", "lifecycle", "own", "0x1000", "0", "1@$1 1@$2 1@$3 1@$4 1@$5 1@$6"));
    return 0;
}
"#;

fn compile(folder: &Path, name: &str, options: &[&str]) -> Option<PathBuf> {
    let source = folder.join("probes.c");
    fs::write(&source, PROGRAM).expect("the source");
    let program = folder.join(name);
    let compiled = Command::new("gcc")
        .args(options)
        .args(["-w", "-o"])
        .args([&program, &source])
        .output();
    let Ok(output) = compiled else {
        eprintln!("skipped: no gcc");
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(program)
}

/// A probe as binutils prints it.
struct Printed {
    provider: String,
    name: String,
    location: u64,
    base: u64,
    semaphore: u64,
    arguments: String,
}

fn binutils(program: &Path, option: &str) -> String {
    let mut readelf = Command::new("readelf");
    let output = readelf.args([option, "-W"]).arg(program).output();
    let output = output.expect("binutils come with gcc");
    String::from_utf8(output.stdout).expect("this program's names are ASCII")
}

fn printed_probes(program: &Path) -> Vec<Printed> {
    let text = binutils(program, "-n");
    let mut probes = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some((_, provider)) = line.split_once("Provider: ") else {
            continue;
        };
        let mut value = |label: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(label));
            line.expect(label).trim().to_owned()
        };
        let name = value("Name:");
        let places = value("Location:").replace(',', "");
        let numbers: Vec<u64> = places
            .split_whitespace()
            .filter_map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok())
            .collect();
        let [location, base, semaphore] = numbers[..] else {
            panic!("{places}");
        };
        probes.push(Printed {
            provider: provider.to_owned(),
            name,
            location,
            base,
            semaphore,
            arguments: value("Arguments:"),
        });
    }
    probes
}

fn section_address(program: &Path, name: &str) -> u64 {
    let text = binutils(program, "-S");
    let line = text.lines().find(|line| line.contains(name)).expect(name);
    let mut words = line.split_whitespace();
    let address = words.find(|word| *word == "PROGBITS").and(words.next());
    u64::from_str_radix(address.expect("an address"), 16).expect("hexadecimal")
}

fn check(program: &Path) {
    let probes = probes(File::open(program).expect("it was just built")).expect("an ELF file");
    assert_eq!(probes.unusable, Vec::<&str>::new());
    let bytes = fs::read(program).expect("it was just built");
    let expected = printed_probes(program);
    let base_now = section_address(program, " .stapsdt.base");
    assert_eq!(probes.sites.len(), expected.len());
    for (probe, printed) in probes.sites.iter().zip(&expected) {
        let name = &printed.name;
        assert_eq!(probe.provider.to_string(), printed.provider);
        assert_eq!(probe.name.to_string(), *name);
        assert_eq!(probe.arguments.to_string(), printed.arguments);
        assert_eq!(probe.address, printed.location + base_now - printed.base);
        assert_eq!(probe.semaphore.is_some(), printed.semaphore != 0, "{name}");
        let there = &bytes[probe.offset as usize..];
        match probe.instruction {
            Instruction::Nop => assert_eq!(there[0], 0x90, "{name}"),
            Instruction::Nop5 => assert_eq!(there[..5], [0x0f, 0x1f, 0x44, 0, 0], "{name}"),
            Instruction::Other => assert_eq!(name, "stray"),
        }
    }
    let named = |name: &str| {
        let mut sites = probes.sites.iter();
        sites
            .find(|probe| probe.name.bytes() == name.as_bytes())
            .expect("in the program")
    };
    assert_eq!(named("store_begin").instruction, Instruction::Nop);
    assert_eq!(named("five").instruction, Instruction::Nop5);
    assert_eq!(
        named("own").instruction,
        Instruction::Nop,
        "found where it was moved"
    );
    // The counter's two bytes are where the file says.
    let semaphore = named("delete_end").semaphore.expect("it has one") as usize;
    assert_eq!(bytes[semaphore..semaphore + 2], [0, 0]);

    let (site, unsupported) = named("store_begin").site().expect("a mark");
    assert_eq!((site.mark, site.args), (mark::code::STORE_BEGIN, 4));
    assert_eq!(unsupported, []);
    assert_eq!(
        site.arg.map(|argument| argument.place),
        [
            place::REGISTER,
            place::REGISTER,
            place::CONSTANT,
            place::MEMORY,
            place::NONE
        ]
    );
    assert_eq!((site.arg[0].signed, site.arg[2].value), (1, 4));
    let (site, unsupported) = named("delete_end").site().expect("a mark");
    assert_eq!(
        (site.args, site.arg[1].size, site.arg[2].place),
        (3, 4, place::NONE)
    );
    assert_eq!(unsupported.len(), 1);
    assert_eq!(unsupported[0].text.to_string(), "8@semaphore(%rip)");
    let (site, _) = named("own").site().expect("a mark");
    assert_eq!(
        (site.args, site.arg[4].value),
        (5, 5),
        "the sixth is left out"
    );
    assert!(named("five").site().is_none(), "another provider's");
}

#[test]
fn probes_of_real_programs_agree_with_readelf() {
    let folder = tempfile::tempdir().expect("a folder");
    for options in [&["-O2"][..], &["-O0", "-no-pie"], &["-O2", "-s"]] {
        let Some(program) = compile(folder.path(), "program", options) else {
            return;
        };
        check(&program);
    }
}

#[test]
fn the_crate_that_marks_come_from_is_understood() {
    let key = b"k7";
    probe::probe!(lifecycle, store_end, 3, key.as_ptr(), key.len(), 0);
    let probes = probes(File::open("/proc/self/exe").expect("this test")).expect("an ELF file");
    let (site, unsupported) = probes
        .sites
        .iter()
        .find(|probe| probe.name.bytes() == b"store_end")
        .and_then(Probe::site)
        .expect("the probe above");
    assert_eq!(unsupported, []);
    assert_eq!((site.mark, site.args), (mark::code::STORE_END, 4));
    let ordinary = |argument: &Argument| argument.place == place::REGISTER && argument.size == 8;
    assert!(site.arg[..4].iter().all(ordinary), "{site:?}");
}

#[test]
fn other_files_are_refused_or_empty() {
    let error = probes(File::open("/proc/self/maps").expect("always there"));
    assert!(matches!(error, Err(UsdtError::Elf(_))));
    let null = probes(File::open("/dev/null").expect("always there"));
    assert!(matches!(null, Err(UsdtError::Elf(_))));
    let mut arm = fs::read("/proc/self/exe").expect("this test");
    arm.truncate(4096);
    arm[18] = 183;
    assert_eq!(probes_in(&arm[..]), Err(UsdtError::Machine(183)));
}

#[test]
fn damaged_files_give_errors_or_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(program) = compile(folder.path(), "program", &["-O2", "-s"]) else {
        return;
    };
    let whole = fs::read(&program).expect("it was just built");
    for len in (0..whole.len()).step_by(97) {
        let _ = probes_in(&whole[..len]);
    }
    // Every byte of the headers and of the notes, with the values that sizes break on.
    let sections = u64::from_le_bytes(*whole[40..].first_chunk().expect("a header")) as usize;
    let notes = whole
        .windows(8)
        .position(|bytes| bytes == b"stapsdt\0")
        .expect("the notes");
    let places = (0..1024)
        .chain(notes - 12..notes + 700)
        .chain(sections..whole.len());
    let mut answers = 0;
    for at in places {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            answers += usize::from(probes_in(&bytes[..]).is_ok());
        }
    }
    assert!(answers > 0);
}

#[test]
fn a_file_cannot_cost_more_than_the_budget() {
    let budget = Cell::new(10);
    let data = Budgeted {
        data: &[7u8; 100][..],
        budget: &budget,
    };
    assert_eq!(data.read_bytes_at(90, 6), Ok(&[7u8; 6][..]));
    assert_eq!(data.read_bytes_at(0, 5), Err(()));
    assert_eq!(data.read_bytes_at(0, 4), Ok(&[7u8; 4][..]));
    assert_eq!(data.read_bytes_at(0, 1), Err(()));
}

#[test]
fn kernels_that_optimize_five_byte_nops() {
    for (release, expected) in [
        ("6.18.44-fc-v657", true),
        ("6.17.9", false),
        ("6.1.0-40-cloud-amd64", false),
        ("5.15.0", false),
        ("7.0-rc1", true),
        ("6.18", true),
        ("unreadable", true),
    ] {
        assert_eq!(kernel_optimizes_nop5(release), expected, "{release}");
    }
}
