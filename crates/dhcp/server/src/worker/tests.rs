use super::*;
use purlin_config::{Document, Faults, Input};
use purlin_dhcp_core::reader;
use purlin_store::{AppendError, Journal, JournalHealth, Position};
use std::net::Ipv4Addr;

/// A journal that counts frames, all durable at once.
#[derive(Debug, Default)]
struct Counting(u64);

impl Journal for Counting {
    fn append(&mut self, _frame: &[u8]) -> Result<Position, AppendError> {
        self.0 += 1;
        Ok(Position(self.0))
    }

    fn defer(&mut self, frame: &[u8]) -> Result<Position, AppendError> {
        self.append(frame)
    }

    fn has_room(&self) -> bool {
        true
    }

    fn durable(&self) -> Position {
        Position(self.0)
    }

    fn health(&self) -> JournalHealth {
        JournalHealth::Ready
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        Ok(())
    }
}

/// The first of two threads, without sockets.
fn worker() -> Worker {
    let mut faults = Faults::default();
    let document = Document::parse([Input::builtin("demo.toml", reader::demo())], &mut faults);
    let settings = reader::read(&document, &mut faults).expect("the demo has no faults");
    let wakers = [0, 1].map(|_| Arc::new(Waker::new().expect("descriptors are left")));
    let (_, tasks) = std::sync::mpsc::channel();
    Worker::new(Parts {
        shard: 0,
        shards: 2,
        engine: Engine::new(Plan::compile(&settings, None), 0, 2, 1),
        own: None,
        switches: Switches::default(),
        log: Log::new(Box::new(Counting::default()), None, []),
        tasks,
        waker: Arc::clone(&wakers[0]),
        inboxes: wakers.iter().map(|waker| Inbox::new(Arc::clone(waker))).collect(),
        health: Arc::new(watch::Sender::new(Health::of(2))),
        reports: wakers.iter().map(|_| Mutex::default()).collect(),
    })
    .expect("descriptors are left")
}

fn handed() -> Handed {
    Handed {
        port: 0,
        payload: Box::from(*b"x"),
        source: "10.0.0.1:67".parse().expect("an address"),
        local: Ipv4Addr::LOCALHOST,
        broadcast: false,
    }
}

#[test]
fn a_paused_thread_leaves_handed_packets_where_they_are_and_goes_on_with_them() {
    let mut worker = worker();
    let inboxes = Arc::clone(&worker.inboxes);
    // What is bound after the leases were laid out would be unknown to the thread that gets them.
    let frames = worker.pause(Rewrite::of(1));
    assert!(inboxes[0].put(handed()));
    worker.turn();
    let mut waiting = Vec::new();
    inboxes[0].take(&mut waiting);
    assert_eq!(waiting.len(), 1);

    assert!(inboxes[0].put(handed()));
    worker.resume(&frames);
    // Its other poller has still to tell what came meanwhile.
    let mut ready = Ready::default();
    let patience = Some(Duration::ZERO);
    worker.poller.wait(&mut ready, patience).expect("it can wait");
    assert_eq!(ready.tokens(), [WAKE]);
    worker.turn();
    waiting.clear();
    inboxes[0].take(&mut waiting);
    assert!(waiting.is_empty());
}

mod switches;
mod tenure;
