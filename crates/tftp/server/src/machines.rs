//! Which machine an address belongs to, for limits per machine: asked of DHCP on a thread that may wait.
//!
//! The first request from an address counts by the address; by the next one its machine is known.

use purlin_netio::now;
use purlin_tftp_core::Admission;
use purlin_tftp_files::Library;
use purlin_types::{BootTime, Mac};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Questions that wait at most; more are left out and asked again with a later request.
const WAITING_MAX: usize = 4096;
/// Addresses a packet thread remembers having asked about, one per place.
const PLACES: usize = 1024;
/// How long it does not ask again: leases change hands slowly.
const AGAIN_MILLIS: u64 = 60_000;

/// A packet thread's way to ask.
#[derive(Debug)]
pub(crate) struct Machines {
    questions: SyncSender<IpAddr>,
    asked: Vec<Option<(IpAddr, BootTime)>>,
}

/// Starts the thread that answers; it ends with the last of those who ask.
///
/// # Errors
/// When there is no thread to be had.
pub(crate) fn start(tree: Library, admission: Arc<Admission>) -> std::io::Result<SyncSender<IpAddr>> {
    let (questions, waiting) = sync_channel(WAITING_MAX);
    std::thread::Builder::new()
        .name("tftp-machines".to_owned())
        .spawn(move || answer(&waiting, &tree, &admission))?;
    Ok(questions)
}

fn answer(waiting: &Receiver<IpAddr>, tree: &Library, admission: &Admission) {
    for address in waiting {
        if let Some(mac) = tree.facts(address).and_then(|facts| facts.mac) {
            admission.identify(address, number(mac));
        }
    }
}

/// A hardware address as a number.
fn number(mac: Mac) -> u64 {
    let [a, b, c, d, e, f] = mac.0;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

impl Machines {
    pub(crate) fn new(questions: SyncSender<IpAddr>) -> Self {
        Self {
            questions,
            asked: vec![None; PLACES],
        }
    }

    /// Has the machine of `address` found out, unless that was done lately.
    pub(crate) fn ask(&mut self, address: IpAddr) {
        let now = now().boot;
        let place = &mut self.asked[place(address)];
        let lately =
            |(known, at): (IpAddr, BootTime)| known == address && now.millis_since(at) < AGAIN_MILLIS;
        if place.is_some_and(lately) || self.questions.try_send(address).is_err() {
            return;
        }
        *place = Some((address, now));
    }
}

fn place(address: IpAddr) -> usize {
    let bits = match address {
        IpAddr::V4(v4) => u64::from(u32::from(v4)),
        IpAddr::V6(v6) => (u128::from(v6) ^ (u128::from(v6) >> 64)) as u64,
    };
    // Fibonacci hashing: neighbours get places of their own.
    (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_about_once_a_minute() {
        let (questions, waiting) = sync_channel(8);
        let mut machines = Machines::new(questions);
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for address in [one, one, two, one, two] {
            machines.ask(address);
        }
        assert_eq!(waiting.try_iter().collect::<Vec<_>>(), [one, two]);
    }
}
