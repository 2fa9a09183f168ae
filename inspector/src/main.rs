//! Parse, run, print the error, exit.
fn main() {
    let t = std::time::Instant::now();
    let l = inspector::source::ebpf::load::load(&Default::default()).unwrap();
    println!("load+attach {:?}", t.elapsed());
    let t = std::time::Instant::now();
    drop(l);
    println!("drop {:?}", t.elapsed());
}
