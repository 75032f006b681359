//! Makes blocks when the sealer says that one is due: at once when something waits, or when the period is over.

use crate::node::{Node, unix_now};
use crate::settings;
use alloy_primitives::keccak256;
use purlin_chain_core::build::{Limits, choose};
use purlin_chain_core::consensus::solo::{Due, Pace, Settings, Slot, Solo};
use purlin_chain_evm::{Attributes, ExecutionRefusal};
use purlin_chain_proto::{B256, Recovered};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long to wait after a block could not be made.
const REST: Duration = Duration::from_secs(1);

/// Makes blocks until `stop` says so. A block that was begun is finished.
pub(crate) async fn run(node: Arc<Node>, mut stop: watch::Receiver<bool>) {
    let Some(settings) = sealer(node.settings.production.pace) else {
        return;
    };
    let head = node.head();
    let mut solo = Solo::new(settings, head.header.number, head.header.timestamp);
    loop {
        // While a block has its time already, arrivals change nothing: they wake nobody, for looking costs.
        let wait = match solo.due(node.now(), unix_now(), node.ready()) {
            Due::Now => None,
            Due::At(time) => Some(time.saturating_sub(node.now())),
            Due::WhenReady => Some(Duration::MAX),
        };
        if let Some(wait) = wait {
            tokio::select! {
                biased;
                _ = stop.changed() => return,
                () = node.wake.notified(), if wait == Duration::MAX => {}
                () = tokio::time::sleep(wait) => {}
            }
            continue;
        }
        if *stop.borrow_and_update() {
            return;
        }
        let slot = solo.begin(unix_now());
        let worker = Arc::clone(&node);
        let made = tokio::task::spawn_blocking(move || make(&worker, slot)).await;
        let trouble = match made {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why),
            Err(_) => Some("making a block broke the node's code: please report it".to_owned()),
        };
        match &trouble {
            None => solo.sealed(node.now(), slot),
            Some(_) => tokio::time::sleep(REST).await,
        }
        *node.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

fn sealer(pace: settings::Pace) -> Option<Settings> {
    let of = |pace, empty_blocks| Settings {
        pace,
        empty_blocks,
        ahead_secs_max: None,
    };
    match pace {
        settings::Pace::Off => None,
        settings::Pace::Instant => Some(of(
            Pace::Instant {
                gather: Duration::ZERO,
            },
            false,
        )),
        settings::Pace::Every { period, empty } => Some(of(Pace::Period(period), empty)),
    }
}

/// Makes one block of what waits.
fn make(node: &Node, slot: Slot) -> Result<(), String> {
    // An empty one would take room, too: nothing is made until there is some.
    node.storage.room()?;
    let attributes = attributes(node, node.head().hash, slot.timestamp);
    let produced = node.source.0.produce(attributes, offered(node).into_iter());
    let produced = produced.map_err(|error| error.to_string())?;
    forget(
        node,
        produced.head.block.body.transactions.is_empty(),
        &produced.refused,
    );
    Ok(())
}

/// What this node decides about a block of its own.
pub(crate) fn attributes(node: &Node, parent: B256, timestamp: u64) -> Attributes {
    let production = &node.settings.production;
    Attributes {
        timestamp,
        beneficiary: production.beneficiary,
        // Nobody here draws lots: what nobody knows before the parent is as good as one sealer can give.
        prev_randao: keccak256(parent),
        gas_limit: production.gas_limit,
        extra_data: production.extra_data.clone().into(),
        withdrawals: Vec::new(),
        parent_beacon_root: B256::ZERO,
    }
}

/// Takes from the pool what no later block can take either. Where the whole block was free and nothing went in, the next
/// one will not be kinder: without this, one transaction would make empty blocks for ever. `empty`: nothing went in.
pub(crate) fn forget(node: &Node, empty: bool, refused: &[(B256, ExecutionRefusal)]) {
    for (hash, refusal) in refused {
        if empty || !refusal.may_pass_later() {
            let events = node.pool().refused(hash, &refusal.to_string());
            node.tell(&events, false);
        }
    }
}

/// What a block may take, the best paying first. Gas limits are promises that are seldom used up, so that twice as much as
/// fits is offered: the executor takes what really fits.
pub(crate) fn offered(node: &Node) -> Vec<Recovered> {
    let production = &node.settings.production;
    let pool = node.pool();
    let limits = Limits {
        gas: pool.head().gas_limit.saturating_mul(2),
        bytes: production.octets_max,
        count: production.transactions_max,
        until: None,
    };
    let chosen = choose(
        pool.best(pool.head().base_fee, node.settings.pool.tip_min),
        limits,
        node.now(),
    );
    chosen
        .transactions
        .iter()
        .map(|one| one.transaction().clone())
        .collect()
}
