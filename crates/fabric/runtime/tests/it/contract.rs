//! Both engines keep what every engine owes.

use crate::world::Clock;
use purlin_fabric::port::contract::claims::{self, ClaimsRig};
use purlin_fabric::port::contract::hints::{self, HintsRig};
use purlin_fabric::port::{ClaimStore, Hints, Later};
use purlin_fabric_runtime::local::{LocalClaims, LocalHints};
use std::sync::Arc;
use std::time::Duration;

struct Claims(Arc<LocalClaims>);

impl ClaimsRig for Claims {
    fn store(&self) -> Later<'_, Arc<dyn ClaimStore>> {
        Box::pin(async { Arc::clone(&self.0) as Arc<dyn ClaimStore> })
    }

    fn replicate(&self) -> Later<'_, bool> {
        Box::pin(async {
            self.0.replicate();
            true
        })
    }

    fn fail_over(&self, lose: bool) -> Later<'_, bool> {
        Box::pin(async move {
            self.0.fail_over(lose);
            true
        })
    }

    fn cut(&self, cut: bool) -> Later<'_, bool> {
        Box::pin(async move {
            self.0.cut(cut);
            true
        })
    }
}

struct Forgetful {
    hints: Arc<LocalHints>,
    clock: Clock,
}

impl HintsRig for Forgetful {
    fn hints(&self) -> Later<'_, Arc<dyn Hints>> {
        Box::pin(async { Arc::clone(&self.hints) as Arc<dyn Hints> })
    }

    fn pass(&self, time: Duration) -> Later<'_, ()> {
        Box::pin(async move {
            self.clock.pass(time);
            tokio::task::yield_now().await;
        })
    }

    fn cut(&self) -> Later<'_, bool> {
        Box::pin(async {
            self.hints.cut();
            true
        })
    }

    fn flush(&self) -> Later<'_, bool> {
        Box::pin(async {
            self.hints.flush();
            true
        })
    }

    fn away(&self, away: bool) -> Later<'_, bool> {
        Box::pin(async move {
            self.hints.away(away);
            true
        })
    }
}

#[tokio::test]
async fn claims_within_one_process_keep_the_contract() {
    claims::all(async || Claims(Arc::new(LocalClaims::new(Clock::default().reader(), 3)))).await;
}

#[tokio::test]
async fn hints_within_one_process_keep_the_contract() {
    hints::all(async || {
        let clock = Clock::default();
        let hints = Arc::new(LocalHints::new(clock.reader()));
        Forgetful { hints, clock }
    })
    .await;
}
