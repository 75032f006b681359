//! Addresses that are pinned to machines, as far as a story is about them.

use super::super::PINS_MAX;
use super::{Record, Subject};
use purlin_dhcp_core::Plan;
use purlin_dhcp_core::pin::{Pin, PinConflict};
use purlin_dhcp_core::view::{LeaseState, LeaseView};
use std::net::IpAddr;

/// The pins of a subject, and what of them does not hold.
pub(super) struct Pinned<'a> {
    pins: Vec<(&'a Pin, Option<&'a PinConflict>)>,
}

impl<'a> Pinned<'a> {
    pub(super) fn of(subject: &Subject, record: &Record, plan: &'a Plan) -> Self {
        let its = |pin: &&Pin| match subject {
            Subject::Mac(mac) => pin.mac == *mac,
            Subject::Address(IpAddr::V4(address)) => pin.address == *address,
            Subject::Address(IpAddr::V6(_)) => false,
            Subject::Name(_) => record.leases.iter().any(|lease| lease.mac == pin.mac),
        };
        let conflict = |pin: &'a Pin| plan.pin_conflicts().iter().find(|conflict| conflict.pin == *pin);
        let pins = plan.pins().iter().filter(its).take(PINS_MAX);
        Self {
            pins: pins.map(|pin| (pin, conflict(pin))).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pins.is_empty()
    }

    /// A sentence for each.
    pub(super) fn words(&self, record: &Record) -> impl Iterator<Item = String> {
        self.pins.iter().map(move |(pin, conflict)| {
            let kept = match conflict {
                Some(conflict) => return format!("It does not hold as it is meant: {conflict}."),
                None => format!("{} is kept for {} by {}", pin.address, pin.mac, pin.by),
            };
            match record
                .pinned
                .iter()
                .chain(&record.leases)
                .find(|lease| others(pin, lease))
            {
                Some(lease) => format!(
                    "{kept}, and goes to it when the lease of {} has ended.",
                    lease.mac
                ),
                None => format!("{kept}."),
            }
        })
    }

    /// What to do about what does not hold.
    pub(super) fn fixes(&self) -> Vec<String> {
        let conflicts = self.pins.iter().filter_map(|(_, conflict)| *conflict);
        let mut fixes: Vec<String> = conflicts.map(|conflict| conflict.fix().to_owned()).collect();
        fixes.dedup();
        fixes
    }
}

/// Whether the pin's address is still another machine's.
fn others(pin: &Pin, lease: &LeaseView) -> bool {
    lease.address == pin.address && lease.mac != pin.mac && lease.state == LeaseState::Bound
}
