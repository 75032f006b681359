//! The driver: threads, channels, files and a real clock.

use crate::world::{App, Key, NETWORK};
use alloy_primitives::{Address, Bytes};
use purlin_chain_bft::{FileLog, Inbound, Net, Setup, Standing, Stopped, Timeouts, run};
use purlin_chain_core::consensus::{Application, Decided, HeightSettings, Invalid, Proposal};
use purlin_chain_core::quorum::ValidatorSet;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// An application that tells the test of every decision, and fails when told so.
struct Told {
    app: App,
    me: Address,
    index: usize,
    tell: Sender<(usize, Decided)>,
    fails_at: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Full;

impl Application for Told {
    type Failure = Full;

    fn propose(&mut self, height: u64, round: u32, _: Duration) -> Result<Proposal, Full> {
        Ok(self.app.propose(height, round, self.me))
    }

    fn validate(&mut self, proposal: &Proposal) -> Result<Result<(), Invalid>, Full> {
        let said = String::new();
        let hash = proposal.hash;
        Ok(self
            .app
            .validate(proposal)
            .then_some(())
            .ok_or(Invalid::Block { hash, said }))
    }

    fn decide(&mut self, decided: Decided) -> Result<HeightSettings, Full> {
        if decided.certificate.height == self.fails_at {
            return Err(Full);
        }
        let settings = self.app.decide(&decided);
        let _ = self.tell.send((self.index, decided));
        Ok(settings)
    }

    fn decided(&self, height: u64) -> Result<Option<Decided>, Full> {
        let index = usize::try_from(height).unwrap().checked_sub(1);
        Ok(index.and_then(|index| self.app.chain.get(index).cloned()))
    }

    fn next_height(&self) -> Result<HeightSettings, Full> {
        Ok(self.app.settings())
    }

    fn validators(&self, height: u64) -> Result<Option<ValidatorSet>, Full> {
        Ok(Some(self.app.set(height).clone()))
    }
}

type Wires = Arc<Mutex<BTreeMap<Address, Sender<Inbound>>>>;

struct Wire {
    from: Address,
    wires: Wires,
}

impl Net for Wire {
    fn broadcast(&self, message: Bytes) {
        for (to, wire) in self.wires.lock().unwrap().iter() {
            let (from, octets) = (self.from, message.clone());
            if *to != from {
                let _ = wire.send(Inbound::Message { from, octets });
            }
        }
    }

    fn send(&self, to: Address, octets: Bytes) {
        if let Some(wire) = self.wires.lock().unwrap().get(&to) {
            let from = self.from;
            let _ = wire.send(Inbound::Message { from, octets });
        }
    }
}

struct Running {
    thread: JoinHandle<Result<(), Stopped<Full>>>,
    inbox: Sender<Inbound>,
    standing: Arc<Mutex<Standing>>,
}

fn start(
    dir: &Path,
    index: usize,
    wires: &Wires,
    tell: &Sender<(usize, Decided)>,
    chain: Vec<Decided>,
    fails_at: u64,
) -> Running {
    let keys: Vec<_> = (0..4).map(Key::new).collect();
    let set = ValidatorSet::new(keys.iter().map(|key| (key.address, 1))).unwrap();
    let mut app = App::new(BTreeMap::from([(1, set)]));
    app.period = Duration::from_millis(50);
    app.chain = chain;
    let me = keys[index].address;
    let (inbox, receiver) = channel();
    {
        let mut wires = wires.lock().unwrap();
        for (other, wire) in wires.iter().filter(|(other, _)| **other != me) {
            let _ = wire.send(Inbound::Up(me));
            let _ = inbox.send(Inbound::Up(*other));
        }
        wires.insert(me, inbox.clone());
    }
    let app = Told {
        app,
        me,
        index,
        tell: tell.clone(),
        fails_at,
    };
    let setup = Setup {
        network: NETWORK,
        key: Some(Box::new(keys[index].clone())),
        timeouts: Timeouts::default(),
    };
    let net = Wire {
        from: me,
        wires: wires.clone(),
    };
    let log = FileLog::open(&dir.join(index.to_string())).unwrap();
    let standing = Arc::new(Mutex::new(Standing::default()));
    let told = standing.clone();
    let thread = std::thread::spawn(move || run(setup, app, log, net, receiver, told, |_| ()));
    Running {
        thread,
        inbox,
        standing,
    }
}

/// Waits until all these have decided the height; returns what node 0 decided meanwhile.
fn wait(told: &Receiver<(usize, Decided)>, who: &[usize], height: u64) -> Vec<Decided> {
    let mut heads = BTreeMap::new();
    let mut first = Vec::new();
    while who
        .iter()
        .any(|index| heads.get(index).is_none_or(|head| *head < height))
    {
        let (index, decided) = told.recv_timeout(LONG).expect("a decision");
        heads.insert(index, decided.certificate.height);
        if index == 0 {
            first.push(decided);
        }
    }
    first
}

#[test]
fn four_threads_decide_one_stops_comes_back_and_one_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (tell, told) = channel();
    let wires = Wires::default();
    let mut nodes: Vec<_> = (0..4)
        .map(|index| {
            start(
                dir.path(),
                index,
                &wires,
                &tell,
                Vec::new(),
                if index == 3 { 30 } else { 0 },
            )
        })
        .collect();
    let mut chain = wait(&told, &[0, 1, 2, 3], 5);

    let zero = nodes.remove(0);
    zero.inbox.send(Inbound::Stop).unwrap();
    zero.thread.join().unwrap().unwrap();
    chain.extend(
        told.try_iter()
            .filter(|(index, _)| *index == 0)
            .map(|(_, decided)| decided),
    );
    let head = chain.len() as u64;
    assert_eq!(chain.last().unwrap().certificate.height, head);
    wait(&told, &[1, 2, 3], head + 3);
    let zero = start(dir.path(), 0, &wires, &tell, chain, 0);
    wait(&told, &[0, 1, 2], 35);

    let three = nodes.pop().unwrap();
    assert!(matches!(
        three.thread.join().unwrap(),
        Err(Stopped::Application(Full))
    ));
    let standing = zero.standing.lock().unwrap().clone();
    assert!(
        standing.head >= 30 && standing.decided_at.is_some(),
        "{standing:?}"
    );
    for node in nodes.into_iter().chain([zero]) {
        node.inbox.send(Inbound::Stop).unwrap();
        node.thread.join().unwrap().unwrap();
    }
}
