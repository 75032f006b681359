//! How long an answer is waited for, and what is done about silence.

use super::{Role, Session};
use crate::transfer::error::TransferError;
use purlin_tftp_proto::ErrorCode;
use std::time::{Duration, Instant};

/// Waits double up to this.
const WAIT_MAX: Duration = Duration::from_secs(8);

impl Session<'_> {
    pub(super) fn progress_made(&mut self, now: Instant, spoke: Option<Instant>) {
        let once = !std::mem::take(&mut self.repeated);
        if let Some(spoke) = spoke.filter(|_| once) {
            self.trips.took(now - spoke);
        }
        self.heard = now;
        self.silent = 0;
        self.due = now + self.trips.wait(self.options.wait);
    }

    /// The wait after the sending that makes `silent`.
    pub(super) fn wait(&self) -> Duration {
        let first = if self.settled {
            self.trips.wait(self.options.wait) * 2
        } else {
            self.options.wait
        };
        self.doubled(first, self.silent.saturating_sub(1))
    }

    fn doubled(&self, first: Duration, times: u8) -> Duration {
        (first * (1 << times.min(16))).min(WAIT_MAX.max(self.options.wait))
    }

    /// How long a server that has answered may be silent: as if every wait were the longest, however short measured
    /// round trips have made them.
    fn patience(&self) -> Duration {
        (0..self.options.attempts)
            .map(|times| self.doubled(self.options.wait, times))
            .sum()
    }

    pub(super) fn silence<R: Role>(&mut self, role: &mut R, now: Instant) -> Result<(), TransferError> {
        if !self.settled {
            if self.silent >= self.options.attempts {
                return Err(TransferError::NoAnswer {
                    server: self.options.server,
                    attempts: self.counts.requests,
                    waited: now - self.began,
                    stranger: self.stranger,
                });
            }
            return self.request::<R>();
        }
        if now - self.heard >= self.patience() {
            self.out
                .error(ErrorCode::Undefined, "the other side fell silent", self.out.peer);
            return Err(TransferError::Silence {
                server: self.out.peer,
                octets: role.octets(),
                waited: now - self.heard,
            });
        }
        self.silent = self.silent.saturating_add(1);
        self.due = (now + self.wait()).min(self.heard + self.patience());
        self.counts.timeouts += 1;
        self.repeated = true;
        role.again(&self.out, &mut self.counts)
            .map_err(|stop| self.stopped(stop))
    }
}
