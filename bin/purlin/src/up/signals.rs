//! What the outside asks of a running node.

use crate::exit::Failure;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long the other signal may follow the first and be the same wish. Ctrl-C reaches a program and whatever it was
/// started by; a profiler or a supervisor then passes its end on as SIGTERM.
const ECHO: Duration = Duration::from_secs(1);

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals a node listens to, from the moment this is made.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    wish: Option<Wish>,
}

/// By which signal a node is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Terminate,
    Interrupt,
}

/// The newest wish to stop.
#[derive(Debug, Clone, Copy)]
struct Wish {
    by: Kind,
    at: Instant,
    /// Its echo has come; the next signal is a wish of its own.
    echoed: bool,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            wish: None,
        })
    }

    /// The next request.
    pub(super) async fn next(&mut self) -> Asked {
        loop {
            let by = tokio::select! {
                _ = self.terminate.recv() => Kind::Terminate,
                _ = self.interrupt.recv() => Kind::Interrupt,
                _ = self.hangup.recv() => return Asked::Reload,
            };
            if counts(&mut self.wish, by, Instant::now()) {
                return Asked::Stop;
            }
        }
    }

    /// The next request to stop.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}

/// Whether a signal is a wish of its own, rather than the echo of the one before.
fn counts(last: &mut Option<Wish>, by: Kind, at: Instant) -> bool {
    if let Some(wish) = last
        && wish.by != by
        && !wish.echoed
        && at.saturating_duration_since(wish.at) < ECHO
    {
        wish.echoed = true;
        return false;
    }
    *last = Some(Wish {
        by,
        at,
        echoed: false,
    });
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{Interrupt, Terminate};

    /// Which of these count, each so many milliseconds after the first.
    fn counted<const N: usize>(signals: [(Kind, u64); N]) -> [bool; N] {
        let (start, mut last) = (Instant::now(), None);
        signals.map(|(by, millis)| counts(&mut last, by, start + Duration::from_millis(millis)))
    }

    #[test]
    fn the_other_signal_right_behind_one_is_the_same_wish() {
        assert_eq!(counted([(Interrupt, 0), (Terminate, 20)]), [true, false]);
        assert_eq!(counted([(Terminate, 0), (Interrupt, 999)]), [true, false]);
        assert_eq!(counted([(Interrupt, 0), (Terminate, 1000)]), [true, true]);
    }

    #[test]
    fn the_same_signal_again_is_the_second_time_at_once() {
        assert_eq!(counted([(Interrupt, 0), (Interrupt, 1)]), [true, true]);
        assert_eq!(counted([(Terminate, 0), (Terminate, 1)]), [true, true]);
        assert_eq!(
            counted([(Interrupt, 0), (Terminate, 5), (Interrupt, 9)]),
            [true, false, true]
        );
        assert_eq!(
            counted([(Interrupt, 0), (Terminate, 5), (Terminate, 9)]),
            [true, false, true]
        );
    }
}
