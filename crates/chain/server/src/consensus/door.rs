//! Who may be connected: asked when two nodes meet, and again of all when the validators have changed.

use super::{Guests, Rules, Shared};
use crate::source::NewHead;
use alloy_primitives::Address;
use purlin_chain_peers::Admission;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use tokio::sync::broadcast::{self, error::RecvError};

/// Validators come in always, and whoever is about to be one.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) rules: Rules,
    /// Whom this node dials by their address.
    pub(super) dialled: BTreeSet<Address>,
    pub(super) guests: Guests,
}

impl Admission for Door {
    fn admit(&self, id: Address) -> Result<(), String> {
        let guest = match &self.guests {
            Guests::Anybody => true,
            Guests::These(these) => these.contains(&id),
        };
        if guest || self.precious(id) || self.dialled.contains(&id) {
            return Ok(());
        }
        Err(format!(
            "{id} is no validator of this chain, and chain.guests does not name it"
        ))
    }

    fn precious(&self, id: Address) -> bool {
        self.rules.has(&id)
    }
}

/// Sends away whom the door would not let in any more, each time when other validators decide, until the node is gone.
pub(super) async fn watch(
    door: Arc<Door>,
    mut heads: broadcast::Receiver<Arc<NewHead>>,
    shared: Weak<Shared>,
) {
    let mut seen = None;
    loop {
        let version = door.rules.next_version();
        if seen.is_some_and(|seen| seen != version) {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            for peer in shared.peers() {
                if let Err(why) = door.admit(peer.id) {
                    shared.disconnect(peer.id, &why);
                }
            }
        }
        seen = Some(version);
        if let Err(RecvError::Closed) = heads.recv().await {
            return;
        }
    }
}
