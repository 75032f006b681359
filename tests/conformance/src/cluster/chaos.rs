//! Faults after each other and at once, by a seed, under clients that remember.

mod claims;
mod fault;
mod outcome;
mod strike;

pub use claims::Claims;
pub use fault::{Fault, Part};
pub use outcome::Outcome;
pub use strike::Wound;

use super::campus::{Campus, Plan, Standby};
use super::crowd::{Crowd, Moment};
use super::dice::Dice;
use std::time::{Duration, Instant};

/// How often the claims are looked at.
const LOOK: Duration = Duration::from_millis(700);
/// How long clients have the campus to themselves before the first fault.
const WARM_UP: Duration = Duration::from_secs(8);
/// Clients with short leases, for half of whom there is no address; clients with long leases.
const CLIENTS: (u16, u16) = (700, 1800);
/// Wishes of all clients in a second: what debug builds on a shared machine do with ease.
const RATE: u32 = 350;

/// What to do.
#[derive(Debug, Clone)]
pub struct Orders {
    pub seed: u64,
    pub plan: Plan,
    /// These, in this order; without, whatever the dice say until the time is over.
    pub faults: Vec<Fault>,
    /// How long to go on when no faults are named.
    pub length: Duration,
    /// Say what happens as it happens.
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
    /// When each single node was lost, with nothing else wrong.
    losses: Vec<(Moment, Wound)>,
    /// When something harmless began and was over.
    calm: Vec<(Moment, Moment, Fault)>,
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
            losses: Vec::new(),
            calm: Vec::new(),
        };
        trial.pass(WARM_UP);
        Some(trial)
    }

    /// Does as ordered.
    #[must_use]
    pub fn run(mut self) -> Outcome {
        let named = std::mem::take(&mut self.orders.faults);
        for fault in &named {
            self.suffer(&[*fault]);
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
        let since = self.crowd.now();
        let wounds: Vec<Wound> = faults
            .iter()
            .map(|fault| {
                let began = self.crowd.now();
                let wound = self.campus.strike(*fault, &mut self.dice);
                self.tell(&format!("{fault} {} {}", wound.who, wound.other));
                if let ([_], true) = (faults, fault.is_a_loss_of_one_node()) {
                    let (who, other) = (wound.who.clone(), wound.other.clone());
                    self.losses.push((
                        began,
                        Wound {
                            fault: *fault,
                            who,
                            other,
                        },
                    ));
                }
                wound
            })
            .collect();
        let chance = Duration::from_millis(self.dice.below(3000) as u64);
        let hold = self
            .orders
            .plan
            .takeover_limit()
            .saturating_sub(Duration::from_secs(2))
            + chance;
        self.pass(hold);
        for wound in wounds.iter().rev() {
            self.campus.mend(wound);
        }
        let back = self.campus.until_whole();
        if let ([fault], true) = (faults, faults.iter().all(|fault| fault.is_harmless())) {
            self.calm.push((since, self.crowd.now(), *fault));
        }
        self.pass(Duration::from_millis(1500));
        let (promises, owners) = (self.crowd.promises(), self.crowd.owners());
        self.tell(&format!(
            "  mended, whole {:.1} s later; {promises} promises, {owners} clients have an address",
            back.as_secs_f64()
        ));
    }

    /// Lets time pass, with an eye on the claims.
    pub fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let next = end.min(Instant::now() + LOOK);
            if let Some(answer) = self.campus.databases.ask_briefly(Claims::QUERY) {
                self.claims.look(&answer);
            }
            std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Everybody asks once more for what is his; then the reckoning.
    #[must_use]
    pub fn finish(self) -> Outcome {
        self.tell("everybody asks once more");
        let memory = self.crowd.finish();
        Outcome::of(
            &memory,
            &self.claims,
            &self.losses,
            &self.calm,
            &self.orders.plan,
            &self.campus,
        )
    }

    fn tell(&self, what: &str) {
        if self.orders.loud {
            println!("{:8.1} s  {what}", self.crowd.now().as_secs_f64());
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
            standby && (self.redis || !fault.is_harmless())
        };
        Fault::ALL.into_iter().filter(fits).collect()
    }

    /// Within what time of a node's loss everybody who has an address must be served again.
    #[must_use]
    pub fn takeover_limit(&self) -> Duration {
        Duration::from_secs(if self.takeover == "fast" { 5 } else { 20 })
    }
}
