//! Parse, run, print the error, exit.
use inspector::source::{
    Request,
    ebpf::{load::LoadOptions, session},
};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut options = LoadOptions::default();
    if args[1] == "deaths" {
        options.set = inspector::source::ebpf::hook::ProbeSetKind::BirthsAndDeaths;
    }
    let mut running = session::start(&options).unwrap();
    let mut child = std::process::Command::new("sh")
        .arg("-c")
        .arg("read x; exec \"$@\"")
        .arg("sh")
        .args(&args[2..])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (tx, rx) = tokio::sync::oneshot::channel();
    running
        .requests
        .send(Request::Follow {
            tgid: inspector::event::id::Tgid(child.id()),
            done: tx,
        })
        .unwrap();
    println!("{:?}", rx.blocking_recv());
    drop(child.stdin.take());
    while let Some(b) = running.batches.blocking_recv() {
        for e in b.events {
            if e.what != inspector::event::What::Tick {
                println!("{} {:?}", e.at.0, e.what);
            }
        }
    }
    println!("{:?}", child.wait());
    let t = std::time::Instant::now();
    running.thread.join().unwrap();
    println!("{:?}", t.elapsed());
}
