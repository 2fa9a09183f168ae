//! What the verifier has to look at in each program: a budget, so that no change makes one too
//! complex for older kernels without anybody seeing it.

use aya::programs::Program;
use inspector::source::ebpf::{
    hook::PROBES,
    load::{LoadOptions, load},
};

/// Instructions the verifier may walk through a program; its own limit is a million. Twice what
/// was seen on 6.18, rounded up.
const BUDGETS: &[(&str, u32)] = &[
    ("enter_close", 1_000),
    ("enter_close_range", 1_000),
    ("enter_dup2", 1_000),
    ("enter_dup3", 1_000),
    ("task_switched", 5_000),
    ("task_exiting", 1_000),
    ("exit_call", 200_000),
    ("task_execed", 50_000),
    ("task_renamed", 1_000),
    ("task_waking", 2_000),
    ("task_born", 50_000),
    ("mark_passed", 50_000),
];

#[test]
fn every_program_is_within_its_budget() {
    let loaded = match load(&LoadOptions::default()) {
        Ok(loaded) => loaded,
        Err(error) => {
            println!("SKIPPED: {error}");
            return;
        }
    };
    let mut over = Vec::new();
    for (name, program) in loaded.ebpf.programs() {
        let Some(walked) = info(program) else {
            continue;
        };
        println!("{name}: {walked} instructions walked");
        let budget = BUDGETS.iter().find(|(known, _)| *known == name);
        match budget {
            Some((_, budget)) if walked <= *budget => {}
            Some((_, budget)) => over.push(format!("{name}: {walked} of {budget}")),
            None => over.push(format!("{name} has no budget")),
        }
    }
    assert_eq!(over, [""; 0]);
}

/// Every program that can be attached is in the object, by its name.
#[test]
fn every_probe_is_a_program_of_the_object() {
    let loaded = match load(&LoadOptions::default()) {
        Ok(loaded) => loaded,
        Err(error) => {
            println!("SKIPPED: {error}");
            return;
        }
    };
    for probe in PROBES {
        assert!(
            loaded.ebpf.program(probe.program).is_some(),
            "{}",
            probe.program
        );
    }
}

fn info(program: &Program) -> Option<u32> {
    program.info().ok()?.verified_instruction_count()
}
