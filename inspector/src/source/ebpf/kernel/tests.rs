//! The running kernel has what the programs need, and a lack is named.

use super::*;
use std::{os::unix::process::ExitStatusExt as _, process::Command};

/// The running kernel's bytes, or `None` (loudly) where it offers none.
fn vmlinux() -> Option<Vec<u8>> {
    match fs::read(VMLINUX_BTF) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            eprintln!("skipped: {VMLINUX_BTF}: {error}");
            None
        }
    }
}

#[test]
fn the_running_kernel_has_every_field_and_tracepoint() {
    let Some(bytes) = vmlinux() else { return };
    let kernel = Kernel::from_btf(&Btf::parse(&bytes).expect("the kernel's own BTF"));
    assert_eq!(kernel.lacking, Vec::<&str>::new());
    assert_eq!(kernel.tracepoint_args("task_newtask"), Some(2));
    assert_eq!(kernel.tracepoint_args("sys_exit"), Some(2));
    assert!(kernel.tracepoint_args("sched_process_exit").is_some());
    assert!(kernel.tracepoint_args("sched_switch") >= Some(3));
    assert_eq!(kernel.tracepoint_args("no_such_tracepoint"), None);
    let offsets = kernel.offsets;
    // tgid follows pid in every kernel; the two reference counts exclude one another.
    assert_eq!(offsets.task_tgid, offsets.task_pid + 4);
    assert_ne!(offsets.file_ref == ABSENT, offsets.file_count == ABSENT);
    assert!(offsets.task_status < 64, "thread_info comes first");
    assert_eq!(Kernel::running().expect("the same bytes"), kernel);
}

/// A second reader of the same facts: gdb, pahole and bpftool are rarely there, a C compiler is.
/// A structure of known layout is compiled with `-gbtf` where gcc can, and compared with what
/// the compiler itself says of its offsets.
#[test]
fn offsets_agree_with_the_compiler() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("layout.c");
    let object = folder.path().join("layout.o");
    fs::write(
        &source,
        "#include <stddef.h>
         typedef struct { short odd; int status; } inner_t;
         struct task_struct {
             char first; unsigned bits : 3; unsigned more : 5;
             union { struct { long deep; const volatile inner_t thread_info; }; int other; };
             int pid, tgid; char comm[16]; void *files;
         };
         struct task_struct task;
         unsigned long offsets[] = { offsetof(struct task_struct, thread_info.status),
             offsetof(struct task_struct, pid), offsetof(struct task_struct, comm),
             offsetof(struct task_struct, files) };
         int main(void) { for (int i = 0; i < 4; i++) __builtin_printf(\"%lu \", offsets[i]); return 0; }",
    )
    .expect("the source");
    let compiled = Command::new("gcc")
        .args(["-gbtf", "-w", "-o"])
        .args([&object, &source])
        .output();
    let Ok(compiled) = compiled.map(|output| output.status) else {
        eprintln!("skipped: no gcc");
        return;
    };
    if !compiled.success() {
        eprintln!("skipped: this gcc can't emit BTF");
        return;
    }
    let program = fs::read(&object).expect("the program");
    let printed = Command::new(&object).output().expect("it runs");
    assert_eq!(printed.status.signal(), None);
    let expected: Vec<u32> = String::from_utf8(printed.stdout)
        .expect("numbers")
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect();
    // BTF starts at its magic number; take the section by trying each place that has it.
    let kernel = program
        .windows(4)
        .enumerate()
        .filter(|(_, bytes)| *bytes == [0x9f, 0xeb, 1, 0])
        .find_map(|(at, _)| {
            Btf::parse(&program[at..])
                .ok()
                .map(|btf| Kernel::from_btf(&btf))
        })
        .expect("a BTF section");
    let offsets = kernel.offsets;
    assert_eq!(
        [
            offsets.task_status,
            offsets.task_pid,
            offsets.task_comm,
            offsets.task_files
        ],
        expected[..]
    );
    assert!(
        kernel.lacking.contains(&"file.f_ref"),
        "there is no struct file"
    );
    assert!(kernel.lacking.contains(&"task_struct.stack"));
}

/// No such kernel can be run here: the rule alone.
#[test]
fn kernels_before_5_8_are_too_old() {
    for release in ["5.7.19", "5.4.0-42-generic", "4.19.0-21-amd64", "2.6.32"] {
        assert_eq!(too_old(release).as_deref(), Some(release));
    }
    for release in ["5.8.0", "5.10.0-26-amd64", "6.18.44", "10.0", "unknown"] {
        assert_eq!(too_old(release), None, "{release}");
    }
}
