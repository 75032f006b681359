//! Statements on their way to a database and back: late, lost, hanging, or done without a word.

mod claims;

use super::{Event, Local, World};
use crate::clock::{MILLI, SECOND};
use crate::database::Write;
use crate::mutation::Mutation;
use crate::node::{Ask, Body, Waiting, Way, unknown};
use claims::{claims, denied};
use purlin_fabric::port::Candidate;
use purlin_fabric::{Action, Input};
use purlin_store::{FenceFault, Standing, Written};
use purlin_types::{BootTime, Epoch, Slot};

/// How long a row log waits before it asks again how far the copies are, while it waits for them and while not.
const STANDING_PAUSES: [u64; 2] = [25 * MILLI, 500 * MILLI];

/// What a node asks.
#[derive(Debug)]
pub(crate) enum Question {
    Claims {
        asked: BootTime,
        action: Action,
    },
    Write(Write, Waiting<Written>),
    Load {
        table: &'static str,
        slots: Vec<Slot>,
        epochs: Vec<(Slot, Epoch)>,
    },
    /// For the row log, or for the loader.
    Standing(Option<Waiting<Standing>>),
}

/// What it is told.
#[derive(Debug)]
pub(crate) enum Answer {
    Claims(Input),
    Written(Result<Written, FenceFault>, Waiting<Written>),
    Loaded(&'static str, Option<Vec<Body>>),
    Standing(Result<Standing, FenceFault>, Option<Waiting<Standing>>),
}

/// A question under way.
#[derive(Debug)]
pub(crate) struct Statement {
    node: usize,
    by: Candidate,
    database: usize,
    /// `None` once the node has given up waiting; the database may not know.
    question: Option<Question>,
    /// What it does when its sender is gone.
    orphan: Option<Write>,
    /// Real time at which its sender gives up.
    give_up: u64,
    back: u64,
}

impl Question {
    fn writes(&self) -> bool {
        match self {
            Self::Claims { action, .. } => !matches!(action, Action::View),
            Self::Write(..) => true,
            Self::Load { .. } | Self::Standing(_) => false,
        }
    }

    /// Whether its answer waits for a standby that commits wait for. Rows are read under locks so that they do.
    fn waits(&self) -> bool {
        self.writes() || matches!(self, Self::Load { .. })
    }

    /// The connections that it goes over.
    const fn way(&self) -> Way {
        match self {
            Self::Claims { .. } => Way::Claims,
            Self::Write(..) | Self::Load { .. } | Self::Standing(_) => Way::Rows,
        }
    }

    fn write(&self) -> Option<&Write> {
        match self {
            Self::Write(write, _) => Some(write),
            Self::Claims { .. } | Self::Load { .. } | Self::Standing(_) => None,
        }
    }

    /// The answer that says nothing.
    fn silence(self) -> Option<Answer> {
        Some(match self {
            Self::Claims { asked, action } => Answer::Claims(denied(asked, action)?),
            Self::Write(_, answer) => Answer::Written(Err(unknown()), answer),
            Self::Load { table, .. } => Answer::Loaded(table, None),
            Self::Standing(answer) => Answer::Standing(Err(unknown()), answer),
        })
    }
}

impl World {
    /// Sends a question to the database that the node is connected to.
    pub(super) fn state(&mut self, node: usize, question: Question) {
        let patience = match question {
            Question::Claims { .. } => self.scene.timing.ttl.as_nanos() as u64,
            Question::Write(..) | Question::Load { .. } | Question::Standing(_) => 2 * self.scene.pace,
        };
        let (mut there, mut back) = (self.delay(), self.delay());
        // The log's writer stands still with all else.
        let held = self.nodes[node].fabric_until.saturating_sub(self.real);
        there += held;
        if self.disturbed(self.scene.slow) {
            let late = if self.random.chance(500) {
                &mut there
            } else {
                &mut back
            };
            *late += self.random.below(3 * self.scene.pace);
        }
        if self.databases[self.nodes[node].machine.database].slow_until > self.real {
            there += self.random.below(self.scene.pace);
        }
        let statement = Statement {
            node,
            by: self.nodes[node].me.clone(),
            database: self.nodes[node].machine.database,
            orphan: None,
            question: Some(question),
            give_up: self.real + held + patience,
            back,
        };
        let arrives = self.real + there;
        if self.disturbed(self.scene.unknowns / 2) {
            self.hush(statement);
        } else if arrives > statement.give_up {
            self.overtake(statement, arrives);
        } else {
            self.queue.put(self.real + there, Event::Arrive(statement));
        }
    }

