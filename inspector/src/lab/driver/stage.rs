//! The driver's thread: it owns the child and carries out one command after the other.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use super::{Command, Hooks, News, row::Mold, stock::Stock};
use crate::{
    event::id::Tgid,
    lab::{
        account::Account,
        entry::{Born, Hold},
        map::MapKind,
        process::{LabChild, LabError},
        protocol::{Order, Reply, ToldMark},
        watch,
    },
};

/// How often a child is looked at that has nothing to do.
const LOOK: Duration = Duration::from_millis(100);

/// Why what was under way ended early.
pub(super) enum Cut {
    /// Stop, reset or quit was said; the latter two wait.
    Told,
    /// The child is of no more use.
    Lost(String),
    /// Nobody hears the news.
    Unheard,
}

/// The thread's whole state.
pub(super) struct Stage {
    program: PathBuf,
    account: Option<Account>,
    hooks: Hooks,
    commands: Receiver<Command>,
    waiting: VecDeque<Command>,
    lab: Option<Lab>,
}

/// A child with what is known of it.
pub(super) struct Lab {
    pub(super) child: LabChild,
    pub(super) stock: Stock,
    /// Repeated, and not passed on yet.
    pub(super) marks: Vec<ToldMark>,
    /// When marks were passed on last.
    pub(super) passed: Instant,
}

impl Stage {
    pub(super) fn new(
        program: PathBuf,
        account: Option<Account>,
        hooks: Hooks,
        commands: Receiver<Command>,
    ) -> Self {
        Self {
            program,
            account,
            hooks,
            commands,
            waiting: VecDeque::new(),
            lab: None,
        }
    }

    /// Starts the first child and serves until the end.
    pub(super) fn run(mut self, map: MapKind) {
        let heard = self.serve(map);
        if let Some(lab) = self.lab.take() {
            lab.child.quit();
        }
        if heard {
            let _last_news = (self.hooks.news)(News::Ended);
        }
    }

    /// Whether the news were heard to the end.
    fn serve(&mut self, map: MapKind) -> bool {
        let mut ended = self.reset(map);
        loop {
            if let Err(Cut::Lost(why)) = ended {
                self.lab = None;
                ended = self.say(News::Died(why));
            }
            if matches!(ended, Err(Cut::Unheard)) {
                return false;
            }
            ended = match self.next() {
                Ok(Command::Quit) => return true,
                Ok(command) => self.carry_out(command),
                Err(cut) => Err(cut),
            };
        }
    }

    fn carry_out(&mut self, command: Command) -> Result<(), Cut> {
        match command {
            Command::Reset { map } => self.reset(map),
            Command::Stop | Command::Quit => Ok(()),
            _ if self.lab.is_none() => {
                self.refuse("there is no child to do it: start the lab anew first")
            }
            Command::Store { count, entry } => {
                let mold = Mold {
                    entry,
                    // Its delete will say otherwise where its policy means otherwise.
                    hold: Hold::Plain,
                    born: Born::Inside,
                };
                self.store(count, &mold, Duration::ZERO).map(drop)
            }
            Command::Delete { keys, policy } => {
                self.delete(keys, policy, Some(policy.hold()), Duration::ZERO)
            }
            Command::Play {
                scenario,
                variant,
                keys,
            } => self.play(scenario, variant, keys),
        }
    }

    fn reset(&mut self, map: MapKind) -> Result<(), Cut> {
        let lab = match self.fresh(map) {
            Ok(lab) => lab,
            Err(why) if self.lab.is_some() => {
                return self.refuse(&format!("{why}; the child before goes on"));
            }
            Err(why) => return Err(Cut::Lost(why)),
        };
        let (pid, uid) = (lab.child.pid(), lab.child.uid);
        if let Some(old) = self.lab.replace(lab) {
            old.child.quit();
        }
        self.say(News::Started { pid, uid, map })
    }

