//! A whole cluster from one seed: the product's coordinators, engines and row logs as several nodes, over a simulated
//! network, clocks and database, with clients that remember what they were promised.
//!
//! ```text
//!   seed ─► scene ─► world ─► events in order ─► nothing broken | what, when, and the last lines of the story
//! ```
//!
//! A run is a function of its seed: what one seed found is found again by the same seed. Nothing here reads a clock,
//! opens a socket or starts a thread.

mod check;
mod client;
mod clock;
mod database;
mod mutation;
mod node;
mod queue;
mod random;
mod redis;
mod scene;
mod tally;
mod trace;
mod world;

pub use check::Broken;
pub use mutation::{Mutation, RULES, Rule};
pub use scene::Mix;
pub use tally::Tally;
pub use trace::Level;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    pub mix: Mix,
    pub broken: Option<Broken>,
    pub tally: Tally,
    /// Equal for two runs that went alike.
    pub digest: u64,
    /// The last lines of the story, when it was told.
    pub story: Vec<String>,
}

impl Outcome {
    /// What came of it in a line, and how to see it again.
    #[must_use]
    pub fn verdict(&self) -> String {
        let seed = self.seed;
        let mix = match self.mix {
            Mix::Any => String::new(),
            mix => format!(" --mix {}", mix.name()),
        };
        match &self.broken {
            None => format!("seed {seed}: everything held"),
            Some(broken) => format!(
                "seed {seed}: {} broken at {:.3} s: {}\n  again: cargo run -p purlin-sim -- --seed {seed}{mix} --trace",
                broken.rule,
                broken.at as f64 / 1e9,
                broken.what
            ),
        }
    }
}

/// Lives one cluster's life, with all kinds of faults. `without` leaves a rule out.
#[must_use]
pub fn run(seed: u64, without: Option<Mutation>, level: Level) -> Outcome {
    run_mix(seed, Mix::Any, without, level)
}

/// The same with the faults of a mix.
#[must_use]
pub fn run_mix(seed: u64, mix: Mix, without: Option<Mutation>, level: Level) -> Outcome {
    let mut world = world::World::new(seed, mix, without, level);
    world.run();
    Outcome {
        seed,
        mix,
        broken: world.check.broken().cloned(),
        tally: world.tally,
        digest: world.trace.digest(),
        story: world.trace.into_lines(),
    }
}
