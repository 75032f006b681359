//! Maglev's lookup table: one read per packet, and balancers that share nothing agree.
//!
//! Every backend has a permutation of the table's places and takes, turn by turn, the next one that is free, heavier ones
//! more often. A backend added or removed leaves nearly all other places as they are.
//!
//! Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4.

use crate::ring::mix;

/// Places: a prime, so that every skip visits all of them. The paper wants a hundred times the backends for shares
/// within 1 %.
const PLACES: u64 = 65_537;

/// No backend has a weight.
const NOBODY: u16 = u16::MAX;

#[derive(Debug)]
pub(super) struct Table {
    places: Vec<u16>,
}

struct Turn {
    index: u16,
    at: u64,
    skip: u64,
    weight: u64,
    /// Weight not yet used up by turns.
    credit: u64,
}

impl Table {
    /// For backends of these (name's key, weight); from the 65,535th on they are left out.
    pub(super) fn new(backends: &[(u64, u32)]) -> Self {
        let turn = |(index, &(key, weight)): (u16, &(u64, u32))| Turn {
            index,
            at: key % PLACES,
            skip: mix(key) % (PLACES - 1) + 1,
            weight: u64::from(weight),
            credit: 0,
        };
        let mut turns: Vec<(u64, Turn)> = (0..NOBODY)
            .zip(backends)
            .map(|pair| (pair.1.0, turn(pair)))
            .filter(|(_, t)| t.weight > 0)
            .collect();
        // By key: two balancers that list the same backends differently fill the same table.
        turns.sort_by_key(|&(key, _)| key);
        let mut turns: Vec<Turn> = turns.into_iter().map(|(_, turn)| turn).collect();
        let mut places = vec![NOBODY; PLACES as usize];
        let heaviest = turns.iter().map(|turn| turn.weight).max();
        if let Some(heaviest) = heaviest {
            fill(&mut places, &mut turns, heaviest);
        }
        Self { places }
    }

    /// The index of the backend at a hash's place.
    pub(super) fn get(&self, hash: u64) -> Option<usize> {
        let index = self.places[(hash % PLACES) as usize];
        (index != NOBODY).then_some(usize::from(index))
    }
}

fn fill(places: &mut [u16], turns: &mut [Turn], heaviest: u64) {
    let mut free = places.len();
    loop {
        for turn in turns.iter_mut() {
            turn.credit += turn.weight;
            if turn.credit < heaviest {
                continue;
            }
            turn.credit -= heaviest;
            while places[turn.at as usize] != NOBODY {
                turn.at = (turn.at + turn.skip) % PLACES;
            }
            places[turn.at as usize] = turn.index;
            free -= 1;
            if free == 0 {
                return;
            }
        }
    }
}
