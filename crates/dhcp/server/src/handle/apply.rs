//! New settings while running.
//!
//! New sockets are open before anything changes, so that a wrong address harms nothing; then every thread moves
//! to the new plan between two batches. A network keeps its thread by name. Where a change does move addresses
//! between threads (a subnet joins another network), reading stops everywhere, all leases are laid out, each
//! thread takes its own, and reading goes on: a few hundred milliseconds for a million leases.

use super::Handle;
use crate::error::ApplyError;
use crate::ports::{Ports, Prepared};
use crate::switches::Switches;
use crate::worker::Rewrite;
use purlin_dhcp_core::Plan;
use purlin_dhcp_core::pin::Pin;
use purlin_dhcp_core::settings::Settings;
use purlin_types::Ipv4Range;
use std::sync::Arc;
use tokio::task::JoinError;

/// What came of applying settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Keys whose change takes effect with the next start only.
    pub restart_needed: Vec<&'static str>,
}

impl Handle {
    /// Puts checked settings into effect without losing a packet or a lease. Once begun it goes on to its end,
    /// also when nobody waits for it any more: threads that were paused must read again. Runs on a Tokio runtime.
    ///
    /// # Errors
    /// See [`ApplyError`]: the former settings stay in effect then.
    pub async fn apply(&self, settings: Settings) -> Result<Applied, ApplyError> {
        let handle = self.clone();
        let change = tokio::spawn(async move { handle.change(settings).await });
        match change.await.map_err(JoinError::try_into_panic) {
            Ok(applied) => applied,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime ends.
            Err(Err(_)) => Err(ApplyError::Stopped),
        }
    }

    /// Puts these pins in place of the former ones: once it returns, no packet is answered by those. They go on over
    /// changes of the settings. Once begun it goes on to its end, as [`Self::apply`] does. Runs on a Tokio runtime.
    ///
    /// # Panics
    /// When laying them out did.
    pub async fn pin(&self, pins: Arc<[Pin]>) {
        let handle = self.clone();
        let change = tokio::spawn(async move {
            let _one_at_a_time = handle.0.current.lock().await;
            let former = handle.plan();
            // Some ten milliseconds for a hundred thousand of them.
            let laid = tokio::task::spawn_blocking(move || former.pinned(pins)).await;
            let plan = match laid.map_err(JoinError::try_into_panic) {
                Ok(plan) => plan,
                Err(Ok(panic)) => std::panic::resume_unwind(panic),
                // The runtime ends.
                Err(Err(_)) => return,
            };
            let given = Arc::clone(&plan);
            handle.ask_all(move |worker| worker.pin(&given)).await;
            handle.set_plan(plan);
        });
        if let Err(Ok(panic)) = change.await.map_err(JoinError::try_into_panic) {
            std::panic::resume_unwind(panic);
        }
    }

    /// Groups work in another way. Threads that have ended do not.
    pub async fn switch(&self, switches: Switches) {
        self.ask_all(move |worker| worker.switch(switches)).await;
    }

    async fn change(&self, settings: Settings) -> Result<Applied, ApplyError> {
        let mut ports = self.0.current.lock().await;
        let former = self.plan();
        let plan = Plan::compile(&settings, Some(&former));
        let prepared = ports.prepare(&settings)?;
        let moves = moves(&former, &plan, self.shards());

        let frames = if moves { self.pause_all().await } else { Vec::new() };
        let switched = self.adopt(&mut ports, prepared, &plan).await;
        if moves {
            // Also after a failure: whatever plan each thread has now, it must take its leases and read on.
            let frames = Arc::new(frames);
            self.ask_all(move |worker| worker.resume(&frames)).await;
        }
        switched?;
        self.set_plan(plan);
        let same_threads = settings.threads == former.settings().threads;
        Ok(Applied {
            restart_needed: if same_threads {
                Vec::new()
            } else {
                vec!["dhcp.threads"]
            },
        })
    }

    async fn adopt(&self, ports: &mut Ports, prepared: Prepared, plan: &Arc<Plan>) -> Result<(), ApplyError> {
        ports.adopt(prepared, plan)?;
        let asked: Vec<_> = (0u16..)
            .zip(&self.0.doors)
            .map(|(shard, door)| {
                let (plan, assignments) = (Arc::clone(plan), ports.assignments(shard, plan));
                door.send(move |worker| worker.adopt(plan, assignments))
            })
            .collect();
        for answer in asked {
            answer
                .await
                .map_err(|_| ApplyError::Stopped)?
                .map_err(ApplyError::Watching)?;
        }
        Ok(())
    }

    async fn pause_all(&self) -> Vec<Vec<u8>> {
        let rewrite = Rewrite::of(self.0.doors.len() as u16);
        self.ask_all(move |worker| worker.pause(rewrite)).await.concat()
    }
}

/// Whether some address is served, or kept, by another thread under the new plan.
fn moves(old: &Plan, new: &Plan, shards: u16) -> bool {
    shards > 1 && keepers(old.steering(shards)) != keepers(new.steering(shards))
}

/// The first address, ascending, of each stretch that one thread keeps. What no subnet has is kept by thread 0.
fn keepers(steering: Vec<(Ipv4Range, u16)>) -> Vec<(u64, u16)> {
    let mut keepers = vec![(0, 0)];
    let mut change = |at: u64, shard: u16| {
        keepers.pop_if(|last| last.0 == at);
        if keepers.last().is_none_or(|last| last.1 != shard) {
            keepers.push((at, shard));
        }
    };
    for (range, shard) in steering {
        change(u32::from(range.first()).into(), shard);
        change(u64::from(u32::from(range.last())) + 1, 0);
    }
    keepers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(ranges: &[(&str, u16)]) -> Vec<(u64, u16)> {
        let range = |&(range, shard): &(&str, u16)| (range.parse().expect("a range"), shard);
        keepers(ranges.iter().map(range).collect())
    }

    #[test]
    fn only_a_change_of_the_keeper_counts() {
        assert_eq!(kept(&[]), [(0, 0)]);
        assert_eq!(kept(&[("10.0.0.0-10.0.0.255", 0)]), [(0, 0)]);
        let whole = kept(&[("0.0.0.2-0.0.0.9", 1)]);
        assert_eq!(whole, [(0, 0), (2, 1), (10, 0)]);
        assert_eq!(kept(&[("0.0.0.2-0.0.0.5", 1), ("0.0.0.6-0.0.0.9", 1)]), whole);
        assert_ne!(kept(&[("0.0.0.2-0.0.0.8", 1)]), whole);
        assert_ne!(kept(&[("0.0.0.2-0.0.0.9", 2)]), whole);
        assert_eq!(kept(&[("0.0.0.0-255.255.255.255", 1)]), [(0, 1), (1 << 32, 0)]);
    }
}
