//! Processes that can't be watched, and those that change while they are attached to: each is
//! told in one line, and nothing hangs.

use std::{
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    binary::{inspector, is_refused, program, run, text},
    program::Program,
    verbs::{Ends, document, process, said, until, words},
    watch::alone,
};

#[track_caller]
fn assert_refused(arguments: &[&str], why: &str) {
    let began = Instant::now();
    let output = inspector(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(
        said(&output).contains(why),
        "{arguments:?}: {}",
        said(&output)
    );
    assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn who_cannot_be_watched_is_told_why() {
    let mut gone = Ends::start(&mut Command::new("true"));
    let zombie = Ends::start(&mut Command::new("true"));
    gone.0.wait().unwrap();
    let stat = format!("/proc/{}/stat", zombie.pid());
    until("a zombie", || {
        std::fs::read_to_string(&stat).unwrap().contains(") Z ")
    });
    let (held, free) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let waits = thread::spawn(move || {
        tell.send(rustix::thread::gettid().as_raw_nonzero())
            .unwrap();
        let _ended = free.recv();
    });
    let tid = told.recv().unwrap();
    for (pid, why) in [
        (
            gone.pid().to_string(),
            format!("there is no process {}", gone.pid()),
        ),
        (
            "2".to_owned(),
            "2 (kthreadd) is a thread of the kernel".to_owned(),
        ),
        (
            zombie.pid().to_string(),
            format!(
                "it is a zombie, which process {} has not waited for yet",
                std::process::id()
            ),
        ),
        (
            tid.to_string(),
            format!(
                "{tid} is a thread of process {0}; use `-p {0}`",
                std::process::id()
            ),
        ),
    ] {
        if pid == "2" && !std::path::Path::new("/proc/2").exists() {
            println!("no thread of the kernel is to be seen here");
            continue;
        }
        assert_refused(&["report", "-p", &pid, "--for", "0s"], &why);
        // The same is said before there is a screen.
        assert_refused(&["attach", "-p", &pid], &why);
    }
    drop(held);
    waits.join().unwrap();
    let itself = [
        "-c",
        "exec \"$0\" report -p $$ --for 0s",
        program().to_str().unwrap(),
    ];
    let output = run(&["sh"], &itself);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("is inspector itself, which does not watch itself"));
}

/// Short lives, attached to at any moment of them: each attempt ends, with a report or a reason.
#[test]
fn a_process_that_ends_while_it_is_attached_to() {
    let _alone = alone();
    let (mut reported, mut refused) = (0, 0);
    for number in 0..30 {
        // Attaching takes some hundred milliseconds: most lives end before or within it, and the
        // last ones after.
        let time = if number < 27 {
            format!("{}.{:03}", number / 25, number % 25 * 40)
        } else {
            "30".to_owned()
        };
        let mut target = Ends::start(Command::new("sleep").arg(&time));
        let pid = target.pid().to_string();
        // Half of them are waited for at once and vanish; the others stay as zombies.
        let output = thread::scope(|scope| {
            if number % 2 == 0 && number < 27 {
                scope.spawn(|| target.0.wait().unwrap());
            }
            inspector(&["report", "-p", &pid, "--for", "0s"])
        });
        match output.status.code() {
            Some(0) => {
                assert!(
                    text(&output.stdout).starts_with("no deletes declared: process "),
                    "{output:?}"
                );
                reported += 1;
            }
            Some(2) => {
                assert_eq!(said(&output).lines().count(), 1, "{output:?}");
                refused += 1;
            }
            code => panic!("{code:?} {output:?}"),
        }
    }
    println!("{reported} reported, {refused} ended before");
    assert!(reported >= 3 && refused > 0);
}

/// It executes one program after another: whichever was there is followed through the rest.
#[test]
fn a_process_that_executes_programs_while_it_is_attached_to() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    for _ in 0..5 {
        // Each makes the next: a few hundred executions a second.
        let again = "[ $1 = 0 ] && exec sleep 60; exec sh -c \"$0\" \"$0\" $(($1 - 1))";
        let target = Ends::start(
            Command::new("sh")
                .args(["-c", again, again, "600"])
                .process_group(0),
        );
        let (output, told) = document(
            "report",
            &words(&format!("-p {} --for 200ms", target.pid())),
        );
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let found = process(&told, target.pid());
        assert_eq!(found["alive"], true);
        assert_eq!(told["source"]["drift"], 0, "{}", told["drift"]);
        println!("{} programs seen", found["epoch"]);
    }
}

/// A process whose first thread has ended lives in its others.
#[test]
fn a_process_without_its_first_thread_can_be_watched() {
    let _alone = alone();
    let code = "import ctypes, threading, time\nthreading.Thread(target=lambda: time.sleep(60)).start()\nctypes.CDLL(None).syscall(60, 0)";
    let target = Ends::start(
        Command::new("python3")
            .args(["-c", code])
            .stdin(Stdio::null()),
    );
    let stat = format!("/proc/{}/stat", target.pid());
    until("the first thread's end", || {
        std::fs::read_to_string(&stat).unwrap().contains(") Z ")
    });
    let (output, told) = document("report", &["-p", &target.pid().to_string(), "--for", "0s"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(process(&told, target.pid())["threads"], 1);
}

/// Of several, one that ends meanwhile is left out.
#[test]
fn one_of_several_may_be_gone() {
    let _alone = alone();
    let lives = Program::start("unseen");
    let ends = Ends::start(Command::new("sleep").arg("0.2"));
    let pids = format!("{},{}", lives.tgid(), ends.pid());
    let (output, told) = document("report", &["-p", &pids, "--for", "300ms"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(process(&told, lives.tgid().0)["alive"], true);
}
