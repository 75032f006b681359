//! One signal that everything which lives long listens to.

use std::sync::Arc;
use tokio::sync::watch;

/// Told once, heard by all clones.
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Shutdown {
    /// Tells everybody to finish.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was told.
    #[must_use]
    pub fn begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is told. Cancel-safe.
    pub async fn wait(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }
}
