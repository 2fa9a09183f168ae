//! Both sides of a handover, and who is turned away.

use std::{
    os::unix::process::ExitStatusExt as _,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use rustix::process::geteuid;

use super::*;

/// An offer whose name no other test has.
fn offer() -> Offer {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Offer::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap()
}

/// Accepts once; gives a pipe's ends and the number 4711 away.
fn give_one(offer: &Offer) -> io::Result<(UnixStream, PipeReader, PipeWriter)> {
    let began = Instant::now();
    let stream = offer.accept(|| began.elapsed() < Duration::from_secs(5))?;
    let (go_reader, go) = io::pipe()?;
    let (failed, failed_writer) = io::pipe()?;
    give(&stream, 4711, &go, &failed)?;
    Ok((stream, go_reader, failed_writer))
}

#[test]
fn root_is_given_the_command_its_pipes_and_its_end() {
    if !geteuid().is_root() {
        // What root would be given an ordinary user is not: see below.
        return;
    }
    let offer = offer();
    thread::scope(|scope| {
        let giver = scope.spawn(|| give_one(&offer).unwrap());
        let mut given = take(&offer.name, 0).unwrap();
        let (stream, mut go, mut failed) = giver.join().unwrap();
        assert_eq!(given.pid, 4711);
        given.go.write_all(b"g").unwrap();
        let mut byte = [0];
        go.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"g");
        failed.write_all(b"exec 2").unwrap();
        drop(failed);
        let mut said = String::new();
        given.failed.read_to_string(&mut said).unwrap();
        assert_eq!(said, "exec 2");
        for raw in [0, 3 << 8, 9] {
            tell(&stream, ExitStatus::from_raw(raw)).unwrap();
            assert_eq!(told(&given.status).unwrap(), ExitStatus::from_raw(raw));
        }
        // Whoever should tell the end is gone.
        drop(stream);
        told(&given.status).unwrap_err();
    });
}

#[test]
fn a_command_is_taken_only_from_the_user_who_called() {
    let offer = offer();
    let stranger = geteuid().as_raw() + 1;
    let refused = take(&offer.name, stranger).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    let nobody = take("inspector-no-such-offer", 0).unwrap_err();
    assert_eq!(nobody.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn nobody_but_root_is_given_a_command_and_nobody_waits_for_ever() {
    let offer = offer();
    let mut looks = 0;
    if !geteuid().is_root() {
        let _turned_away =
            UnixStream::connect_addr(&SocketAddr::from_abstract_name(&offer.name).unwrap());
    }
    let ended = offer.accept(|| {
        looks += 1;
        looks < 5
    });
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(looks, 5);
}
