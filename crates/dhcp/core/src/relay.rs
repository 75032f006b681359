//! Option 82 of a message, also when it came in several pieces (RFC 3396).

use purlin_dhcp_proto::code;
use purlin_dhcp_proto::message::{Message, RelayAgent};

/// The joined value of a split option 82; empty, and nothing allocated, for all others.
pub(crate) struct RelayPieces(Vec<u8>);

impl RelayPieces {
    pub(crate) fn of(message: &Message<'_>) -> Self {
        let mut joined = Vec::new();
        if let Some(option) = message.option(code::RELAY_AGENT)
            && option.whole().is_none()
        {
            option.parts().for_each(|part| joined.extend_from_slice(part));
        }
        Self(joined)
    }

    /// What the relay says of the client.
    pub(crate) fn agent<'a>(&'a self, message: &Message<'a>) -> Option<RelayAgent<'a>> {
        if self.0.is_empty() {
            message.relay_agent()
        } else {
            Some(RelayAgent::new(&self.0))
        }
    }
}
