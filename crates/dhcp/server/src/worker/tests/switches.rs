//! Each switch of the packet path, on and off: the same answers, other counts. Packets wait in the socket before the
//! thread looks, so that what it finds together is known.

use super::*;
use crate::ports::Ports;
use purlin_dhcp_core::settings::{AckMode, ConflictCheck, Settings};
use purlin_dhcp_proto::{Composer, Message, MessageType, code};
use purlin_netio::{BATCH, Outgoing, RecvBatch, SendBatch, UdpOptions, UdpPort};
use std::net::UdpSocket;

const CLIENTS: u32 = 150;

/// One packet thread that is turned by hand, and a relay beside it.
struct Bench {
    worker: Worker,
    relay: UdpSocket,
    port: u32,
}

impl Bench {
    fn new(switches: Switches, change: impl FnOnce(&mut Settings)) -> Self {
        let mut faults = Faults::default();
        let document = Document::parse([Input::builtin("demo.toml", reader::demo())], &mut faults);
        let mut settings = reader::read(&document, &mut faults).expect("the demo has no faults");
        settings.listen = vec!["127.0.0.1:0".parse().expect("an address")];
        change(&mut settings);
        let plan = Plan::compile(&settings, None);
        let waker = Arc::new(Waker::new().expect("descriptors are left"));
        let (_, tasks) = std::sync::mpsc::channel();
        let mut worker = Worker::new(Parts {
            own: None,
            shard: 0,
            shards: 1,
            engine: Engine::new(Arc::clone(&plan), 0, 1, 1),
            log: Log::new(Box::new(Counting::default()), None, []),
            switches,
            tasks,
            waker: Arc::clone(&waker),
            inboxes: Arc::from([Inbox::new(waker)]),
            health: Arc::new(watch::Sender::new(Health::of(1))),
            reports: Arc::from([Mutex::default()]),
        })
        .expect("descriptors are left");
        let mut ports = Ports::new(1, 1 << 20);
        let prepared = ports.prepare(&settings).expect("a port is free");
        ports.adopt(prepared, &plan).expect("no steering is needed");
        let assigned = ports.assignments(0, &plan);
        let port = &assigned[0].port;
        let relay = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        relay.connect(port.socket.local_address()).expect("it is there");
        let port = port.id;
        worker.adopt(plan, assigned).expect("it can be watched");
        Self { worker, relay, port }
    }

    fn say(&self, kind: MessageType, client: u32, options: &[(u8, &[u8])]) {
        self.relay
            .send(&request(kind, client, options))
            .expect("loopback takes packets");
    }

    /// The next answer, if one is there: whom it is for, what it is, and the address.
    fn heard(&self) -> Option<(u32, MessageType, Ipv4Addr)> {
        let mut buffer = [0; 1500];
        self.relay.set_nonblocking(true).expect("a socket can be set");
        let length = self.relay.recv(&mut buffer).ok()?;
        let answer = Message::parse(&buffer[..length]).expect("answers can be read");
        let kind = answer.message_type().expect("answers have a type");
        Some((answer.xid(), kind, answer.yiaddr()))
    }

    /// What every client gets, when all ask at once for a binding at once (RFC 4039).
    fn burst(&mut self) -> Vec<(u32, MessageType, Ipv4Addr)> {
        for client in 0..CLIENTS {
            self.say(MessageType::Discover, 10 + client, &[(code::RAPID_COMMIT, &[])]);
        }
        let mut turns = 0;
        while self.worker.counters.datagrams < u64::from(CLIENTS) {
            self.worker.read(self.port);
            self.worker.release();
            turns += 1;
            assert!(turns < 100, "the packets were sent");
        }
        let answers = self.all_heard();
        assert_eq!(answers.len() as u32, CLIENTS);
        assert!(answers.iter().all(|answer| answer.1 == MessageType::Ack));
        answers
    }

    fn all_heard(&self) -> Vec<(u32, MessageType, Ipv4Addr)> {
        let mut heard: Vec<_> = std::iter::from_fn(|| self.heard()).collect();
        heard.sort_unstable_by_key(|answer| answer.0);
        heard
    }
}

