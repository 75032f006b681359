//! The nodes that the operator wants to be connected with always.

use crate::PeerAddress;
use alloy_primitives::Address;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// One node to dial.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) address: PeerAddress,
    /// Who answered there last.
    learnt: Mutex<Option<Address>>,
    given_up: watch::Sender<bool>,
}

impl Wish {
    pub(crate) fn new(address: PeerAddress) -> Arc<Self> {
        Arc::new(Self {
            address,
            learnt: Mutex::new(None),
            given_up: watch::Sender::new(false),
        })
    }

    pub(crate) fn learn(&self, id: Address) {
        *self.learnt.lock().expect("no thread panics with it") = Some(id);
    }

    pub(crate) fn id(&self) -> Option<Address> {
        let learnt = *self.learnt.lock().expect("no thread panics with it");
        self.address.id.or(learnt)
    }

    pub(crate) fn give_up(&self) {
        self.given_up.send_replace(true);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        *self.given_up.borrow()
    }

    pub(crate) async fn given_up(&self) {
        let _ = self.given_up.subscribe().wait_for(|given_up| *given_up).await;
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Wishes(Mutex<HashMap<PeerAddress, Arc<Wish>>>);

impl Wishes {
    /// `None`: it is there already.
    pub(crate) fn add(&self, address: PeerAddress) -> Option<Arc<Wish>> {
        let mut wishes = self.0.lock().expect("no thread panics with it");
        match wishes.entry(address.clone()) {
            Entry::Occupied(_) => None,
            Entry::Vacant(entry) => Some(Arc::clone(entry.insert(Wish::new(address)))),
        }
    }

    pub(crate) fn remove(&self, address: &PeerAddress) -> Option<Arc<Wish>> {
        self.0.lock().expect("no thread panics with it").remove(address)
    }

    pub(crate) fn have(&self, id: Address) -> bool {
        let wishes = self.0.lock().expect("no thread panics with it");
        wishes.values().any(|wish| wish.id() == Some(id))
    }
}
