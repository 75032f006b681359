//! Sessions that somebody else ends: an operator at another node, or the registry that says they live elsewhere.

use super::SessionStore;
use purlin_fabric::port::{Message, SessionRow};
use purlin_fabric::session::SessionError;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The channel of ids whose sessions are over.
const CHANNEL: &str = "session:end";

/// Before listening is tried again.
const PAUSE: Duration = Duration::from_secs(1);

impl SessionStore {
    /// Whose session it is and where it lives; `None` when nobody knows it.
    ///
    /// # Errors
    /// [`SessionError::Away`].
    pub async fn find(&self, id: &str) -> Result<Option<SessionRow>, SessionError> {
        self.heard(self.0.hints.session(id).await)
    }

    /// Ends a session wherever it lives. Its node hears of it at once; one that does not, when it tells of the session
    /// next.
    ///
    /// # Errors
    /// [`SessionError::Away`].
    pub async fn end_anywhere(&self, row: &SessionRow) -> Result<(), SessionError> {
        if self.end(&row.id).await.is_ok() {
            return Ok(());
        }
        self.heard(self.0.hints.end_session(&row.id, row.generation).await)?;
        self.heard(self.0.hints.publish(CHANNEL, row.id.as_bytes()).await)
    }

    /// Ends when the session does not, or no longer, live here in that generation.
    pub async fn gone(&self, id: &str, generation: u64) {
        loop {
            let mut went = std::pin::pin!(self.0.went.notified());
            went.as_mut().enable();
            if self.check(id, generation).is_err() {
                return;
            }
            went.await;
        }
    }

    /// Ends sessions of this node that others have ended, for as long as the task is not aborted.
    #[must_use]
    pub fn start_listening(&self) -> JoinHandle<()> {
        let store = self.clone();
        tokio::spawn(async move {
            loop {
                if let Ok(mut line) = store.0.hints.subscribe(&[CHANNEL]).await {
                    while let Some(message) = line.next().await {
                        store.end_told(&message).await;
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        })
    }

    async fn end_told(&self, message: &Message) {
        if let Ok(id) = str::from_utf8(&message.body) {
            let _lives_elsewhere = self.end(id).await;
        }
    }
}