/// A relayed request.
fn request(kind: MessageType, client: u32, options: &[(u8, &[u8])]) -> Vec<u8> {
    let mut buffer = [0; 1472];
    let mut out = Composer::new(&mut buffer, 1472);
    let [a, b, c, d] = client.to_be_bytes();
    out.op(1)
        .hardware(1, &[2, 0, a, b, c, d])
        .hops(1)
        .xid(client)
        .giaddr([127, 0, 0, 1].into());
    out.message_type(kind);
    for (code, value) in options {
        assert!(out.option(*code, value));
    }
    let length = out.finish().len;
    buffer[..length].to_vec()
}

/// What every client got, and what it took.
fn burst(switches: Switches, ack: AckMode) -> (Vec<(u32, MessageType, Ipv4Addr)>, ShellCounters) {
    let mut bench = Bench::new(switches, |settings| {
        settings.rapid_commit = true;
        settings.ack = ack;
    });
    let answers = bench.burst();
    (answers, bench.worker.counters.clone())
}

/// The largest bucket of a count that anything is in.
fn largest(histogram: &purlin_telemetry::metrics::Histogram) -> f64 {
    let all = histogram.count();
    histogram
        .buckets()
        .find(|(_, count)| *count == all)
        .map_or(f64::INFINITY, |(bound, _)| bound)
}

fn sized(batch_size: u32) -> Switches {
    Switches {
        batch_size,
        ..Switches::default()
    }
}

#[test]
fn s0_36_without_batch_processing_every_packet_is_a_commit() {
    let off = Switches {
        batch_processing: false,
        ..Switches::default()
    };
    for ack in [AckMode::Durable, AckMode::Lead] {
        let (together, on) = burst(Switches::default(), ack);
        let (alone, off) = burst(off, ack);
        assert_eq!(together, alone);
        // Two full receive calls and the rest.
        assert_eq!((on.frames, off.frames), (3, u64::from(CLIENTS)));
        assert_eq!((largest(&on.commit_size), largest(&off.commit_size)), (64.0, 1.0));
        assert_eq!(on.receive_calls, off.receive_calls);
        assert_eq!((on.withheld, off.withheld), (0, 0));
    }
}

#[test]
fn s0_37_no_batch_and_no_commit_is_larger_than_said() {
    let (all, _) = burst(sized(1000), AckMode::Durable);
    for (size, frames) in [(1, 150), (8, 19), (32, 5), (64, 3), (1000, 3)] {
        let (answers, counts) = burst(sized(size), AckMode::Durable);
        assert_eq!(answers, all);
        assert_eq!(counts.frames, frames, "{size}");
        for histogram in [&counts.commit_size, &counts.batch_size] {
            assert_eq!(largest(histogram), f64::from(size.min(64)));
        }
    }
}

#[test]
fn s0_40_without_cache_optimization_every_answer_is_encoded_anew() {
    let all = u64::from(CLIENTS);
    let mut given = Vec::new();
    for (cache_optimization, use_of_templates) in [(true, (all - 1, 1)), (false, (0, all))] {
        let switches = Switches {
            cache_optimization,
            ..Switches::default()
        };
        let mut bench = Bench::new(switches, |settings| settings.rapid_commit = true);
        given.push(bench.burst());
        assert_eq!(bench.worker.engine.template_use(), use_of_templates);
    }
    assert_eq!(given[0], given[1]);
}

#[test]
fn s0_41_without_network_optimization_every_datagram_is_a_call() {
    let off = Switches {
        network_optimization: false,
        ..Switches::default()
    };
    for ack in [AckMode::Durable, AckMode::Lead] {
        let (together, on) = burst(Switches::default(), ack);
        let (alone, off) = burst(off, ack);
        assert_eq!(together, alone);
        // Commits are no system calls of a socket: they are grouped as before.
        assert_eq!((on.frames, off.frames), (3, 3));
        assert!(on.receive_calls <= 4 && on.sent.calls <= 6, "{on:?}");
        assert_eq!(off.sent.calls, u64::from(CLIENTS));
        assert!(off.receive_calls >= u64::from(CLIENTS), "{off:?}");
    }
}

/// One client's address must be checked first; another asks for one that it cannot have, which is known at once.
fn check_and_refusal(async_operations: bool) -> Bench {
    let switches = Switches {
        async_operations,
        ..Switches::default()
    };
    let mut bench = Bench::new(switches, |settings| {
        settings.conflict_check = ConflictCheck::Ping;
        settings.conflict_wait = Duration::from_secs(3600);
    });
    bench.say(MessageType::Discover, 10, &[]);
    bench.say(
        MessageType::Request,
        11,
        &[(code::REQUESTED_ADDRESS, &[192, 0, 2, 1])],
    );
    bench.worker.read(bench.port);
    bench
}

