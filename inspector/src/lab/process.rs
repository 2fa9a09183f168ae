//! The harness's side of the child: start it, order it about, end it.

use std::{
    io::{self, Read as _},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt, process::ExitStatusExt},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use thiserror::Error;

use super::{
    account::Account,
    protocol::{Answer, Numbered, Order, PROTOCOL, Reply},
    wire::{Line, Wire},
};

/// How long one answer may take. The longest order waits for one thread to stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a child that was told to quit may take before it is killed.
const QUIT_PATIENCE: Duration = Duration::from_secs(2);

/// What goes wrong with the child.
#[derive(Debug, Error)]
pub enum LabError {
    /// It could not be started.
    #[error("the lab's child could not be started from {program}: {error}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// It ended.
    #[error(
        "the lab's child died ({status}) while it should {order}; what was seen until then stands"
    )]
    Died {
        /// How it ended.
        status: String,
        /// The order under way.
        order: String,
    },
    /// It said something that is not in the protocol.
    #[error("the lab's child answered nonsense to `{order}`: {what}; start the lab again")]
    Nonsense {
        /// The order under way.
        order: String,
        /// What it said, shortened.
        what: String,
    },
    /// It did not answer.
    #[error("the lab's child did not {order} within {} s; start the lab again", PATIENCE.as_secs())]
    Silent {
        /// The order under way.
        order: String,
    },
    /// It refused an order.
    #[error("the lab's child could not {order}: {what}")]
    Refused {
        /// The order.
        order: String,
        /// Why.
        what: String,
    },
    /// The socket failed.
    #[error("the socket to the lab's child failed while it should {order}: {error}")]
    Socket {
        /// The order under way.
        order: String,
        /// Why.
        error: io::Error,
    },
}

/// The running child. Dropping it ends it.
///
/// The kernel kills it when the *thread* that started it ends (`PR_SET_PDEATHSIG`): start it on
/// one that outlives it.
#[derive(Debug)]
pub struct LabChild {
    process: Child,
    wire: Wire,
    seq: u64,
    /// Descriptors it may open.
    pub nofile: u64,
    /// Its user.
    pub uid: u32,
}

impl LabChild {
    /// Starts `program lab-child` as `account` and waits for its hello; it then holds nothing
    /// and waits for orders. `/proc/self/exe` is this very program.
    ///
    /// # Errors
    ///
    /// See [`LabError`].
    pub fn start(program: &Path, account: Option<&Account>) -> Result<Self, LabError> {
        Self::start_with(program, account, Stdio::inherit())
    }

    /// The same, with a standard error of its own that is told with its death: a screen is drawn
    /// where this process's goes.
    ///
    /// # Errors
    ///
    /// See [`LabError`].
    pub fn start_aside(program: &Path, account: Option<&Account>) -> Result<Self, LabError> {
        Self::start_with(program, account, Stdio::piped())
    }

