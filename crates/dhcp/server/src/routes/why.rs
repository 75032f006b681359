//! DHCP's part of a story: leases, decisions, and what it means when there are none.

mod words;

use super::text;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::clock::Clock;
use purlin_api::story::{Chapter, Subject, Teller, Who};
use purlin_dhcp_core::view::{DecisionQuery, LeaseView, Told};
use purlin_types::Mac;
use serde_json::{Map, Value};
use std::net::IpAddr;

use crate::{Found, Leases};

/// Pins of one machine that a story tells.
const PINS_MAX: usize = 8;
/// Clients behind one host name that are followed.
const CLIENTS_MAX: usize = 8;

/// Tells what DHCP knows.
#[derive(Debug, Clone)]
pub struct LeaseTeller {
    leases: Leases,
    clock: Clock,
}

/// Everything on record about a subject.
#[derive(Debug, Default)]
struct Record {
    leases: Vec<LeaseView>,
    /// Oldest first.
    decisions: Vec<Told>,
    /// Those of the addresses that are pinned to it, whoever has them.
    pinned: Vec<LeaseView>,
    /// Why leases may be missing.
    partial: Option<String>,
}

impl LeaseTeller {
    /// A member of stories: the machine's leases, as `Lease` of the API has them.
    pub const LEASES: &str = "leases";

    #[must_use]
    pub fn new(leases: Leases, clock: Clock) -> Self {
        Self { leases, clock }
    }

    async fn known(&self, subject: &Subject) -> Who {
        let leases = self.leases_of(subject).await.leases;
        let mut who = Who::default();
        for lease in &leases {
            who.macs.insert(lease.mac);
            who.addresses.insert(IpAddr::V4(lease.address));
            who.hostnames.extend(lease.hostname.clone());
            who.client_ids
                .extend(lease.client_id.as_deref().map(text::octets));
        }
        who.macs.remove(&Mac::default());
        while who.macs.len() > CLIENTS_MAX {
            who.macs.pop_last();
        }
        who
    }

    async fn chapter(&self, subject: &Subject, who: &Who, limit: usize) -> Chapter {
        let record = self.gather(subject, who, limit).await;
        let plan = self.leases.handle().plan();
        let told = words::tell(subject, &record, &plan, self.clock.secs());
        let shown = record
            .leases
            .iter()
            .map(|lease| text::held_lease(&self.leases, lease));
        let leases: Vec<Value> = shown.collect();
        let mut checks = told.checks;
        checks.extend(record.partial);
        Chapter {
            seen: told.seen,
            summary: told.summary,
            decisions: record.decisions.iter().map(decision).collect(),
            checks,
            more: Map::from_iter([(Self::LEASES.to_owned(), leases.into())]),
        }
    }

    async fn gather(&self, subject: &Subject, who: &Who, limit: usize) -> Record {
        let found = self.leases_of(subject).await;
        let mut record = Record {
            leases: found.leases,
            decisions: Vec::new(),
            pinned: self.of_pins(subject).await,
            partial: found.partial,
        };
        let by_mac = who.macs.iter().take(CLIENTS_MAX).map(|mac| DecisionQuery {
            mac: Some(*mac),
            limit,
            ..DecisionQuery::default()
        });
        let mut queries: Vec<DecisionQuery> = by_mac.collect();
        if let Subject::Address(IpAddr::V4(address)) = subject {
            queries.push(DecisionQuery {
                address: Some(*address),
                limit,
                ..DecisionQuery::default()
            });
        }
        for query in queries {
            record
                .decisions
                .extend(self.leases.handle().decisions(query).await);
        }
        let key = |told: &Told| {
            (
                told.decision.at,
                told.decision.seq,
                told.decision.mac,
                told.decision.xid,
            )
        };
        record.decisions.sort_by_key(key);
        record.decisions.dedup_by_key(|told| key(told));
        let extra = record.decisions.len().saturating_sub(limit);
        record.decisions.drain(..extra);
        record
    }
}

impl LeaseTeller {
    /// The leases of the addresses that are pinned to a machine.
    async fn of_pins(&self, subject: &Subject) -> Vec<LeaseView> {
        let Subject::Mac(mac) = subject else {
            return Vec::new();
        };
        let plan = self.leases.handle().plan();
        let mut leases = Vec::new();
        for pin in plan.pins().iter().filter(|pin| pin.mac == *mac).take(PINS_MAX) {
            leases.extend(self.leases.lease(pin.address).await.ok().flatten());
        }
        leases
    }

    /// The leases of a subject, whichever node holds them.
    async fn leases_of(&self, subject: &Subject) -> Found {
        match subject {
            Subject::Address(IpAddr::V4(address)) => match self.leases.lease(*address).await {
                Ok(lease) => Found {
                    leases: lease.into_iter().collect(),
                    ..Found::default()
                },
                Err(away) => Found {
                    partial: Some(away.to_string()),
                    ..Found::default()
                },
            },
            Subject::Address(IpAddr::V6(_)) => Found::default(),
            Subject::Mac(mac) => self.leases.of_machine(*mac).await,
            Subject::Name(name) => {
                let mut found = self.leases.find(name).await;
                let named =
                    |lease: &LeaseView| lease.hostname.as_deref().is_some_and(|own| same_host(own, name));
                found.leases.retain(named);
                found
            }
        }
    }
}

impl Teller for LeaseTeller {
    fn service(&self) -> &'static str {
        "dhcp"
    }

    fn who<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Who> {
        self.known(subject).boxed()
    }

    fn tell<'a>(&'a self, subject: &'a Subject, who: &'a Who, limit: usize) -> BoxFuture<'a, Chapter> {
        self.chapter(subject, who, limit).boxed()
    }
}

fn decision(told: &Told) -> Value {
    let mut value = text::decision(told);
    value["fix"] = text::fix(told).into();
    value
}

/// Whether a lease's host name is the one asked for, with or without its domain.
fn same_host(own: &str, asked: &str) -> bool {
    own.eq_ignore_ascii_case(asked)
        || own
            .split('.')
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case(asked))
}