#[test]
fn s0_38_without_async_operations_nobody_is_answered_while_an_address_is_checked() {
    let mut on = check_and_refusal(true);
    let refused = on.heard().expect("the other client is answered at once");
    assert_eq!((refused.0, refused.1), (11, MessageType::Nak));
    assert_eq!((on.heard(), on.worker.counters.probe_waits), (None, 0));

    let mut off = check_and_refusal(false);
    off.worker.read(off.port);
    assert_eq!((off.heard(), off.worker.counters.probe_waits), (None, 1));

    let mut both = Vec::new();
    for bench in [&mut on, &mut off] {
        let mut later = now();
        later.boot = later.boot.plus_millis(3_600_001);
        bench.worker.end_probes(&later);
        bench.worker.read(bench.port);
        both.push(bench.all_heard());
    }
    both[0].push(refused);
    assert_eq!(both[0], both[1]);
    assert_eq!((both[1][0].1, both[1].len()), (MessageType::Offer, 2));
}

#[test]
fn switches_change_while_running() {
    let mut bench = Bench::new(Switches::default(), |settings| settings.rapid_commit = true);
    for (switches, frames) in [(sized(64), 1), (sized(2), 5), (sized(64), 1)] {
        bench.worker.switch(switches);
        let before = bench.worker.counters.frames;
        for client in 0..10 {
            bench.say(
                MessageType::Discover,
                before as u32 * 100 + client,
                &[(code::RAPID_COMMIT, &[])],
            );
        }
        bench.worker.read(bench.port);
        assert_eq!(bench.worker.counters.frames - before, frames);
    }
}

/// Bindings at once for `CLIENTS`, asked for by one sender whose kernel may hand them over as trains; the answers, and
/// what it took.
fn trains(switches: Switches) -> (usize, ShellCounters) {
    let mut bench = Bench::new(switches, |settings| settings.rapid_commit = true);
    let sender = UdpPort::bind("127.0.0.1:0".parse().expect("an address"), &UdpOptions::default());
    let sender = sender.expect("a port is free");
    let Some(std::net::SocketAddr::V4(to)) = bench.relay.peer_addr().ok() else {
        panic!("the relay speaks to the server");
    };
    let asked: Vec<_> = (0..CLIENTS)
        .map(|client| request(MessageType::Discover, 10 + client, &[(code::RAPID_COMMIT, &[])]))
        .collect();
    let messages = asked.iter().map(|payload| Outgoing {
        payload,
        to,
        from: Ipv4Addr::UNSPECIFIED,
    });
    assert_eq!(SendBatch::new().send(&sender, messages).sent, u64::from(CLIENTS));
    let mut answers = std::collections::BTreeSet::new();
    let mut batch = RecvBatch::new();
    for _ in 0..CLIENTS {
        bench.worker.read(bench.port);
        bench.worker.release();
        while batch.receive(&sender).expect("it is open") > 0 {
            for at in 0..batch.len() {
                let answer = Message::parse(batch.get(at).payload).expect("answers can be read");
                assert_eq!(answer.message_type(), Some(MessageType::Ack));
                answers.insert((answer.xid(), answer.yiaddr()));
            }
        }
    }
    (answers.len(), bench.worker.counters.clone())
}

#[test]
fn a_train_is_answered_whole_and_recorded_in_frames_of_a_batch() {
    let (answered, counters) = trains(Switches::default());
    assert_eq!(answered, CLIENTS as usize);
    assert_eq!(counters.datagrams, u64::from(CLIENTS));
    assert_eq!(counters.frames, u64::from(CLIENTS).div_ceil(BATCH as u64));
    assert!(largest(&counters.commit_size) <= BATCH as f64);
}

#[test]
fn where_packets_are_taken_singly_there_are_no_trains() {
    for switches in [
        Switches {
            network_optimization: false,
            ..Switches::default()
        },
        sized(7),
    ] {
        let most = switches.per_receive() as f64;
        let (answered, counters) = trains(switches);
        assert_eq!(answered, CLIENTS as usize);
        assert!(
            largest(&counters.batch_size) <= most.max(8.0),
            "{:?}",
            counters.batch_size
        );
    }
}
