//! The rules in a model checker: every interleaving of two nodes, two clients and one address within a horizon.
//!
//! The node's lease, its watch over the other and the right to claim are the product's own functions; the store, the
//! clients and rules R1 to R4 (what a client may be promised) are written down here. Time is counted in ticks: TTL is one
//! (in one scene one and a half), clocks agree, so the guard is nothing. What takes time in the world is several steps here: a renewal is
//! committed, then answered; a claim is granted, then learnt of; a write is under way for as long as it likes.
//!
//! Each rule has a [`Mutation`] that leaves it out. The full set must hold in every state of every scene; each mutation
//! must be caught in its scene.

mod checks;
mod node;
mod scene;
mod store;

use node::Node;
pub(crate) use scene::{Mutation, Scene, Start};
use stateright::{Model, Property};
use store::Rows;

pub(crate) const NODES: usize = 2;
pub(crate) const CLIENTS: usize = 2;

/// The world at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) time: u8,
    pub(crate) store: Rows,
    /// What a failover goes back to.
    pub(crate) standby: Option<Box<Rows>>,
    pub(crate) nodes: [Node; NODES],
    /// Until when each client believes the address its own; 0 for never.
    pub(crate) clients: [u8; CLIENTS],
    /// The newest epoch under which anybody decided.
    pub(crate) newest: store::Term,
    pub(crate) epoch_fell: bool,
    /// Nobody has asked for the address yet.
    pub(crate) newcomer: bool,
}

/// What can happen next. Numbers are nodes, then clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Tick,
    Renewal(usize),
    RenewalAnswered(usize),
    Look(usize),
    Claim(usize),
    Granted(usize),
    Release(usize),
    Settle(usize),
    Window(usize),
    Request(usize, usize),
    Flush(usize),
    Write(usize),
    Written(usize),
    Replicate,
    FailOver,
}

impl State {
    /// How many clients can be told apart, one that nobody has heard of included.
    fn strangers(&self) -> usize {
        if self.newcomer { 1 } else { CLIENTS }
    }
}

impl Model for Scene {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![self.first_state()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.time < self.horizon {
            steps.push(Step::Tick);
        }
        for n in 0..NODES {
            steps.extend([
                Step::Renewal(n),
                Step::RenewalAnswered(n),
                Step::Look(n),
                Step::Claim(n),
                Step::Granted(n),
                Step::Release(n),
                Step::Settle(n),
                Step::Window(n),
                Step::Flush(n),
                Step::Write(n),
                Step::Written(n),
            ]);
            // Who comes first is client 0: they differ in nothing else.
            let known = if self.start == Start::Held {
                state.strangers()
            } else {
                CLIENTS
            };
            steps.extend((0..known).map(|client| Step::Request(n, client)));
        }
        if self.lossy {
            steps.extend([Step::Replicate, Step::FailOver]);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        self.apply(&mut state, step)?;
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "I1: no two clients hold the address",
                |_: &Self, state: &State| {
                    state.clients.iter().filter(|&&until| until > state.time).count() < 2
                },
            ),
            Property::always("I2: no two nodes decide", |scene: &Self, state: &State| {
                let decides = |node: &&Node| node.decides(scene, state.time);
                scene.mutation == Some(Mutation::NoTimeLease)
                    || state.nodes.iter().filter(decides).count() < 2
            }),
            Property::always("I3: epochs rise", |_: &Self, state: &State| !state.epoch_fell),
        ]
    }
}
