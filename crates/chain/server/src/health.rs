//! How the chain is, as checks.

use crate::consensus::report;
use crate::node::{Node, unix_now};
use crate::settings::Pace;
use purlin_telemetry::health::{Bears, Check};

/// Seconds beyond the period after which a chain that should grow is said to stand still.
const LATE_SECS: u64 = 30;

pub(crate) fn checks(node: &Node) -> Vec<Check> {
    let mut checks = vec![blocks(node), pool(node)];
    checks.extend(node.storage.check());
    checks.extend(node.consensus().map(|consensus| report::check(&consensus)));
    checks
}

fn blocks(node: &Node) -> Check {
    const NAME: &str = "chain.blocks";
    let header = &node.head().header;
    if let Some(trouble) = node.trouble() {
        let fix = "see to what the message names; the node tries again every second";
        return Check::fail(NAME, Bears::Ready, trouble, fix);
    }
    let age = unix_now().saturating_sub(header.timestamp);
    if let Pace::Every { period, empty: true } = node.settings.production.pace
        && age > period.as_secs() + LATE_SECS
    {
        let says = format!(
            "block {} is {age} s old, a block is due every {} s",
            header.number,
            period.as_secs()
        );
        return Check::warn(
            NAME,
            Bears::Advice,
            says,
            "look at the load of the machine and its disk",
        );
    }
    Check::pass(
        NAME,
        Bears::Advice,
        format!("the head is block {}, {age} s old", header.number),
    )
}

fn pool(node: &Node) -> Check {
    const NAME: &str = "chain.pool";
    let pool = node.pool();
    let (status, used, room) = (pool.status(), pool.slots(), pool.settings().slots_max);
    drop(pool);
    let says = format!(
        "{} pending, {} queued, {used} of {room} slots",
        status.pending, status.queued
    );
    if used * 10 >= room * 9 {
        let fix = "raise the gas limit or the pool's limit, or find out who sends so much: txpool_content";
        return Check::warn(NAME, Bears::Advice, says, fix);
    }
    Check::pass(NAME, Bears::Advice, says)
}
