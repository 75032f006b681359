//! What nodes tell each other of files.

use super::{Inner, place};
use crate::FileError;
use crate::content::{Content, fingerprint};
use crate::metadata::{MISSING_TTL, Metadata, TTL};
use crate::pool::Scratch;
use crate::resolve::Root;
use purlin_tftp_core::plan::Plan;
use std::path::Path;
use std::sync::Arc;

impl Inner {
    /// What another node found at this place. An engine that is away is one that knows nothing.
    pub(super) fn told(&self, root: &Path, path: &str) -> Option<Metadata> {
        let shared = self.shared.as_ref()?;
        shared.recall(&place(root, path)).ok().flatten()
    }

    /// Tells the others what was found, and counts when `told` by another node is something else: then their trees are
    /// not the same.
    pub(super) fn tell(
        &self,
        plan: &Plan,
        (root, path): (&Root, &str),
        told: Option<Metadata>,
        found: &Result<Arc<Content>, FileError>,
        scratch: &mut Scratch,
    ) {
        let Some(shared) = &self.shared else { return };
        let (found, ttl) = match found {
            Ok(content) => (of(content, scratch), TTL),
            Err(FileError::NotFound) => (Metadata::Missing, plan.settings().cache.ttl.min(MISSING_TTL)),
            Err(_) => return,
        };
        if told.is_some_and(|told| told.differs(&found)) {
            self.machine.counters.metadata_differs.one();
        }
        // What could not be told costs others a look, no more.
        let _ = shared.keep(&place(&root.path, path), found, ttl);
    }
}

/// The first client wants the first chunk next, so reading it here costs nothing.
fn of(content: &Arc<Content>, scratch: &mut Scratch) -> Metadata {
    let hash = match content.chunks() {
        0 => Some(fingerprint(&[])),
        1 => content.read(0, scratch).ok().map(|chunk| fingerprint(&chunk)),
        _ => None,
    };
    Metadata::File {
        size: content.size(),
        modified: content.modified(),
        hash,
    }
}
