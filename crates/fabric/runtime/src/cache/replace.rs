//! A new value, of which every node is to know.

use super::bus::{InvalidationBus, PublishFault};
use super::values::Cache;
use purlin_fabric::glob;

impl InvalidationBus {
    /// Keeps a value in place of whatever nodes have under its key; whether it is there for who asks next.
    ///
    /// Kept first and told of after: of two nodes that do this at one time, each clears what the other has kept, or one
    /// of them does. The other way round both could keep, each a value of its own.
    ///
    /// # Errors
    /// When others may never hear of it; nothing is kept then.
    pub async fn replace(&self, cache: &Cache, key: &str, value: Vec<u8>) -> Result<bool, PublishFault> {
        let kept = cache.put(key, value).await;
        if cache.is_shared() {
            return Ok(kept);
        }
        let pattern = glob::escape(key);
        if let Err(fault) = self.tell_others(std::slice::from_ref(&pattern)).await {
            cache.clear(&pattern).await;
            return Err(fault);
        }
        Ok(kept)
    }
}
