//! What each part asks for.

use super::Run;
use super::cost::Costs;
use super::load::{Asks, Loop, Shared, Step};
use super::network::{Network, OF_SWITCH, PORTS};
use super::report::Phase;
use crate::client::Ask;
use crate::exit::Failure;
use crate::output::bar;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How often the line of progress is painted.
const PAINT: Duration = Duration::from_millis(200);

/// A path, by the network, how many ports it was filled with, and how many were asked for already.
type Path = fn(&Network, u32, u64) -> String;

const READS: [(&str, Path); 7] = [
    ("one port by name", |network, ports, n| {
        let number = u32::try_from(n * 7919 % u64::from(ports.max(1))).unwrap_or_default();
        format!("{PORTS}/{}", network.filled(number))
    }),
    ("list by name", |network, ports, n| {
        let number = u32::try_from(n * 7919 % u64::from(ports.max(1))).unwrap_or_default();
        format!("{PORTS}?name={}", network.filled(number))
    }),
    ("first page of 100", |_, _, _| PORTS.to_owned()),
    ("page of 100 anywhere", |_, _, n| {
        let at = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        format!("{PORTS}?cursor={at:08x}-0000-4000-8000-000000000000")
    }),
    ("last page", |_, _, _| {
        format!("{PORTS}?cursor=ffff0000-0000-4000-8000-000000000000")
    }),
    ("10 by owner", |_, _, _| {
        format!("{PORTS}?owned_by=purlin-bench&limit=10")
    }),
    ("10 sorted by name, 2 columns", |_, _, _| {
        format!("{PORTS}?sort=name&limit=10&fields=name,addresses")
    }),
];

impl Run<'_> {
    pub(super) async fn fill(&mut self) -> Result<(), Failure> {
        let (network, next) = (Arc::clone(&self.network), AtomicU32::new(0));
        let (ports, bulk) = (self.args.ports, self.args.bulk);
        let asks: Asks = Arc::new(move |_, _| {
            let from = next.fetch_add(bulk, Ordering::Relaxed);
            let to = from.saturating_add(bulk).min(ports);
            (from < to).then(|| Step {
                ask: network.bulk(from..to),
                counts: u64::from(to - from),
            })
        });
        let name = format!("fill, {bulk} ports in a request");
        let phase = self.looped(&name, self.args.bulk_connections, None, asks).await;
        self.report.ports_acknowledged += phase.done;
        self.report.phases.push(phase);
        Ok(())
    }

    pub(super) async fn create(&mut self) -> Result<(), Failure> {
        let network = Arc::clone(&self.network);
        let asks: Asks = Arc::new(move |connection, n| {
            // A switch of its own for every hundred ports of a connection.
            let each = u64::from(OF_SWITCH) + 1;
            let switch = format!("c{connection}-{}", n / each);
            Some(match n % each {
                0 => Step {
                    ask: network.switch(&switch),
                    counts: 0,
                },
                _ => Step {
                    ask: network.on(&switch, &format!("p{connection}-{n}")),
                    counts: 1,
                },
            })
        });
        let time = Some(self.args.duration);
        let phase = self
            .looped("create one port", self.args.connections, time, asks)
            .await;
        self.report.ports_acknowledged += phase.done;
        self.report.phases.push(phase);
        Ok(())
    }

    pub(super) async fn reads(&mut self) -> Result<(), Failure> {
        for (name, path) in READS {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let (network, ports) = (Arc::clone(&self.network), self.args.ports);
            // The first one may make an order of all rows; it is told by itself.
            let first = Instant::now();
            self.client().answer(Ask::get(path(&network, ports, 0))).await?;
            let first = first.elapsed();
            let asks: Asks = Arc::new(move |connection, n| {
                let n = n * 64 + u64::from(connection);
                Some(Step {
                    ask: Ask::get(path(&network, ports, n)),
                    counts: 1,
                })
            });
            let time = Some(self.args.duration);
            let name = format!("read: {name}");
            let mut phase = self.looped(&name, self.args.readers, time, asks).await;
            phase.first_us = Some(first.as_micros() as f64);
            self.report.phases.push(phase);
        }
        Ok(())
    }

    async fn looped(&mut self, name: &str, connections: u32, time: Option<Duration>, asks: Asks) -> Phase {
        let shared = Shared::default();
        let (began, before) = (Instant::now(), Costs::read(&self.processes));
        let load = Loop {
            endpoint: self.endpoint.clone(),
            connections,
            until: time.map(|time| began + time),
            stop: Arc::clone(&self.stop),
            asks,
        };
        let mut tasks = load.start(&shared);
        let mut paint = tokio::time::interval(PAINT);
        loop {
            tokio::select! {
                ended = tasks.join_next() => if ended.is_none() { break },
                _ = paint.tick() => {
                    let done = shared.lock().done;
                    let share = match time {
                        Some(time) => began.elapsed().as_secs_f64() / time.as_secs_f64(),
                        None => done as f64 / f64::from(self.args.ports),
                    };
                    self.line.show(|| format!("{} {name}: {done} done", bar(share)));
                }
            }
        }
        let (took, after) = (began.elapsed(), Costs::read(&self.processes));
        let tally = std::mem::take(&mut *shared.lock());
        Phase::of(name, connections, took, tally, &before.until(&after))
    }
}
