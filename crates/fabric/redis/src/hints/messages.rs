//! Telling and listening.

use super::{RedisHints, Tasks};
use crate::ear::Listening;
use purlin_fabric::port::{HintFault, Later, Message, Subscription};
use std::sync::Arc;

impl RedisHints {
    pub(super) async fn tell(&self, channel: &str, body: &[u8]) -> Result<(), HintFault> {
        let channel = self.keys.channel(channel);
        if self.ear.in_cluster() {
            return Ok(self.ear.publish(&channel, body).await?);
        }
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(body);
        let _heard_by: u64 = self.calls.send(&publish).await?;
        Ok(())
    }

    pub(super) async fn listen(&self, channels: &[&str]) -> Result<Box<dyn Subscription>, HintFault> {
        let listening = self.ear.subscribe(channels).await?;
        Ok(Box::new(Subscribed {
            listening,
            _tasks: Arc::clone(&self._tasks),
        }))
    }
}

/// A subscription outlives the handle that it came from: it keeps the tasks going.
#[derive(Debug)]
struct Subscribed {
    listening: Listening,
    _tasks: Arc<Tasks>,
}

impl Subscription for Subscribed {
    fn next(&mut self) -> Later<'_, Option<Message>> {
        self.listening.next()
    }

    fn down(&self) -> Later<'static, ()> {
        self.listening.down()
    }
}