    /// The sender gives up, and what it has sent arrives all the same.
    fn overtake(&mut self, statement: Statement, arrives: u64) {
        let write = statement.question.as_ref().and_then(Question::write).cloned();
        if let Some(write) = write {
            let orphan = Statement {
                by: statement.by.clone(),
                question: None,
                orphan: Some(write),
                ..statement
            };
            self.queue.put(arrives, Event::Arrive(orphan));
        }
        self.hush(statement);
    }

    /// A row log asks.
    pub(super) fn ask_for(&mut self, node: usize, ask: Ask) {
        if self.nodes[node].alive {
            let question = match ask {
                Ask::Write(write, answer) => Question::Write(write, answer),
                Ask::Standing(answer) => Question::Standing(Some(answer)),
            };
            self.state(node, question);
        }
    }

    fn disturbed(&mut self, per_mille: u64) -> bool {
        !self.calm && self.random.chance(per_mille)
    }

    fn delay(&mut self) -> u64 {
        self.random.between(MILLI / 4, 12 * MILLI)
    }

    /// Nobody knows: told when the sender gives up.
    fn hush(&mut self, mut statement: Statement) {
        let question = statement.question.take();
        if let Some(answer) = question.and_then(Question::silence) {
            let at = statement.give_up.max(self.real);
            self.queue
                .put(at, Event::On(statement.node, Local::Answer(answer)));
        }
    }

    pub(super) fn arrive(&mut self, mut statement: Statement) {
        let machine = &self.nodes[statement.node].machine;
        let cut = statement.question.as_ref().is_some_and(|question| {
            let ways = [Way::Database, Way::Out, question.way()];
            ways.iter().any(|&way| machine.is_cut(way, self.real))
        });
        let database = &self.databases[statement.database];
        let writes = statement.question.as_ref().is_none_or(Question::writes);
        if writes && database.up && database.full && !cut {
            // It says so at once.
            statement.give_up = statement.give_up.min(self.real + statement.back);
        }
        if !database.up || cut || (writes && database.full) {
            self.hush(statement);
            return;
        }
        let waits = statement.question.as_ref().is_none_or(Question::waits);
        if waits && database.hangs() {
            self.hang(statement);
            return;
        }
        if self.mutation == Some(Mutation::UnlockedFence)
            && !self.calm
            && let Some(write) = statement.question.as_ref().and_then(Question::write)
            && database.lost(self.real, &write.held).is_empty()
        {
            let patience = self.scene.timing.patience().as_nanos() as u64;
            let most = if self.random.chance(500) {
                self.scene.pace
            } else {
                4 * patience
            };
            let wait = self.random.below(most);
            statement.give_up = statement.give_up.max(self.real + wait + statement.back);
            self.queue.put(self.real + wait, Event::Slip(statement));
            return;
        }
        self.execute(statement);
    }

    /// The claims were looked at; now the rows.
    pub(super) fn slip(&mut self, mut statement: Statement) {
        let Some(Question::Write(write, answer)) = statement.question.take() else {
            return;
        };
        self.judge(statement.database, &write);
        let outcome = self.databases[statement.database].write_unfenced(&write);
        let at = self.real + statement.back;
        self.queue.put(
            at,
            Event::On(statement.node, Local::Answer(Answer::Written(outcome, answer))),
        );
    }

