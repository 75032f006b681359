//! Names with many addresses, as a headless service of Kubernetes has: each address is a node to dial.

use crate::backoff::Backoff;
use crate::dial::Keeper;
use crate::shared::Shared;
use crate::unmet::Unmet;
use crate::wish::Wish;
use crate::{Direction, PeerAddress};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::lookup_host;
use tokio::time::{sleep, timeout};

/// Addresses of one name that are dialled.
const ADDRESSES_MAX: usize = 256;

/// Looks a name up again and again and keeps a dialler for each of its addresses.
pub(crate) async fn discover(shared: Arc<Shared>, name: PeerAddress) {
    let pace = &shared.settings.pace;
    let mut found = Found::default();
    let mut backoff = Backoff::new(pace.redial_min, pace.redial_max);
    let mut told = None;
    loop {
        let looked = tokio::select! {
            looked = look(&shared, &name) => looked,
            () = shared.stopped() => return,
        };
        let wait = match looked {
            Ok(addresses) if !addresses.is_empty() => {
                backoff.reset();
                told = None;
                found.change_to(&shared, addresses);
                pace.discovery
            }
            // What was found before is kept: a resolver that is away says nothing about the nodes.
            failed => {
                let why = failed
                    .err()
                    .unwrap_or_else(|| "the name has no address".to_owned());
                let news = told.as_ref() != Some(&why);
                let unmet = Unmet::other(why.clone());
                shared.refused(Direction::Outbound, name.to_string(), &unmet, news);
                told = Some(why);
                backoff.wait()
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = shared.stopped() => return,
        }
    }
}

async fn look(shared: &Shared, name: &PeerAddress) -> Result<BTreeSet<SocketAddr>, String> {
    let most = shared.settings.connect_timeout;
    let looked = timeout(most, lookup_host((name.host.as_str(), name.port))).await;
    let looked = looked.map_err(|_| format!("the name was not found within {most:?}"))?;
    let addresses = looked.map_err(|error| format!("the name is not found: {error}"))?;
    Ok(addresses.take(ADDRESSES_MAX).collect())
}

/// The addresses that a name had last.
#[derive(Default)]
struct Found(HashMap<SocketAddr, Arc<Wish>>);

impl Found {
    /// Dials those that are new and gives up those that are gone; their connections stay as long as they last.
    fn change_to(&mut self, shared: &Arc<Shared>, addresses: BTreeSet<SocketAddr>) {
        self.0.retain(|address, wish| {
            let stays = addresses.contains(address);
            if !stays {
                wish.give_up();
            }
            stays
        });
        for address in addresses {
            self.0.entry(address).or_insert_with(|| dial(shared, address));
        }
    }
}

fn dial(shared: &Arc<Shared>, address: SocketAddr) -> Arc<Wish> {
    let wish = Wish::new(PeerAddress {
        id: None,
        host: address.ip().to_string(),
        port: address.port(),
    });
    let keeper = Keeper {
        shared: Arc::clone(shared),
        wish: Arc::clone(&wish),
        wished: false,
    };
    shared.spawn(keeper.keep());
    wish
}
