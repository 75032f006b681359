//! The line against a server that is only a number of failures to come.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// Fails to open so many times, then opens; a probe finds out that it is broken when told so.
#[derive(Default)]
struct Server {
    refusals: AtomicU32,
    opened: AtomicU32,
    broken: AtomicU32,
}

impl Tend for Arc<Server> {
    type Up = u32;

    async fn open(&self, _: &Arc<Notify>) -> Result<u32, Trouble> {
        let refused = self
            .refusals
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match refused {
            Ok(_) => Err(Trouble::Closed),
            Err(_) => Ok(self.opened.fetch_add(1, Ordering::Relaxed) + 1),
        }
    }

    async fn probe(&self, up: &u32) -> Result<(), Trouble> {
        if self.broken.load(Ordering::Relaxed) >= *up {
            return Err(Trouble::Closed);
        }
        Ok(())
    }
}

const PACE: Pace = Pace {
    probe_every: Duration::from_millis(5),
    back_off: (Duration::from_millis(1), Duration::from_millis(4)),
};

fn rig() -> (Arc<Server>, Arc<Line<u32>>) {
    (Arc::default(), Arc::new(Line::new()))
}

fn keep(server: &Arc<Server>, line: &Arc<Line<u32>>) {
    let (server, line) = (Arc::clone(server), Arc::clone(line));
    tokio::spawn(async move { line.keep(&server, PACE).await });
}

async fn reaches(line: &Line<u32>, wanted: impl Fn(&State) -> bool) {
    let mut state = line.state();
    let reached = tokio::time::timeout(Duration::from_secs(10), state.wait_for(|state| wanted(state)));
    assert!(reached.await.expect("reached in time").is_ok());
}

#[tokio::test]
async fn callers_wait_for_the_first_attempt() {
    let (server, line) = rig();
    let waiting = tokio::spawn({
        let line = Arc::clone(&line);
        async move { line.up().await.map(|up| *up) }
    });
    keep(&server, &line);
    assert_eq!(waiting.await.expect("no panic").expect("up"), 1);
}

#[tokio::test]
async fn callers_fail_at_once_while_it_is_away() {
    let (server, line) = rig();
    server.refusals.store(u32::MAX, Ordering::Relaxed);
    keep(&server, &line);
    reaches(&line, |state| matches!(state, State::Away { .. })).await;
    assert!(matches!(line.up().await, Err(Trouble::Down(_))));
}

#[tokio::test]
async fn it_comes_back_after_refusals_and_after_breaking() {
    let (server, line) = rig();
    server.refusals.store(3, Ordering::Relaxed);
    keep(&server, &line);
    reaches(&line, |state| *state == State::Ready).await;
    for broken in 1..4 {
        server.broken.store(broken, Ordering::Relaxed);
        line.suspect();
        let back = async {
            while line.up().await.map_or(0, |up| *up) <= broken {
                tokio::task::yield_now().await;
            }
        };
        let back = tokio::time::timeout(Duration::from_secs(10), back).await;
        assert!(back.is_ok());
    }
}
