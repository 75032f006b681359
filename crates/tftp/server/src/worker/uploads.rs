//! Files being written: which transfer writes which, and what was asked of the library.

use super::Worker;
use crate::inbox::Note;
use purlin_tftp_core::{Ask, Scheme, Slot};
use purlin_tftp_files::{OwnedAsk, Upload};
use std::collections::HashMap;
use std::sync::Arc;

/// The uploads of a packet thread by slot.
#[derive(Debug, Default)]
pub(super) struct Uploads(HashMap<Slot, Arc<Upload>>);

impl Uploads {
    pub(super) fn put(&mut self, slot: Slot, upload: Arc<Upload>) {
        self.0.insert(slot, upload);
    }

    /// Removes every trace of an upload that will not end well.
    pub(super) fn discard(&mut self, slot: Slot) {
        if let Some(upload) = self.0.remove(&slot) {
            upload.discard();
        }
    }

    /// The transfer is over; an upload that was not committed by now never will be.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.discard(slot);
    }
}

impl Worker {
    pub(super) fn create(&mut self, slot: Slot, size: Option<u64>) {
        let Some(request) = self.engine.request(slot) else {
            return;
        };
        let ask = Ask {
            name: request.name,
            client: request.peer.address.ip(),
            server: request.peer.local,
            write: true,
            scheme: Scheme::Tftp,
        };
        let inbox = Arc::clone(&self.inbox);
        let done = move |result| inbox.leave(Note::Created(slot, result));
        self.tree.create(OwnedAsk::from(&ask), size, Box::new(done));
        self.own_port(slot);
    }

    /// Hands a block over. In netascii the core has decoded it.
    pub(super) fn store(&mut self, slot: Slot, payload: &[u8]) {
        let Some(upload) = self.uploads.0.get(&slot) else {
            return;
        };
        let octets = self.engine.decoded(slot).unwrap_or(payload).to_vec();
        let inbox = Arc::clone(&self.inbox);
        upload.append(
            octets,
            Box::new(move |result| inbox.leave(Note::Stored(slot, result))),
        );
    }

    pub(super) fn commit(&mut self, slot: Slot) {
        let Some(upload) = self.uploads.0.remove(&slot) else {
            return;
        };
        let inbox = Arc::clone(&self.inbox);
        upload.commit(Box::new(move |result| inbox.leave(Note::Committed(slot, result))));
    }
}
