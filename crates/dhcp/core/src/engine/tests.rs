//! Conversations with the engine: packets in, answers and records out, time under the test's hand.

mod answers;
mod beside;
mod boots;
mod changes;
mod classes;
mod conversation;
mod floods;
mod keeping;
mod life;
mod pins;
mod restored;
mod rules;
mod serving;
mod shared;

impl super::Engine {
    /// How many addresses the first network's first pool has waiting as lapsed and as offered.
    fn waiting(&self) -> (usize, usize) {
        self.networks[0].as_ref().expect("one network").pools[0].waiting()
    }
}
