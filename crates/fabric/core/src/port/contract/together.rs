//! Futures that run beside each other within one task: enough to make calls of many nodes overlap.

use crate::port::Later;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// What all of them gave, in order.
pub(super) async fn all<T>(mut futures: Vec<Later<'_, T>>) -> Vec<T> {
    let mut outcomes: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let open = futures
            .iter_mut()
            .zip(&mut outcomes)
            .filter(|(_, outcome)| outcome.is_none());
        for (future, outcome) in open {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                *outcome = Some(value);
            }
        }
        if outcomes.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}

/// What `wanted` gave while `meanwhile` went on beside it; `None` when `meanwhile` ended first.
pub(super) async fn during<T>(wanted: impl Future<Output = T>, meanwhile: impl Future) -> Option<T> {
    let (mut wanted, mut meanwhile) = (pin!(wanted), pin!(meanwhile));
    poll_fn(|context| {
        if let Poll::Ready(value) = wanted.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        meanwhile.as_mut().poll(context).map(|_| None)
    })
    .await
}

/// Lets the others of the task go on: an engine that answers at once never would.
pub(super) async fn breathe() {
    let mut breathed = false;
    poll_fn(|context| {
        if breathed {
            return Poll::Ready(());
        }
        breathed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
