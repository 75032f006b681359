//! Whether and how files go compressed; it changes while requests are served.

use purlin_tftp_core::settings::Compression;
use std::sync::{Arc, PoisonError, RwLock};

/// The terms of gzip as they are now. Copies are the same.
#[derive(Debug, Clone)]
pub struct Gzip(Arc<RwLock<Compression>>);

impl Gzip {
    #[must_use]
    pub fn new(compression: Compression) -> Self {
        Self(Arc::new(RwLock::new(compression)))
    }

    /// Other terms for requests that come from now on.
    pub fn set(&self, compression: Compression) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = compression;
    }

    pub(super) fn now(&self) -> Compression {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