    /// The commit waits for a standby that does not answer. When the sender gives up, the wait is cancelled, which leaves
    /// the commit on this server alone; or nobody cancels it.
    fn hang(&mut self, mut statement: Statement) {
        if self.real < statement.give_up {
            let at = (self.real + SECOND / 5).min(statement.give_up);
            self.queue.put(at, Event::Arrive(statement));
            return;
        }
        let write = statement.question.as_ref().and_then(Question::write).cloned();
        if let Some(question) = statement.question.take() {
            let cancelled = self.random.chance(500);
            if cancelled {
                let _ = self.ask(&statement, &question);
            }
            statement.orphan = write.filter(|_| !cancelled);
            if let Some(answer) = question.silence() {
                self.queue
                    .put(self.real, Event::On(statement.node, Local::Answer(answer)));
            }
        }
        if statement.orphan.is_some() {
            self.queue.put(self.real + SECOND / 5, Event::Arrive(statement));
        }
    }

    fn execute(&mut self, mut statement: Statement) {
        if let Some(orphan) = statement.orphan.take() {
            self.commit(statement.database, &orphan).ok();
            return;
        }
        let Some(question) = statement.question.take() else {
            return;
        };
        let answer = self.ask(&statement, &question);
        let at = self.real + statement.back;
        let machine = &self.nodes[statement.node].machine;
        let ways = [Way::Database, Way::In, question.way()];
        let cut = ways.iter().any(|&way| machine.is_cut(way, at));
        if cut || at > statement.give_up || self.disturbed(self.scene.unknowns) {
            self.trace.say(self.real, || {
                format!("node {}: an answer is lost", statement.node)
            });
            statement.question = Some(question);
            self.hush(statement);
            return;
        }
        let answer = match (answer, question) {
            (Done::Claims(input), _) => Answer::Claims(input),
            (Done::Written(outcome), Question::Write(_, sender)) => Answer::Written(outcome, sender),
            (Done::Loaded(rows), Question::Load { table, .. }) => Answer::Loaded(table, Some(rows)),
            (Done::Standing(standing), Question::Standing(answer)) => Answer::Standing(Ok(standing), answer),
            _ => return,
        };
        self.queue
            .put(at, Event::On(statement.node, Local::Answer(answer)));
    }

    fn ask(&mut self, statement: &Statement, question: &Question) -> Done {
        let real = self.real;
        match question {
            Question::Claims { asked, action } => {
                self.load_early(statement.node, statement.database, action);
                let former = self.former_life(statement.database, action);
                let database = &mut self.databases[statement.database];
                let done = claims(database, real, &statement.by, (*asked, action));
                if let Some(Input::Claimed {
                    wishes,
                    outcome: Ok(epochs),
                    ..
                }) = &done
                {
                    self.check.granted(real, statement.node, wishes, epochs);
                }
                if let (Some(former), Some(Input::Enrolled { outcome: Ok(_), .. })) = (&former, &done)
                    && self.counts(statement.database)
                {
                    self.replaced(former);
                }
                done.map_or(Done::Nothing, Done::Claims)
            }
            Question::Write(write, _) => Done::Written(self.commit(statement.database, write)),
            Question::Load { table, slots, epochs } => {
                let database = &mut self.databases[statement.database];
                epochs
                    .iter()
                    .for_each(|&(slot, epoch)| database.note_read(slot, epoch));
                Done::Loaded(database.load(table, slots))
            }
            Question::Standing(_) => Done::Standing(self.databases[statement.database].standing(real)),
        }
    }

    /// Whether what a database takes in can come to matter: not on a former primary whose standby, which every commit
    /// waits for, has become the primary.
    fn counts(&self, database: usize) -> bool {
        database + 1 == self.databases.len() || !self.databases[database].hangs()
    }

