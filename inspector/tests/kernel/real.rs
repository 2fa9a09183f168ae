//! Programs that this project did not write, under load: what inspector tells of them agrees with
//! what strace saw of the same run, and at quiet points with /proc.

#[path = "real/proc.rs"]
mod proc;
#[path = "real/run.rs"]
pub(crate) mod run;
#[path = "real/strace.rs"]
mod strace;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use self::run::{Run, finished, wait_for};
use crate::{binary::is_refused, watch::alone};

#[test]
fn nginx_under_load() {
    let _alone = alone();
    if is_refused() || lacks(&["nginx"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let port = free_port();
    let conf = format!(
        "daemon off; user root; worker_processes 2; pid {at}/pid; error_log {at}/errors;
         events {{ worker_connections 256; }}
         http {{
             access_log {at}/access; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
             fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
             server {{ listen 127.0.0.1:{port}; root {at}; }}
         }}"
    );
    fs::write(folder.path().join("conf"), conf).unwrap();
    fs::write(folder.path().join("index.html"), "hello\n").unwrap();
    let conf = folder.path().join("conf");
    let mut run = Run::start(None, &["nginx", "-c", conf.to_str().unwrap()]);
    wait_for("nginx to listen", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    in_threads(8, || {
        for _ in 0..25 {
            get(port);
        }
    });
    run.agrees_with_proc("nginx");
    signal(
        "QUIT",
        &fs::read_to_string(folder.path().join("pid")).unwrap(),
    );
    run.end().agrees();
}

#[test]
fn redis_under_load() {
    let _alone = alone();
    if is_refused() || lacks(&["redis-server", "redis-cli", "redis-benchmark"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let dir = folder.path().to_str().unwrap();
    let mut run = Run::start(
        None,
        &[
            "redis-server",
            "--port",
            &port,
            "--dir",
            dir,
            "--daemonize",
            "no",
        ],
    );
    let client = |words: &[&str]| {
        let mut client = Command::new("redis-cli");
        finished(client.args(["-p", &port]).args(words))
    };
    wait_for("redis to listen", || {
        let ping = Command::new("redis-cli")
            .args(["-p", &port, "ping"])
            .output();
        ping.is_ok_and(|ping| ping.stdout.starts_with(b"PONG"))
    });
    let mut load = Command::new("redis-benchmark");
    finished(load.args(["-p", &port, "-n", "2000", "-c", "20", "-q", "-t", "set,get"]));
    // It forks for that.
    client(&["bgsave"]);
    wait_for("the background save", || {
        client(&["info", "persistence"]).contains("rdb_bgsave_in_progress:0")
    });
    run.agrees_with_proc("redis-server");
    client(&["shutdown", "nosave"]);
    run.end().agrees();
}

#[test]
fn postgresql_under_load() {
    let _alone = alone();
    if is_refused() || lacks(&["pg_lsclusters"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bin = fs::read_dir("/usr/lib/postgresql")
        .unwrap()
        .map(|version| version.unwrap().path().join("bin"))
        .max()
        .unwrap();
    let data = folder.path().join("data");
    let port = free_port().to_string();
    let as_postgres = |program: &str, arguments: &[&str]| {
        let mut command = Command::new("runuser");
        command
            .args(["-u", "postgres", "--"])
            .arg(bin.join(program))
            .args(arguments);
        // Where root is, postgres may not be.
        finished(command.current_dir("/"))
    };
    finished(Command::new("chown").args(["postgres"]).arg(folder.path()));
    let at = data.to_str().unwrap();
    as_postgres("initdb", &["-D", at, "-A", "trust", "--no-sync"]);
    let sockets = folder.path().to_str().unwrap();
    let postgres = bin.join("postgres");
    let server = [
        postgres.to_str().unwrap(),
        "-D",
        at,
        "-p",
        &port,
        "-k",
        sockets,
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "fsync=off",
    ];
    let mut run = Run::start(Some("postgres"), &server);
    let to = ["-h", "127.0.0.1", "-p", &port];
    wait_for("PostgreSQL to listen", || {
        let mut ready = Command::new(bin.join("pg_isready"));
        ready
            .args(to)
            .output()
            .is_ok_and(|ready| ready.status.success())
    });
    as_postgres("pgbench", &[&to[..], &["-i", "-q", "postgres"]].concat());
    as_postgres(
        "pgbench",
        &[
            &to[..],
            &["-c", "4", "-j", "2", "-t", "25", "-n", "postgres"],
        ]
        .concat(),
    );
    run.agrees_with_proc("postgres");
    let pid = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    signal("INT", pid.lines().next().unwrap());
    run.end().agrees();
}

#[test]
fn a_thread_pool_in_python() {
    let _alone = alone();
    if is_refused() || lacks(&["python3"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = "
import concurrent.futures, os, socket, subprocess, sys, threading
def work(number):
    with open('/proc/self/stat') as one, open(os.devnull) as two:
        a, b = socket.socketpair()
        a.close(); b.close()
        return len(one.read())
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(work, range(400)))
    subprocess.run(['true'], check=True)
    print('ready', flush=True)
    sys.stdin.readline()
";
    let file = folder.path().join("pool.py");
    fs::write(&file, program).unwrap();
    let mut run = Run::start(None, &["python3", file.to_str().unwrap()]);
    run.wait_for_line("ready");
    run.agrees_with_proc("python3");
    run.answer("");
    run.end().agrees();
}

#[test]
fn a_thread_pool_in_java() {
    let _alone = alone();
    if is_refused() || lacks(&["javac", "java"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = "
import java.net.*; import java.nio.file.*; import java.util.concurrent.*;
public class Pool {
    public static void main(String[] arguments) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            ExecutorService pool = Executors.newFixedThreadPool(8);
            for (int i = 0; i < 100; i++) pool.submit(() -> {
                try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    return Files.readAllBytes(Path.of(\"/proc/self/stat\")).length;
                }
            });
            for (int i = 0; i < 100; i++) server.accept().close();
            pool.shutdown();
            pool.awaitTermination(1, TimeUnit.MINUTES);
            System.out.println(\"ready\");
            System.in.read();
        }
    }
}";
    fs::write(folder.path().join("Pool.java"), program).unwrap();
    finished(
        Command::new("javac")
            .arg("Pool.java")
            .current_dir(folder.path()),
    );
    let path = folder.path().to_str().unwrap();
    let mut run = Run::start(None, &["java", "-Xmx64m", "-cp", path, "Pool"]);
    run.wait_for_line("ready");
    run.agrees_with_proc("java");
    run.answer("");
    run.end().agrees();
}

#[test]
fn make_with_two_jobs() {
    let _alone = alone();
    if is_refused() || lacks(&["make"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut objects = String::new();
    for number in 0..12 {
        let code =
            format!("#include <stdio.h>\nint f{number}(void) {{ return puts(\"{number}\"); }}\n");
        fs::write(folder.path().join(format!("f{number}.c")), code).unwrap();
        objects += &format!(" f{number}.o");
    }
    fs::write(
        folder.path().join("main.c"),
        "int main(void) { return 0; }\n",
    )
    .unwrap();
    let makefile = format!("all: main.o{objects}\n\tgcc -o all main.o{objects}\n");
    fs::write(folder.path().join("Makefile"), makefile).unwrap();
    let at = folder.path().to_str().unwrap();
    Run::start(None, &["make", "-s", "-j2", "-C", at])
        .end()
        .agrees();
    assert!(Path::new(at).join("all").exists());
}

/// Whether one of these programs, or strace, is not installed: told on stdout; in CI that is a failure.
fn lacks(programs: &[&str]) -> bool {
    lacks_any(&[programs, &["strace"]].concat())
}

/// The same without strace.
pub(crate) fn lacks_any(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &str| std::env::split_paths(&path).any(|at| at.join(name).is_file());
    for program in programs {
        if !is_there(program) {
            println!("LACKING: {program} is not installed");
            return true;
        }
    }
    false
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn get(port: u16) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("hello\n"), "{answer}");
}

fn in_threads(count: u32, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(&work);
        }
    });
}

fn signal(name: &str, pid: &str) {
    finished(Command::new("kill").arg(format!("-{name}")).arg(pid.trim()));
}
