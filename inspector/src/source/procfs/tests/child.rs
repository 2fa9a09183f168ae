//! A purpose-made process (`child.c`) that opens, closes, starts and ends what it is told.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{ChildStdin, ChildStdout, Command, Stdio},
};

use crate::event::id::Tgid;

/// Ends with its test.
pub(in crate::source::procfs) struct Child {
    process: std::process::Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Child {
    /// Compiles and starts it.
    pub(in crate::source::procfs) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("child.c");
        let program = folder.path().join("child");
        fs::write(&source, include_str!("child.c")).expect("the source");
        let compiled = Command::new("gcc")
            .args(["-O1", "-pthread", "-o"])
            .args([&program, &source])
            .output()
            .expect("gcc, which building this project needs too");
        let errors = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{errors}");
        let mut process = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was just built");
        let orders = process.stdin.take().expect("a pipe");
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        Self {
            process,
            orders,
            answers,
        }
    }

    /// Gives one order and waits for its answer.
    pub(in crate::source::procfs) fn tell(&mut self, order: &str) -> Vec<String> {
        writeln!(self.orders, "{order}").expect("it reads orders");
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let len = self.answers.read_line(&mut line).expect("it answers");
            assert!(len > 0, "the child died on {order}");
            match line.trim_end() {
                "." => return lines,
                text => lines.push(text.to_owned()),
            }
        }
    }

    /// Gives one order that is answered by a number.
    pub(in crate::source::procfs) fn number(&mut self, order: &str) -> u32 {
        let answer = self.tell(order);
        answer[0].parse().expect("a number")
    }

    pub(in crate::source::procfs) fn tgid(&self) -> Tgid {
        Tgid(self.process.id())
    }

    /// Ends it, and reaps it.
    pub(in crate::source::procfs) fn end_now(&mut self) {
        self.process.kill().expect("it is ours");
        self.process.wait().expect("it is ours");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end_now();
    }
}
