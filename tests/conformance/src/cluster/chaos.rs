//! Faults after each other and at once, by a seed, under clients that remember.

mod claims;
mod crush;
mod fault;
mod outcome;
mod report;
mod strike;
mod struck;

pub use claims::Claims;
pub use crush::Slowness;
pub use fault::{Fault, Part};
pub use outcome::{Cost, Outcome};
pub use strike::Wound;
pub use struck::Struck;

use super::campus::{Campus, Plan, Standby};
use super::crowd::Crowd;
use super::dice::Dice;
use crush::Crush;
use std::time::{Duration, Instant};

/// How often the claims are looked at.
const LOOK: Duration = Duration::from_millis(700);
/// Between two faults.
const REST: Duration = Duration::from_millis(1500);
/// Clients with short leases, for half of whom there is no address; clients with long leases.
const CLIENTS: (u16, u16) = (700, 1800);
/// Wishes of all clients in a second: what debug builds on a shared machine do with ease.
const RATE: u32 = 350;

/// What to do.
#[derive(Debug, Clone)]
pub struct Orders {
    pub seed: u64,
    pub plan: Plan,
    /// These, in this order, some of them at once; without, whatever the dice say until the time is over.
    pub faults: Vec<Vec<Fault>>,
    /// How long to go on when no faults are named.
    pub length: Duration,
    /// The most that faults last longer than a takeover takes, by chance.
    pub linger: Duration,
    /// How long clients have the campus to themselves before the first fault.
    pub warm_up: Duration,
    /// Say what happens as it happens, on standard error.
    pub loud: bool,
}

/// A campus, its clients, and the troubles it has seen.
#[derive(Debug)]
pub struct Trial {
    pub campus: Campus,
    pub crowd: Crowd,
    pub claims: Claims,
    dice: Dice,
    orders: Orders,
    struck: Vec<Struck>,
    crush: Crush,
}

impl Trial {
    /// Sets everything up, with clients that have their addresses. `None` when this machine cannot run it.
    #[must_use]
    pub fn begin(orders: &Orders) -> Option<Self> {
        let campus = Campus::new(&orders.plan)?;
        let crowd = campus.crowd(CLIENTS.0, CLIENTS.1, RATE, orders.seed);
        let mut trial = Self {
            campus,
            crowd,
            claims: Claims::new(orders.plan.standby != Standby::Synchronous),
            dice: Dice::new(orders.seed),
            orders: orders.clone(),
            struck: Vec::new(),
            crush: Crush::default(),
        };
        trial.pass(orders.warm_up);
        Some(trial)
    }

    /// Does as ordered.
    #[must_use]
    pub fn run(mut self) -> Outcome {
        let named = std::mem::take(&mut self.orders.faults);
        for fault in &named {
            self.suffer(fault);
        }
        let end = Instant::now() + self.orders.length;
        while named.is_empty() && Instant::now() < end {
            let faults = self.choose();
            self.suffer(&faults);
        }
        self.finish()
    }

    /// One fault, or every third time one more in another part.
    fn choose(&mut self) -> Vec<Fault> {
        let fitting = self.orders.plan.fitting();
        let first = *self.dice.one_of(&fitting);
        let second = *self.dice.one_of(&fitting);
        let both = self.dice.below(3) == 0 && second.part() != first.part();
        // A command that a commit must follow would be asked for until the database is put right.
        let commands = |fault: Fault| fault.needs_whole_database();
        let database = |fault: Fault| fault.part() == Part::Database;
        let fits = |a: Fault, b: Fault| !(commands(a) && database(b)) && a != Fault::NodesRestartInTurn;
        let both = both && fits(first, second) && fits(second, first);
        // What heals the wire for one would heal it for the other.
        let wire = |fault: Fault| fault.part() == Part::Wire || fault.uses_wire();
        if both && !(wire(first) && wire(second)) {
            vec![first, second]
        } else {
            vec![first]
        }
    }

    /// Faults at once, for some seconds, and the way back.
    pub fn suffer(&mut self, faults: &[Fault]) {
        let began = self.crowd.now();
        let _ = self.crush.take();
        let wounds: Vec<Wound> = faults.iter().map(|fault| self.strike(*fault)).collect();
        let hold = self.how_long(faults);
        self.pass(hold);
        for wound in wounds.iter().rev() {
            self.campus.mend(wound);
        }
        self.crush.look();
        let back = self.campus.until_whole();
        self.crush.look();
        self.struck.push(Struck {
            faults: faults.to_vec(),
            who: wounds.iter().map(Wound::to_string).collect::<Vec<_>>().join("; "),
            began,
            ended: self.crowd.now(),
            back,
            slowness: self.crush.take(),
        });
        self.pass(REST);
        let (promises, owners) = (self.crowd.promises(), self.crowd.owners());
        self.tell(&format!(
            "  mended, whole {:.1} s later; {promises} promises, {owners} clients have an address",
            back.as_secs_f64()
        ));
    }

    fn strike(&mut self, fault: Fault) -> Wound {
        // Told before and after: what cannot be brought about shall have a name.
        self.tell(fault.name());
        let wound = self.campus.strike(fault, &mut self.dice);
        self.tell(&format!("  {wound}"));
        wound
    }

    /// Longer than a takeover takes, and by chance, where a fault does not say itself how long it lasts.
    fn how_long(&mut self, faults: &[Fault]) -> Duration {
        let most = usize::try_from(self.orders.linger.as_millis()).unwrap_or(usize::MAX);
        let chance = Duration::from_millis(self.dice.below(most) as u64);
        let least = self
            .orders
            .plan
            .takeover_limit()
            .saturating_sub(Duration::from_secs(2));
        let own = faults.iter().map(|fault| fault.lasts().unwrap_or(least + chance));
        own.max().unwrap_or_default()
    }

    /// Lets time pass, with an eye on the claims.
    pub fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let next = end.min(Instant::now() + LOOK);
            self.crush.look();
            if let Some(answer) = self.campus.databases.ask_briefly(Claims::QUERY) {
                self.claims.look(&answer);
            }
            std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Everybody asks once more for what is his; then the reckoning.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        self.tell("everybody asks once more");
        let memory = self.crowd.finish();
        let (struck, plan) = (self.struck, self.orders.plan);
        let mut outcome = Outcome::of(&memory, &self.claims, struck, &plan);
        if !outcome.faults.is_empty() {
            outcome.write_down(&memory, &self.campus);
            self.campus.keep();
        }
        outcome
    }

    fn tell(&self, what: &str) {
        if self.orders.loud {
            eprintln!("{:8.1} s  {what}", self.crowd.now().as_secs_f64());
        }
    }
}

impl Plan {
    /// Faults that this campus can have.
    #[must_use]
    pub fn fitting(&self) -> Vec<Fault> {
        let fits = |fault: &Fault| {
            let standby = match fault {
                Fault::StandbyCut | Fault::PrimaryKilled => self.standby != Standby::Absent,
                fault if fault.needs_synchronous() => self.standby == Standby::Synchronous,
                fault if fault.needs_asynchronous() => self.standby == Standby::Asynchronous,
                _ => true,
            };
            standby && (self.redis || !fault.needs_redis())
        };
        Fault::ALL.into_iter().filter(fits).collect()
    }

    /// Within what time of a node's loss everybody who has an address must be served again.
    #[must_use]
    pub fn takeover_limit(&self) -> Duration {
        Duration::from_secs(if self.takeover == "fast" { 5 } else { 20 })
    }
}
