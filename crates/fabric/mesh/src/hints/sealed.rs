//! Messages of a channel, opened as they come.

use super::{SAID, Sealer};
use purlin_fabric::port::{Later, Message, Subscription};
use std::fmt;
use std::sync::Arc;

pub(super) struct Opening {
    pub(super) under: Box<dyn Subscription>,
    pub(super) sealer: Arc<Sealer>,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opening").field(&self.under).finish()
    }
}

impl Subscription for Opening {
    fn next(&mut self) -> Later<'_, Option<Message>> {
        Box::pin(async move {
            loop {
                let message = self.under.next().await?;
                // What strangers say is not heard.
                if let Some(body) = self.sealer.open(SAID, &message.channel, &message.body) {
                    return Some(Message { body, ..message });
                }
            }
        })
    }

    fn down(&self) -> Later<'static, ()> {
        self.under.down()
    }
}
