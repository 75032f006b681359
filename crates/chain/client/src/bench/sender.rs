//! One connection: batches of raw transactions out, answers in, until the load is over.

use super::ledger::Next;
use super::running::Shared;
use super::sign::write_batch;
use crate::rpc::{Connection, SendAnswer, send_answers};
use alloy_primitives::B256;
use hyper::body::Bytes;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long an answer to one batch may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// After a refusal, and after no answer; doubles up to the most.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Nobody waits longer for news than this.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// Sends a connection's share.
pub(crate) async fn run(shared: Rc<Shared>, lane: usize, mut connection: Connection, most: usize) {
    let mut batch = Vec::with_capacity(most);
    let mut pause = PAUSE_MIN;
    let mut size = 0;
    while !shared.is_over() {
        let next = shared
            .ledger
            .borrow_mut()
            .take(lane, most, shared.now_ns(), &mut batch);
        match next {
            Next::At(time_ns) => {
                let left = Duration::from_nanos(time_ns.saturating_sub(shared.now_ns()));
                sleep(left.min(WAIT_MAX)).await;
                continue;
            }
            Next::WhenChanged => {
                // A word that nobody waited for is no loss: time ends the wait too.
                let _ = timeout(WAIT_MAX, shared.changed.notified()).await;
                continue;
            }
            Next::Send => {}
        }
        let mut body = Vec::with_capacity(size);
        write_batch(&shared.requests, &batch, &mut body);
        size = body.len().max(size);
        let well = match connection.post(Bytes::from(body), PATIENCE).await {
            Ok(text) => hear(&shared, &batch, &text),
            Err(cause) => {
                let cause = cause.to_string();
                shared.ledger.borrow_mut().unanswered(&batch, &cause);
                shared.broken.set(true);
                false
            }
        };
        if well {
            pause = PAUSE_MIN;
        } else {
            sleep(pause).await;
            pause = (2 * pause).min(PAUSE_MAX);
        }
    }
}

/// Books the answers to a batch; returns whether the next may follow at once.
fn hear(shared: &Shared, batch: &[u32], text: &[u8]) -> bool {
    let mut ledger = shared.ledger.borrow_mut();
    let now_ns = shared.now_ns();
    let answers = match send_answers(text) {
        Ok(answers) => answers,
        Err(cause) => {
            ledger.unanswered(batch, &cause.to_string());
            return false;
        }
    };
    let mut pause = false;
    for answer in &answers {
        match (answer.id.filter(|id| ledger.is_asked(*id)), &answer.error) {
            (Some(number), None) if is_hash(shared, number, answer) => ledger.accepted(number, now_ns),
            (Some(number), None) => pause |= ledger.refused(number, "answered with another hash", now_ns),
            (Some(number), Some(fault)) => pause |= ledger.refused(number, &fault.message, now_ns),
            // The request as a whole was refused.
            (None, Some(fault)) => {
                for number in batch {
                    pause |= ledger.refused(*number, &fault.message, now_ns);
                }
            }
            (None, None) => {}
        }
    }
    let silent: Vec<u32> = batch
        .iter()
        .copied()
        .filter(|number| ledger.is_asked(*number))
        .collect();
    if !silent.is_empty() {
        ledger.unanswered(&silent, "no answer to a transaction of a batch");
        pause = true;
    }
    !pause
}

fn is_hash(shared: &Shared, number: u32, answer: &SendAnswer<'_>) -> bool {
    let hash = answer
        .result
        .as_deref()
        .and_then(|hash| hash.parse::<B256>().ok());
    hash == Some(shared.requests.hash(number))
}
