//! What a client may negotiate.

use super::Plan;
use crate::settings::{Caps, ClientClass};
use std::net::IpAddr;

impl Plan {
    /// The caps of the first class that fits the request, or those of everybody.
    #[must_use]
    pub fn caps(
        &self,
        client: IpAddr,
        name: &str,
        asked_blksize: Option<u16>,
        asks_windowsize: bool,
    ) -> Caps {
        let client = client.to_canonical();
        let fits = |class: &&ClientClass| {
            (class.networks.is_empty() || class.networks.iter().any(|network| network.contains(client)))
                && class.asks_blksize.is_none_or(|size| asked_blksize == Some(size))
                && class.asks_windowsize.is_none_or(|asks| asks == asks_windowsize)
                && class.file.as_ref().is_none_or(|file| file.fits(name))
        };
        self.settings
            .classes
            .iter()
            .find(fits)
            .map_or(self.settings.caps, |class| class.caps)
    }
}
