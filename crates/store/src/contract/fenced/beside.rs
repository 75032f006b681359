//! Calls that go on beside each other within one task: enough to hold one in the middle and start another.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use crate::fenced::Later;

/// A call under way.
pub(super) struct Call<'a, T> {
    future: Later<'a, T>,
    outcome: Option<T>,
}

/// What goes on while something else is waited for.
pub(super) trait Beside {
    fn go_on(&mut self, context: &mut Context<'_>);
}

impl<'a, T> Call<'a, T> {
    pub(super) fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self {
            future: Box::pin(future),
            outcome: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.outcome.is_some()
    }

    pub(super) fn outcome(self) -> T {
        self.outcome.expect("the call was driven to its end")
    }
}

impl<T> Beside for Call<'_, T> {
    fn go_on(&mut self, context: &mut Context<'_>) {
        if self.outcome.is_none()
            && let Poll::Ready(outcome) = self.future.as_mut().poll(context)
        {
            self.outcome = Some(outcome);
        }
    }
}

/// Waits for `goal` while `call` goes on.
pub(super) async fn until(goal: impl Future<Output = ()>, call: &mut dyn Beside) {
    let mut goal = pin!(goal);
    poll_fn(|context| {
        call.go_on(context);
        goal.as_mut().poll(context)
    })
    .await;
}

/// Waits for `goal` or for `second` to end while both calls go on.
pub(super) async fn until_or_done<T>(
    goal: impl Future<Output = ()>,
    first: &mut dyn Beside,
    second: &mut Call<'_, T>,
) {
    let mut goal = pin!(goal);
    poll_fn(|context| {
        first.go_on(context);
        second.go_on(context);
        if second.is_done() {
            return Poll::Ready(());
        }
        goal.as_mut().poll(context)
    })
    .await;
}

/// Waits for both calls to end.
pub(super) async fn both<A, B>(first: &mut Call<'_, A>, second: &mut Call<'_, B>) {
    poll_fn(|context| {
        first.go_on(context);
        second.go_on(context);
        if first.is_done() && second.is_done() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