    fn commit(&mut self, database: usize, write: &Write) -> Result<Written, FenceFault> {
        let outcome = self.databases[database].lost(self.real, &write.held);
        if outcome.is_empty() {
            self.judge(database, write);
        }
        let outcome = self.databases[database].write(self.real, write);
        if let Some(key) = self.databases[database].gone_back {
            let address = std::net::Ipv4Addr::from(key as u32);
            self.check.fail(self.real, "R7", || {
                format!("the record of {address} goes back to what was said of it earlier")
            });
        }
        self.trace.say(self.real, || {
            let rows = write.rows.iter().map(|row| {
                let address = std::net::Ipv4Addr::from(row.key as u32);
                let claims = if row.unique.is_some() { "+" } else { "-" };
                format!("{address}{claims}v{}", row.version)
            });
            let rows = rows.collect::<Vec<_>>().join(" ");
            match &outcome {
                Ok(_) => format!("written: {} {rows}", write.table),
                Err(fault) => format!("not written ({fault}): {} {rows}", write.table),
            }
        });
        outcome
    }

    /// Rows are about to come in: is anybody reading them too early for that? (I4)
    fn judge(&mut self, database: usize, write: &Write) {
        if let Some(slot) = self.databases[database].too_late(write) {
            self.check.late_row(self.real, slot);
        }
    }

    /// Tells the others to look, when something has changed, over a channel that may lose, delay and double that.
    fn hint(&mut self, by: usize, input: &Input) {
        let changes = matches!(
            input,
            Input::Released { outcome: Ok(()), .. } | Input::Advanced { outcome: Ok(()), .. }
        );
        if !changes || self.nodes[by].machine.is_cut(Way::Redis, self.real) {
            return;
        }
        for node in self.living() {
            let hears = !self.nodes[node].machine.is_cut(Way::Redis, self.real);
            if node == by || !hears || !self.redis.carries(self.real, by, node) {
                continue;
            }
            for _ in 0..self.copies() {
                let wait = self.wire_delay();
                self.later(node, wait, Local::Input(Input::Hinted));
            }
            if let Some(wait) = self.redis.echo(self.real, self.scene.pace, &mut self.random) {
                self.later(node, wait, Local::Input(Input::Hinted));
            }
        }
    }

    /// A node that has renewed its lease shows a sign of life.
    fn sign(&mut self, node: usize, input: &Input) {
        let it = &self.nodes[node];
        if matches!(input, Input::Renewed { outcome: Ok(_), .. }) && !it.machine.is_cut(Way::Redis, self.real)
        {
            self.redis.sign(self.real, it.me.id.as_str());
        }
    }

    pub(super) fn answered(&mut self, node: usize, answer: Answer) {
        match answer {
            Answer::Claims(mut input) => {
                self.hint(node, &input);
                self.sign(node, &input);
                self.mislead(node, &mut input);
                self.drive(node, input);
            }
            Answer::Loaded(table, rows) => self.loaded(node, table, rows),
            Answer::Standing(standing, None) => self.stands(node, standing.ok()),
            Answer::Standing(standing, Some(waiting)) => {
                self.trace.say(self.real, || match &standing {
                    Ok(standing) => format!(
                        "node {node}: the store is on {}, copies {:?}",
                        standing.timeline, standing.copies
                    ),
                    Err(fault) => format!("node {node}: the store does not say how it stands: {fault}"),
                });
                let _ = waiting.send(standing);
                // The log asks again after one of its two pauses.
                for pause in STANDING_PAUSES {
                    self.queue.put(self.real + pause + MILLI, Event::Pump);
                }
                self.pump();
            }
            Answer::Written(outcome, sender) => {
                let again = outcome.is_err();
                // The log may have been dropped.
                let _ = sender.send(outcome);
                let failures = if again { self.nodes[node].failures + 1 } else { 0 };
                self.nodes[node].failures = failures;
                if again {
                    // The writer pauses 20 ms, then twice as long each time, up to a second.
                    let pause = ((20 * MILLI) << failures.min(6)).min(SECOND);
                    self.queue.put(self.real + pause / 2 + MILLI, Event::Pump);
                    self.queue.put(self.real + pause + MILLI, Event::Pump);
                }
                self.pump();
            }
        }
    }
}

enum Done {
    Nothing,
    Claims(Input),
    Written(Result<Written, FenceFault>),
    Loaded(Vec<Body>),
    Standing(Standing),
}