    /// A new child that is followed and has its map.
    fn fresh(&mut self, map: MapKind) -> Result<Lab, String> {
        let words = |error: LabError| error.to_string();
        let mut child =
            LabChild::start_aside(&self.program, self.account.as_ref()).map_err(words)?;
        let unwatched = |error| format!("the lab's child can't be watched: {error:#}");
        (self.hooks.follow)(child.pid()).map_err(unwatched)?;
        let repeat_marks = self.hooks.drain.is_some();
        child
            .order(Order::Start { map, repeat_marks })
            .map_err(words)?;
        if let Some(drain) = &mut self.hooks.drain {
            // What the child has by now was there before the first key.
            drain().map_err(unwatched)?;
        }
        Ok(Lab {
            child,
            stock: Stock::default(),
            marks: Vec::new(),
            passed: Instant::now(),
        })
    }

    /// Passes on what the child repeated, behind everything that the source saw until now.
    pub(super) fn pass_marks(&mut self) -> Result<(), Cut> {
        let lab = self.lab();
        let child = Tgid(lab.child.pid());
        let marks = std::mem::take(&mut lab.marks);
        if marks.is_empty() {
            return Ok(());
        }
        let drained = self.hooks.drain.as_mut().map_or(Ok(()), |drain| drain());
        // They are true even where the source has failed.
        self.say(News::Marks(watch::repeated(child, &marks)))?;
        let lab = self.lab();
        lab.passed = Instant::now();
        drained.map_err(|error| match lab.child.ended() {
            // A source that ends with the child is its death's consequence.
            Some(death) => Cut::Lost(death.to_string()),
            None => Cut::Lost(format!("the lab's child isn't seen any more: {error:#}")),
        })
    }

    /// Gives an order; what was refused is told by the inner error.
    pub(super) fn order(&mut self, order: Order) -> Result<Result<Reply, String>, Cut> {
        match self.lab().child.order(order) {
            Ok(reply) => Ok(Ok(reply)),
            Err(error @ LabError::Refused { .. }) => Ok(Err(error.to_string())),
            Err(error) => Err(Cut::Lost(error.to_string())),
        }
    }

    pub(super) fn lab(&mut self) -> &mut Lab {
        self.lab
            .as_mut()
            .expect("commands that need a child are refused where there is none")
    }

    pub(super) fn say(&mut self, news: News) -> Result<(), Cut> {
        if (self.hooks.news)(news) {
            Ok(())
        } else {
            Err(Cut::Unheard)
        }
    }

    pub(super) fn refuse(&mut self, why: &str) -> Result<(), Cut> {
        self.say(News::Refused(why.to_owned()))
    }

    /// The next command.
    fn next(&mut self) -> Result<Command, Cut> {
        loop {
            if let Some(command) = self.waiting.pop_front() {
                return Ok(command);
            }
            self.hear(LOOK)?;
        }
    }

    /// Lets this time pass, and hears everything that was said until then.
    pub(super) fn pause(&mut self, time: Duration) -> Result<(), Cut> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let heard = self.hear(left.min(LOOK))?;
            if !heard && left.is_zero() {
                return Ok(());
            }
        }
    }

    /// Hears one command, if one comes within this time; else looks whether the child lives.
    fn hear(&mut self, time: Duration) -> Result<bool, Cut> {
        let command = match self.commands.recv_timeout(time) {
            Ok(command) => command,
            Err(RecvTimeoutError::Disconnected) => Command::Quit,
            Err(RecvTimeoutError::Timeout) => {
                let death = self.lab.as_mut().and_then(|lab| lab.child.ended());
                return death.map_or(Ok(false), |death| Err(Cut::Lost(death.to_string())));
            }
        };
        match command {
            Command::Stop => {
                self.waiting.clear();
                Err(Cut::Told)
            }
            Command::Reset { .. } | Command::Quit => {
                self.waiting.clear();
                self.waiting.push_back(command);
                Err(Cut::Told)
            }
            Command::Store { .. } | Command::Delete { .. } | Command::Play { .. } => {
                self.waiting.push_back(command);
                Ok(true)
            }
        }
    }
}

/// The child answered something else than it was asked.
pub(super) fn nonsense(reply: &Reply) -> Cut {
    Cut::Lost(format!(
        "the lab's child answered nonsense ({reply:?}); start the lab again"
    ))
}
