//! Programs of other people's, as they run: a server under load, a pool of threads, a build.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use inspector::{event::id::Tgid, source::probe_set::ProbeSetKind};

use crate::{eprint_progress, watch::Watch};

/// One of them.
pub(crate) struct Real {
    /// Its name on the command line and in the table.
    pub(crate) name: &'static str,
    /// What is timed.
    pub(crate) what: &'static str,
    /// What has to be installed.
    needs: &'static [&'static str],
    prepare: fn(&Path, u16) -> anyhow::Result<Vec<String>>,
    /// Waits until it is there, loads it, and has it end; `None` = it ends by itself, and all of
    /// its life is timed.
    load: Option<fn(&Path, u16) -> anyhow::Result<Duration>>,
}

/// All of them.
pub(crate) const REAL: &[Real] = &[
    Real {
        name: "redis",
        what: "20,000 SETs over 20 connections",
        needs: &["redis-server", "redis-benchmark", "redis-cli"],
        prepare: |_, port| {
            Ok(words(&format!(
                "redis-server --port {port} --save  --daemonize no"
            )))
        },
        load: Some(load_redis),
    },
    Real {
        name: "nginx",
        what: "1,000 requests, a connection each",
        needs: &["nginx"],
        prepare: prepare_nginx,
        load: Some(load_nginx),
    },
    Real {
        name: "pool",
        what: "Python: 8 threads, 3,000 tasks, four descriptors each",
        needs: &["python3"],
        prepare: |folder, _| {
            let file = folder.join("pool.py");
            fs::write(&file, POOL)?;
            Ok(vec!["python3".to_owned(), file.display().to_string()])
        },
        load: None,
    },
    Real {
        name: "make",
        what: "make -j2 of 16 C files",
        needs: &["make", "gcc"],
        prepare: prepare_make,
        load: None,
    },
];

const POOL: &str = "
import concurrent.futures, os, socket
def work(number):
    with open('/proc/self/stat') as one, open(os.devnull) as two:
        a, b = socket.socketpair()
        a.close(); b.close()
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(work, range(3000)))
";

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// How long a server may take to be there.
const PATIENCE: Duration = Duration::from_secs(30);

impl Real {
    /// What is not installed.
    pub(crate) fn lacks(&self) -> Option<&'static str> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there =
            |name: &&&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
        self.needs.iter().find(|name| !is_there(name)).copied()
    }

    /// Runs it once under `tracer`, which may be nothing; `watch` is called with its process before
    /// its program begins, and what it returns is kept until the end. Seconds.
    pub(crate) fn once<W>(
        &self,
        tracer: &[&str],
        watch: impl FnOnce(Tgid) -> anyhow::Result<W>,
    ) -> anyhow::Result<(f64, W)> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let command = (self.prepare)(folder.path(), port)?;
        // It waits for a line before it becomes the program.
        let mut child = Command::new("sh")
            .args(["-c", "read line; exec \"$@\"", "sh"])
            .args(tracer)
            .args(command)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let timed = self.timed(&mut child, folder.path(), port, watch);
        if timed.is_err() {
            let _may_have_ended = child.kill();
        }
        let status = child.wait()?;
        let timed = timed?;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(timed)
    }

    fn timed<W>(
        &self,
        child: &mut Child,
        folder: &Path,
        port: u16,
        watch: impl FnOnce(Tgid) -> anyhow::Result<W>,
    ) -> anyhow::Result<(f64, W)> {
        let watched = watch(Tgid(child.id()))?;
        let started = Instant::now();
        let mut input = child.stdin.take().context("its input is piped")?;
        writeln!(input)?;
        let took = match self.load {
            Some(load) => load(folder, port)?,
            None => {
                child.wait()?;
                started.elapsed()
            }
        };
        Ok((took.as_secs_f64(), watched))
    }
}