    fn start_with(
        program: &Path,
        account: Option<&Account>,
        errors: Stdio,
    ) -> Result<Self, LabError> {
        let failed = |error| LabError::Start {
            program: program.display().to_string(),
            error,
        };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        ours.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        ours.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        let mut command = Command::new(program);
        command
            .arg0("inspector-lab")
            .arg("lab-child")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(errors);
        if let Some(account) = account {
            let groups: Vec<_> = account.groups.iter().map(u32::to_string).collect();
            command
                .arg(format!("--uid={}", account.uid))
                .arg(format!("--gid={}", account.gid))
                .arg(format!("--groups={}", groups.join(",")));
        }
        let process = command.spawn().map_err(failed)?;
        // Only the child may hold its end, or its death would not close it.
        drop(command);
        let mut child = Self {
            process,
            wire: Wire::new(ours),
            seq: 0,
            nofile: 0,
            uid: 0,
        };
        let hello = "say hello";
        match child.answer(hello)? {
            Answer {
                seq: None,
                reply:
                    Reply::Hello {
                        protocol: PROTOCOL,
                        uid,
                        nofile,
                    },
            } => {
                child.uid = uid;
                child.nofile = nofile;
                Ok(child)
            }
            other => Err(nonsense(hello, &format!("{other:?}"))),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Gives an order and waits for the answer.
    ///
    /// # Errors
    ///
    /// See [`LabError`]; after anything but `Refused` the child is of no more use.
    pub fn order(&mut self, order: Order) -> Result<Reply, LabError> {
        let words = words(&order);
        self.seq += 1;
        let numbered = Numbered {
            seq: self.seq,
            order,
        };
        if let Err(error) = self.wire.write(&numbered) {
            return Err(self.broken(&words, error));
        }
        let answer = self.answer(&words)?;
        match answer.reply {
            _ if answer.seq != Some(self.seq) => Err(nonsense(&words, &format!("{answer:?}"))),
            Reply::Error { what } => Err(LabError::Refused { order: words, what }),
            reply => Ok(reply),
        }
    }

    /// Its death, if it has died.
    pub fn ended(&mut self) -> Option<LabError> {
        match self.process.try_wait() {
            Ok(Some(status)) => Some(LabError::Died {
                status: describe(status) + &self.last_words(),
                order: "be watched".to_owned(),
            }),
            Ok(None) | Err(_) => None,
        }
    }

    /// Tells it to end, and kills it if it does not.
    pub fn quit(mut self) {
        self.seq += 1;
        let quit = Numbered {
            seq: self.seq,
            order: Order::Quit,
        };
        // If this fails it has ended, or the drop below ends it.
        drop(self.wire.write(&quit));
        let until = Instant::now() + QUIT_PATIENCE;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn answer(&mut self, order: &str) -> Result<Answer, LabError> {
        match self.wire.read() {
            Ok(Line::Whole(line)) => serde_json::from_slice(&line)
                .map_err(|_| nonsense(order, &String::from_utf8_lossy(&line))),
            Ok(Line::TooLong) => Err(nonsense(order, "an endless line")),
            Ok(Line::Closed) => Err(self.died(order)),
            Err(error) => Err(self.broken(order, error)),
        }
    }

    fn broken(&mut self, order: &str, error: io::Error) -> LabError {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => self.died(order),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => LabError::Silent {
                order: order.to_owned(),
            },
            _ => LabError::Socket {
                order: order.to_owned(),
                error,
            },
        }
    }

    fn died(&mut self, order: &str) -> LabError {
        // Its socket is closed, so it is ending: a moment later its status is there.
        let until = Instant::now() + QUIT_PATIENCE;
        let status = loop {
            match self.process.try_wait() {
                Ok(Some(status)) => break describe(status) + &self.last_words(),
                Ok(None) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Ok(None) => break "its socket closed, the process lives".to_owned(),
                Err(error) => break format!("its status is unknown: {error}"),
            }
        };
        LabError::Died {
            status,
            order: order.to_owned(),
        }
    }
}

impl LabChild {
    /// What a dead child said on a standard error of its own.
    fn last_words(&mut self) -> String {
        /// More than any message has.
        const MOST: u64 = 4096;
        let mut said = Vec::new();
        if let Some(errors) = self.process.stderr.take() {
            // What can't be read was not said.
            let _partly_read = errors.take(MOST).read_to_end(&mut said);
        }
        let said = String::from_utf8_lossy(&said);
        match said.trim() {
            "" => String::new(),
            said => format!("; it said: {said}"),
        }
    }
}

impl Drop for LabChild {
    fn drop(&mut self) {
        // Fails only where it has ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("by signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "without a status".to_owned(),
    }
}

fn nonsense(order: &str, said: &str) -> LabError {
    let mut what: String = said.escape_debug().take(120).collect();
    if said.len() > 120 {
        what.push('…');
    }
    LabError::Nonsense {
        order: order.to_owned(),
        what,
    }
}

/// An order in words that finish "it should …".
fn words(order: &Order) -> String {
    match order {
        Order::Start { map, .. } => format!("make a {} map", map.name()),
        Order::Store { key, entry, .. } => format!("store {key} with a {}", entry.name()),
        Order::Delete { key, policy, .. } => format!("delete {key} by {}", policy.name()),
        Order::Count => "count its keys".to_owned(),
        Order::Quit => "quit".to_owned(),
    }
}
