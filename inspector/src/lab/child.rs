//! The child's side: drop every privilege, say hello, carry out orders until the socket closes.

use std::{
    io,
    os::{fd::AsFd, unix::net::UnixStream},
    time::Instant,
};

use anyhow::{Context, ensure};
use rustix::{
    net::{AddressFamily, sockopt::socket_domain},
    process::{Signal, getuid, set_parent_process_death_signal},
    thread::set_name,
};

use super::{
    account::{self, Account},
    entry::{Born, Entry, EntryKind, Hold, Shared, Spec},
    map::{LifecycleMap, MapKind},
    policy::Policy,
    protocol::{Answer, KEY_BYTES, LINE_BYTES, Numbered, Order, PROTOCOL, Reply},
    told::Marker,
    wire::{Line, Wire},
};

/// The only map's id in the marks: any number would do.
const MAP_ID: u64 = 1;

/// Runs the child on the socket that is its standard input. Returns when that closes or the
/// harness says so; the caller then ends the process, whatever its keys still hold.
///
/// # Errors
///
/// A standard input that is no such socket, a privilege that could not be dropped, or a socket
/// that failed.
pub fn run(account: Option<&Account>) -> anyhow::Result<()> {
    account::close_inherited().context("what the lab's child inherited could not be closed")?;
    let stream = harness_socket()?;
    drop_privileges(account).context("the lab's child could not drop its privileges")?;
    // After the user changed, which clears it. Should the harness have died before this, its end
    // of the socket is closed, and the first read says so.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_name(c"inspector-lab")?;
    let nofile = account::raise_nofile();
    let mut child = Child {
        wire: Wire::new(stream),
        shared: Shared::open(),
        map: None,
    };
    child.say(
        None,
        Reply::Hello {
            protocol: PROTOCOL,
            uid: getuid().as_raw(),
            nofile,
        },
    )?;
    match child.serve() {
        // A harness that died with replies unread resets the socket: it closed, no more.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            ) =>
        {
            Ok(())
        }
        ended => Ok(ended?),
    }
}

fn harness_socket() -> anyhow::Result<UnixStream> {
    let stdin = io::stdin();
    ensure!(
        socket_domain(stdin.as_fd()).is_ok_and(|domain| domain == AddressFamily::UNIX),
        "lab-child is started by `inspector lab`, which gives it a socket as standard input; run `inspector lab` instead"
    );
    Ok(UnixStream::from(stdin.as_fd().try_clone_to_owned()?))
}

fn drop_privileges(account: Option<&Account>) -> io::Result<()> {
    account::close_bounding_set();
    if let Some(account) = account {
        account.become_it()?;
    }
    account::give_up_capabilities()
}

struct Child {
    wire: Wire,
    shared: Shared,
    map: Option<Map>,
}

struct Map {
    map: Box<dyn LifecycleMap>,
    marker: Marker,
}

impl Child {
    fn say(&mut self, seq: Option<u64>, reply: Reply) -> io::Result<()> {
        self.wire.write(&Answer { seq, reply })
    }

    fn serve(&mut self) -> io::Result<()> {
        loop {
            let line = match self.wire.read()? {
                Line::Whole(line) => line,
                Line::TooLong => {
                    let what = format!("this is no order: longer than {LINE_BYTES} bytes");
                    self.say(None, Reply::Error { what })?;
                    continue;
                }
                Line::Closed => return Ok(()),
            };
            match serde_json::from_slice::<Numbered>(&line) {
                Ok(Numbered {
                    order: Order::Quit, ..
                }) => return Ok(()),
                Ok(Numbered { seq, order }) => {
                    let reply = self
                        .carry_out(&order)
                        .unwrap_or_else(|what| Reply::Error { what });
                    self.say(Some(seq), reply)?;
                }
                Err(error) => {
                    let what = format!("this is no order: {error}");
                    self.say(None, Reply::Error { what })?;
                }
            }
        }
    }

    fn carry_out(&mut self, order: &Order) -> Result<Reply, String> {
        match order {
            Order::Start { map, repeat_marks } => self.start(*map, *repeat_marks),
            Order::Store {
                key,
                entry,
                hold,
                born,
                tick_ns,
            } => self.store(
                *entry,
                *born,
                &Spec {
                    key,
                    tick_ns: *tick_ns,
                    hold: *hold,
                    shared: &self.shared,
                },
            ),
            Order::Delete { key, policy, hold } => self.delete(key, *policy, *hold),
            Order::Count => Ok(Reply::Counted {
                keys: self.started()?.map.len() as u64,
            }),
            Order::Quit => unreachable!("the loop that reads orders ends at it"),
        }
    }

    fn start(&mut self, kind: MapKind, repeat_marks: bool) -> Result<Reply, String> {
        if self.map.is_some() {
            return Err("start comes once".to_owned());
        }
        self.map = Some(Map {
            map: kind.make(),
            marker: Marker::new(MAP_ID, repeat_marks),
        });
        Ok(Reply::Started { map_id: MAP_ID })
    }

    fn started(&self) -> Result<&Map, String> {
        self.map
            .as_ref()
            .ok_or_else(|| "start comes first".to_owned())
    }

    fn store(&self, kind: EntryKind, born: Born, spec: &Spec<'_>) -> Result<Reply, String> {
        let Map { map, marker } = self.started()?;
        let key = spec.key;
        if key.is_empty() || key.len() > KEY_BYTES {
            return Err(format!("a key has 1 to {KEY_BYTES} bytes"));
        }
        if map.visit(key, &mut |_| {}) {
            return Err(format!("{key} is in the map already"));
        }
        let began = Instant::now();
        let stored = match born {
            Born::Inside => {
                marker.store_begin(key);
                let stored = kind.open(spec).map(|mut value| {
                    if marker.repeats() {
                        own(marker, key, value.entry());
                    }
                    drop(map.insert(key, value));
                });
                marker.store_end(key);
                stored
            }
            Born::Before => kind.open(spec).map(|mut value| {
                marker.store_begin(key);
                own(marker, key, value.entry());
                drop(map.insert(key, value));
                marker.store_end(key);
            }),
        };
        let took_ns = nanoseconds_since(began);
        match stored {
            Ok(()) => Ok(Reply::Stored {
                took_ns,
                marks: marker.take_told(),
            }),
            Err(error) => Err(format!(
                "{key}: a {} could not be made: {error}",
                kind.name()
            )),
        }
    }

    fn delete(&self, key: &str, policy: Policy, hold: Option<Hold>) -> Result<Reply, String> {
        let Map { map, marker } = self.started()?;
        if let Some(hold) = hold {
            let mut held = true;
            map.visit(key, &mut |value| held = value.hold(hold));
            if !held {
                return Err(format!(
                    "{key}: a value that is stored already can be held plain or raii, not unclosed"
                ));
            }
        }
        let began = Instant::now();
        if !policy.delete(map.as_ref(), marker, key) {
            return Err(format!("{key} is not in the map"));
        }
        Ok(Reply::Deleted {
            took_ns: nanoseconds_since(began),
            marks: marker.take_told(),
        })
    }
}

/// Gives all of an entry to its key.
fn own(marker: &Marker, key: &str, entry: &Entry) {
    for number in entry.numbers() {
        marker.own_handle(key, number);
    }
    marker.own_thread(key, entry.tid());
}

fn nanoseconds_since(began: Instant) -> u64 {
    crate::duration::as_ns(began.elapsed())
}