/// Runs each in every way, and prints how much longer it took.
pub(crate) fn compare(rounds: usize, programs: &[&Real], without: &[String]) -> anyhow::Result<()> {
    const STRACE: [&str; 5] = ["strace", "-f", "-qq", "-o", "/dev/null"];
    let nobody = |_| Ok(());
    println!(
        "\nseconds alone, and ratios to that: fastest / median, of {rounds} interleaved runs\n"
    );
    println!(
        "{:<8}{:>16}{:>18}{:>18}",
        "program", "alone s", "with waits", "strace -f"
    );
    let mut lost = 0;
    for program in programs {
        if let Some(lack) = program.lacks() {
            println!("{:<8}not measured: {lack} is not installed", program.name);
            continue;
        }
        let mut seconds: [Vec<f64>; 3] = Default::default();
        for round in 1..=rounds {
            eprint_progress(round, rounds);
            seconds[0].push(program.once(&[], nobody)?.0);
            let watch = |tgid| Watch::start(ProbeSetKind::WithWaits, without, tgid);
            let (took, watch) = program.once(&[], watch)?;
            seconds[1].push(took);
            lost += watch.stop()?;
            seconds[2].push(program.once(&STRACE, nobody)?.0);
        }
        let [alone, watched, straced] = seconds.map(|mut all| {
            all.sort_by(f64::total_cmp);
            (all[0], all[all.len() / 2])
        });
        let ratio = |of: (f64, f64)| format!("{:.2} / {:.2}", of.0 / alone.0, of.1 / alone.1);
        println!(
            "{:<8}{:>16}{:>18}{:>18}   {}",
            program.name,
            format!("{:.3} / {:.3}", alone.0, alone.1),
            ratio(watched),
            ratio(straced),
            program.what
        );
    }
    println!("\nrecords lost in all of it: {lost}");
    Ok(())
}

fn until_it_listens(port: u16) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(Instant::now() < until, "nobody listens on {port}");
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn load_redis(_: &Path, port: u16) -> anyhow::Result<Duration> {
    until_it_listens(port)?;
    let port = port.to_string();
    let started = Instant::now();
    let load = ["-p", &port, "-n", "20000", "-c", "20", "-q", "-t", "set"];
    ensure!(
        Command::new("redis-benchmark")
            .args(load)
            .stdout(Stdio::null())
            .status()?
            .success()
    );
    let took = started.elapsed();
    let end = ["-p", &port, "shutdown", "nosave"];
    Command::new("redis-cli")
        .args(end)
        .stdout(Stdio::null())
        .status()?;
    Ok(took)
}

fn prepare_nginx(folder: &Path, port: u16) -> anyhow::Result<Vec<String>> {
    let at = folder.display();
    fs::write(folder.join("index.html"), "hello\n")?;
    let conf = format!(
        "daemon off; user root; worker_processes 1; pid {at}/pid; error_log {at}/errors;
         events {{ }}
         http {{ access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
             fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
             server {{ listen 127.0.0.1:{port}; root {at}; }} }}"
    );
    fs::write(folder.join("conf"), conf)?;
    Ok(words(&format!("nginx -c {at}/conf")))
}

fn load_nginx(folder: &Path, port: u16) -> anyhow::Result<Duration> {
    until_it_listens(port)?;
    let started = Instant::now();
    for _ in 0..1000 {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
    }
    let took = started.elapsed();
    let pid = fs::read_to_string(folder.join("pid"))?;
    ensure!(
        Command::new("kill")
            .args(["-QUIT", pid.trim()])
            .status()?
            .success()
    );
    Ok(took)
}

fn prepare_make(folder: &Path, _: u16) -> anyhow::Result<Vec<String>> {
    let mut objects = String::new();
    for number in 0..16 {
        let code =
            format!("#include <stdio.h>\nint f{number}(void) {{ return puts(\"{number}\"); }}\n");
        fs::write(folder.join(format!("f{number}.c")), code)?;
        objects += &format!(" f{number}.o");
    }
    fs::write(folder.join("Makefile"), format!("all:{objects}\n"))?;
    Ok(words("make -s -j2"))
}
