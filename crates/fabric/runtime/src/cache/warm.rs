//! What has to be read before a node may be asked: each warmer has its time, and its last word is kept.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// Fills something before the node counts as ready; what it has filled, or why it could not.
pub type Warmer = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;

/// How far warming has come. Clones see the same.
#[derive(Clone, Default)]
pub struct Warmth(Arc<Mutex<Vec<Part>>>);

#[derive(Debug, Clone)]
struct Part {
    name: &'static str,
    end: Option<Result<String, String>>,
}

impl Warmth {
    /// Starts all warmers at once; each that has not ended after `patience` is given up. Must be called within a tokio
    /// runtime.
    #[must_use]
    pub fn start(warmers: Vec<(&'static str, Warmer)>, patience: Duration) -> Self {
        let parts = warmers.iter().map(|(name, _)| Part { name, end: None });
        let warmth = Self(Arc::new(Mutex::new(parts.collect())));
        let mut tasks = JoinSet::new();
        for (place, (_, warmer)) in warmers.into_iter().enumerate() {
            let warmth = warmth.clone();
            tasks.spawn(async move {
                let late = |_| Err(format!("it had not ended after {} s", patience.as_secs()));
                let end = tokio::time::timeout(patience, warmer).await.unwrap_or_else(late);
                warmth.ended(place, end);
            });
        }
        tasks.detach_all();
        warmth
    }

    /// What is still being warmed; empty when the node may be asked.
    #[must_use]
    pub fn waiting(&self) -> Vec<&'static str> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = parts.iter().filter(|part| part.end.is_none());
        waiting.map(|part| part.name).collect()
    }

    /// Every warmer that has ended, with its last word.
    #[must_use]
    pub fn ends(&self) -> Vec<(&'static str, Result<String, String>)> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = parts
            .iter()
            .filter_map(|part| Some((part.name, part.end.clone()?)));
        ended.collect()
    }

    fn ended(&self, place: usize, end: Result<String, String>) {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts[place].end = Some(end);
    }
}

impl fmt::Debug for Warmth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Warmth(waiting for {:?})", self.waiting())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_node_waits_for_its_warmers_and_not_for_ever() {
        let warmers: Vec<(&'static str, Warmer)> = vec![
            ("quick", Box::pin(async { Ok("3 values".to_owned()) })),
            ("slow", Box::pin(std::future::pending())),
        ];
        let warmth = Warmth::start(warmers, Duration::from_secs(30));
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert_eq!(warmth.waiting(), ["slow"]);
        assert_eq!(warmth.ends(), [("quick", Ok("3 values".to_owned()))]);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(warmth.waiting().is_empty());
        assert!(warmth.ends()[1].1.is_err());
    }
}
