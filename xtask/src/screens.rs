//! `screens`: plays the real program and keeps what it shows as pictures, for the README.

use std::{fs, path::Path, process::ExitCode, time::Duration};

use anyhow::Context as _;

use crate::{
    run, setup,
    step::{self, Steps},
    sudo::{self, Root},
    workspace,
};

mod palette;
mod play;
mod shape;
mod svg;

use play::Play;

/// Where the pictures go, from the workspace's root.
const FOLDER: &str = "docs/screens";

/// What to do in front of the screen.
enum Step {
    /// Press a key, as the help screen writes it.
    Press(&'static str),
    /// Type text into what is open for it.
    Type(&'static str),
    /// Press a key until all of these words stand there.
    Until(&'static str, &'static [&'static str]),
    /// Wait until all of these words stand there.
    Wait(&'static [&'static str]),
    /// Let some milliseconds pass.
    Pause(u64),
}

/// A picture: its file's name and what leads to it from the one before.
struct Scene {
    name: &'static str,
    steps: &'static [Step],
}

/// Played in this order, in one lab: each begins where the one before ended.
const SCENES: &[Scene] = &{
    use Step::{Pause, Press, Type, Until, Wait};
    [
        Scene {
            name: "start",
            steps: &[
                Wait(&["LIVE", "task-0001", "task-0002", "press d"]),
                Pause(1500),
            ],
        },
        // Keys of every kind; a delete that leaks, three that do not, and one that is not judged yet.
        Scene {
            name: "entries",
            steps: &[
                Until("p", &["deletes by bare"]),
                Until("Down", &["▸ task-0002"]),
                Press("d"),
                Wait(&["RETAINED"]),
                Until("e", &["stores connection"]),
                Press("s"),
                Wait(&["▸ task-0003"]),
                Until("e", &["stores watcher"]),
                Press("s"),
                Wait(&["▸ task-0004"]),
                Until("e", &["stores writer"]),
                Press("b"),
                // In place of 100.
                Type("\x7f\x7f\x7f4"),
                Press("Enter"),
                Wait(&["task-0008"]),
                Until("p", &["deletes by stop-wait-delete"]),
                Until("Down", &["▸ task-0001"]),
                Press("d"),
                Wait(&["gone"]),
                Until("p", &["deletes by drop"]),
                Until("Up", &["▸ task-0006"]),
                Press("d"),
                Until("p", &["deletes by signal"]),
                Until("Down", &["▸ task-0003"]),
                Press("d"),
                Pause(2500),
                Until("p", &["deletes by bare"]),
                Until("Up", &["▸ task-0004"]),
                Press("d"),
                Until("Down", &["▸ task-0002"]),
                Wait(&["pending"]),
            ],
        },
        Scene {
            name: "detail",
            steps: &[Pause(1500), Press("Enter"), Press("+")],
        },
        Scene {
            name: "threads",
            steps: &[
                Press("-"),
                Press("Esc"),
                Press("2"),
                Wait(&["TID"]),
                Until("Down", &["\"watch-0004\""]),
            ],
        },
        Scene {
            name: "handles",
            steps: &[Press("3"), Wait(&["FD"]), Until("Down", &["RETAINED"])],
        },
        Scene {
            name: "waits",
            steps: &[Press("4"), Wait(&["WOKEN BY"])],
        },
        Scene {
            name: "events",
            steps: &[
                Press("5"),
                Wait(&["TIME (UTC)"]),
                Press("g"),
                Until("Down", &["── delete task-0006"]),
            ],
        },
        Scene {
            name: "help",
            steps: &[Press("1"), Press("?"), Pause(300)],
        },
        Scene {
            name: "performance",
            steps: &[Press("Esc"), Press("i"), Pause(300)],
        },
    ]
};

/// `cargo xtask screens`.
pub(crate) fn verb(arguments: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(arguments.is_empty(), "screens takes no arguments");
    if sudo::needed() {
        step::say("sudo is asked first, for the probes; the build comes after");
    }
    let root = Root::get()?;
    let mut steps = Steps::new(3);
    steps.next("set up");
    setup::bring()?;
    steps.next("build inspector in release");
    let inspector = run::build()?;
    steps.next(&format!("play {} screens into {FOLDER}", SCENES.len()));
    let folder = workspace::root().join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("could not make {FOLDER}"))?;
    // The keys and colours of the table above, whatever this user prefers.
    let defaults = ["lab", "--config", "/dev/null", "--theme", "dark"];
    let mut play = Play::start(root.command("sh"), &inspector, &defaults)?;
    for scene in SCENES {
        perform(&mut play, scene, &folder).with_context(|| format!("screen `{}`", scene.name))?;
        step::say(&format!("  {FOLDER}/{}.svg", scene.name));
    }
    play.end()?;
    steps.end();
    Ok(ExitCode::SUCCESS)
}

fn perform(play: &mut Play, scene: &Scene, folder: &Path) -> anyhow::Result<()> {
    for step in scene.steps {
        match *step {
            Step::Press(key) => play.press(key)?,
            Step::Type(text) => play.write(text)?,
            Step::Until(key, words) => play.press_until(key, words)?,
            Step::Wait(words) => play.wait_for(words)?,
            Step::Pause(ms) => play.pause(Duration::from_millis(ms))?,
        }
    }
    play.settle()?;
    let picture = svg::write("inspector lab", &play.terminal);
    let file = folder.join(scene.name).with_extension("svg");
    fs::write(&file, picture).with_context(|| format!("could not write {}", file.display()))
}
