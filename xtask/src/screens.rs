//! `screens`: plays the real program and keeps what it shows as pictures, for the README.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

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

/// What is played in one go: each scene begins where the one before ended.
struct Film {
    /// What stands on the window.
    title: &'static str,
    /// How inspector is started.
    arguments: &'static [&'static str],
    /// Whether it is attached to the pool that leaks.
    attaches: bool,
    /// What is recorded first, in a file that is named behind the arguments.
    records: &'static [&'static str],
    scenes: &'static [Scene],
}

/// A program that forgets a connection whenever something goes wrong with it.
const POOL: &str = include_str!("screens/pool.py");

const FILMS: &[Film] = &[
    Film {
        title: "inspector lab",
        arguments: &["lab"],
        attaches: false,
        records: &[],
        scenes: LAB,
    },
    Film {
        title: "inspector attach",
        arguments: &["attach"],
        attaches: true,
        records: &[],
        scenes: ATTACH,
    },
    Film {
        title: "inspector run",
        arguments: &["run"],
        attaches: false,
        records: &[],
        scenes: RUN,
    },
    Film {
        title: "inspector replay",
        arguments: &["replay"],
        attaches: false,
        // Deletes that leak, and others that do not.
        records: &[
            "lab",
            "--scenario=bare-delete",
            "--scenario=signal-no-wait",
            "--scenario=unclosed-value",
            "--keys=8",
            "--rate=6",
            "--grace=400",
        ],
        scenes: REPLAY,
    },
];

const ATTACH: &[Scene] = &{
    use Step::{Pause, Press, Until, Wait};
    [
        Scene {
            name: "triage",
            steps: &[
                Wait(&["LIVE", "RLIMIT_NOFILE"]),
                Pause(14_000),
                Until("Down", &["grows fastest"]),
            ],
        },
        Scene {
            name: "triage-handles",
            steps: &[Press("Enter"), Wait(&["FD"]), Pause(300)],
        },
    ]
};

const RUN: &[Scene] = &{
    use Step::{Pause, Wait};
    [Scene {
        name: "run",
        steps: &[Wait(&["LIVE", "exited with 0"]), Pause(500)],
    }]
};

const REPLAY: &[Scene] = &{
    use Step::{Pause, Press, Wait};
    [Scene {
        name: "replay",
        steps: &[
            Wait(&["REPLAY"]),
            Press(" "),
            Wait(&["stands still"]),
            // Nothing is judged yet at the first deletes; from the third verdict on, much is.
            Press("n"),
            Wait(&["RETAINED"]),
            Press("n"),
            Press("n"),
            Press("n"),
            Pause(300),
        ],
    }]
};

const LAB: &[Scene] = &{
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
    let scenes: usize = FILMS.iter().map(|film| film.scenes.len()).sum();
    steps.next(&format!("play {scenes} screens into {FOLDER}"));
    let folder = workspace::root().join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("could not make {FOLDER}"))?;
    for film in FILMS {
        play_film(film, &root, &inspector, &folder)?;
    }
    steps.end();
    Ok(ExitCode::SUCCESS)
}

fn play_film(film: &Film, root: &Root, inspector: &Path, folder: &Path) -> anyhow::Result<()> {
    // The keys and colours of the table above, whatever this user prefers.
    let defaults = ["--config", "/dev/null", "--theme", "dark"];
    let mut arguments: Vec<String> = film.arguments.iter().map(ToString::to_string).collect();
    arguments.extend(defaults.map(str::to_owned));
    if !film.records.is_empty() {
        let recording = record(film.records, root, inspector)?;
        arguments.push(recording.to_string_lossy().into_owned());
    }
    let pool = film.attaches.then(Pool::start).transpose()?;
    match &pool {
        Some(pool) => arguments.push(format!("-p{}", pool.0.id())),
        None if film.arguments == ["run"] => {
            arguments.extend(["--", "sh", "-c", BUILD].map(str::to_owned));
        }
        None => {}
    }
    let mut play = Play::start(root.command("sh"), inspector, &arguments)?;
    for scene in film.scenes {
        perform(film.title, &mut play, scene, folder)
            .with_context(|| format!("screen `{}`", scene.name))?;
        step::say(&format!("  {FOLDER}/{}.svg", scene.name));
    }
    play.end()
}

/// Records what is then replayed: the file.
fn record(what: &[&str], root: &Root, inspector: &Path) -> anyhow::Result<PathBuf> {
    let folder = workspace::root().join("target/screens");
    fs::create_dir_all(&folder).context("could not make target/screens")?;
    let file = folder.join("lab.rec");
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).context("the recording of an earlier run is in the way");
        }
        _ => {}
    }
    let mut command = root.command(inspector);
    command
        .args(["record", "--quiet", "--output"])
        .arg(&file)
        .args(what);
    let status = command.stdout(Stdio::null()).status();
    let status = status.context("could not start inspector")?;
    anyhow::ensure!(status.success(), "`inspector record` ended with {status}");
    Ok(file)
}

/// A command for the picture of `run`: something is built, with output.
const BUILD: &str = "cd $(mktemp -d); for n in 1 2 3 4; do echo \"int f$n(void) { return $n; }\" >f$n.c; \
    gcc -c f$n.c && echo compiled f$n.c; done; sleep 1; rm -r \"$PWD\"";

/// The pool at work; it ends with this.
struct Pool(Child);

impl Pool {
    fn start() -> anyhow::Result<Self> {
        let started = Command::new("python3").args(["-c", POOL]).spawn();
        started
            .map(Self)
            .context("could not start python3, which is watched in two of the screens")
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let _may_have_ended = self.0.kill();
        let _is_reaped = self.0.wait();
    }
}

fn perform(title: &str, play: &mut Play, scene: &Scene, folder: &Path) -> anyhow::Result<()> {
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
    let picture = svg::write(title, &play.terminal);
    let file = folder.join(scene.name).with_extension("svg");
    fs::write(&file, picture).with_context(|| format!("could not write {}", file.display()))
}
