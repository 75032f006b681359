//! The share of the addresses that the DHCP service serves: its store, its tenure, and the way to the other nodes.

use super::Cluster;
use crate::exit::Failure;
use purlin_dhcp_server::{ForwardKey, Holder, Others, ShareConfig};
use purlin_netio::{UdpOptions, UdpPort};
use purlin_types::Slot;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// How long packets wait at the start for leases that nobody else serves: as long as clients ask again for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of the socket for other nodes, in octets: bursts that come to all nodes meet at the one that holds their slots.
const PEER_BUFFER: u32 = 4 << 20;

impl Cluster {
    /// What the DHCP service needs to serve a share; `None` when it serves everything.
    pub(crate) fn share(&self) -> Result<Option<ShareConfig>, Failure> {
        let (Some(rows), Some(secret)) = (&self.0.engines.rows, &self.0.settings.secret) else {
            return Ok(None);
        };
        let at = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, self.0.settings.peer_port);
        let options = UdpOptions {
            receive_buffer: Some(PEER_BUFFER),
            send_buffer: Some(PEER_BUFFER),
            ..UdpOptions::default()
        };
        let peers = UdpPort::bind(at, &options).map_err(|cause| {
            let what = format!(
                "listening for other nodes on UDP port {} failed: {cause}",
                at.port()
            );
            Failure::failed(what, "set cluster.peer_port to a free port")
        })?;
        let key = ForwardKey::new(secret.0.as_bytes())
            .map_err(|cause| Failure::failed(cause.to_string(), "set cluster.secret"))?;
        let (lost, mut lost_slots) = mpsc::unbounded_channel();
        let cluster = self.clone();
        tokio::spawn(async move {
            while let Some(slots) = lost_slots.recv().await {
                if let Some(fabric) = cluster.0.fabric.get() {
                    fabric.fence_lost(slots).await;
                }
            }
        });
        let cluster = self.clone();
        Ok(Some(ShareConfig {
            rows: Arc::clone(rows),
            tenure: self.0.tenure.clone(),
            lost,
            homes: Arc::new(move |slot| cluster.home(slot)),
            peers: Arc::new(peers),
            key,
            runtime: Handle::current(),
            patient: Some((self.0.me.id.clone(), PATIENCE)),
        }))
    }

    /// The leases of the other nodes; `None` for a node alone.
    pub(crate) fn others(&self) -> Option<Others> {
        let rows = Arc::clone(self.0.engines.rows.as_ref()?);
        let cluster = self.clone();
        Some(Others {
            rows,
            holders: Arc::new(move |slot| cluster.holder(slot)),
        })
    }

    /// The node that holds a slot, this one included.
    fn holder(&self, slot: Slot) -> Option<Holder> {
        let fabric = self.0.fabric.get()?;
        let holdings = Arc::clone(&fabric.holdings().borrow());
        let node = if holdings.slots().contains(slot) {
            self.0.me.id.clone()
        } else {
            holdings.home(slot)?.clone()
        };
        let snapshot = fabric.snapshot();
        let member = snapshot.members.iter().find(|member| member.id == node);
        let facts = member.map(|member| &member.facts).filter(|facts| facts.port != 0);
        let api = facts.map(|facts| format!("{}:{}", facts.address, facts.port));
        Some(Holder { node, api })
    }

    /// Where the node that holds a slot takes forwarded packets.
    fn home(&self, slot: Slot) -> Option<SocketAddrV4> {
        self.0.fabric.get()?.home(slot)
    }
}
