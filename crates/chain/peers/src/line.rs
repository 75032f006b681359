//! One connection that is up, as everybody else sees it.

use crate::hello::Hello;
use crate::lanes::{Lanes, Pushed};
use crate::{Direction, Event, PeerInfo, Settings};
use alloy_primitives::Address;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A connection that is up.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) hello: Hello,
    pub(crate) direction: Direction,
    pub(crate) since: Instant,
    /// Neither counted towards the limit nor dropped for it.
    pub(crate) precious: bool,
    pub(crate) lanes: Lanes,
    pub(crate) traffic: Traffic,
    address: SocketAddr,
    /// Messages are delivered as long as this is true, and one at a time.
    open: Mutex<bool>,
    end: Mutex<Option<String>>,
    ended: Notify,
}

#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) octets_in: AtomicU64,
    pub(crate) octets_out: AtomicU64,
    pub(crate) messages_in: AtomicU64,
    pub(crate) messages_out: AtomicU64,
    /// Nanoseconds; 0: not known yet.
    round_trip: AtomicU64,
}

impl Traffic {
    pub(crate) fn add(what: &AtomicU64, more: u64) {
        what.fetch_add(more, Relaxed);
    }

    pub(crate) fn round_trip(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.round_trip.store(nanos.max(1), Relaxed);
    }
}

impl Line {
    pub(crate) fn new(
        hello: Hello,
        direction: Direction,
        address: SocketAddr,
        precious: bool,
        settings: &Settings,
    ) -> Self {
        Self {
            hello,
            direction,
            since: Instant::now(),
            precious,
            lanes: Lanes::new(settings.queue_octets, settings.queue_messages),
            traffic: Traffic::default(),
            address,
            open: Mutex::new(true),
            end: Mutex::new(None),
            ended: Notify::new(),
        }
    }

    pub(crate) fn id(&self) -> Address {
        self.hello.id
    }

    /// Queues a message. One for which there is no room ends the connection: it would be missed for ever, and who
    /// meets again asks for what he missed.
    pub(crate) fn send(&self, message: Bytes) -> Pushed {
        let pushed = self.lanes.push(message);
        if pushed == Pushed::Full {
            self.end("it takes messages too slowly: its queue is full");
        }
        pushed
    }

    /// Ends the connection soon; the other side is told why. The first reason holds.
    pub(crate) fn end(&self, why: &str) {
        let mut end = self.end.lock().expect("no thread panics with it");
        if end.is_none() {
            *end = Some(why.to_owned());
            self.lanes.close(why);
            self.ended.notify_one();
        }
    }

    /// Why this side ends the connection, if it does.
    pub(crate) fn ending(&self) -> Option<String> {
        self.end.lock().expect("no thread panics with it").clone()
    }

    /// Waits until this side ends the connection; says why. For one waiter.
    pub(crate) async fn until_end(&self) -> String {
        loop {
            let ended = self.ended.notified();
            if let Some(why) = self.ending() {
                return why;
            }
            ended.await;
        }
    }

    /// Hands a message over, unless the peer is down meanwhile.
    pub(crate) fn deliver(&self, octets: Bytes, events: &dyn Fn(Event)) {
        Traffic::add(&self.traffic.messages_in, 1);
        let open = self.open.lock().expect("no thread panics with it");
        if *open {
            let from = self.id();
            events(Event::Message { from, octets });
        }
    }

    /// Nothing is delivered any more once this has returned.
    pub(crate) fn shut(&self) {
        *self.open.lock().expect("no thread panics with it") = false;
    }

    pub(crate) fn info(&self) -> PeerInfo {
        let round_trip = self.traffic.round_trip.load(Relaxed);
        PeerInfo {
            id: self.id(),
            address: self.address,
            listen_port: self.hello.port,
            direction: self.direction,
            name: self.hello.name.clone(),
            role: self.hello.role,
            since: self.since,
            round_trip: (round_trip > 0).then(|| Duration::from_nanos(round_trip)),
            octets_in: self.traffic.octets_in.load(Relaxed),
            octets_out: self.traffic.octets_out.load(Relaxed),
            messages_in: self.traffic.messages_in.load(Relaxed),
            messages_out: self.traffic.messages_out.load(Relaxed),
            octets_waiting: self.lanes.octets(),
        }
    }
}
