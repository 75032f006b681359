//! The addresses of OVN's ports as pins of DHCP: a machine behind a port gets the address that its port has, and nobody
//! else does. The two services know nothing of each other; this is where they meet while running.
//!
//! ```text
//!   northbound ─► held: ports of switches that Purlin answers ─► pins ─► every packet thread
//!                                                                  └──► records: what holds at the next start,
//!                                                                       before the northbound is there
//! ```

use crate::log;
use purlin_api::Problem;
use purlin_api::ledger::Ledger;
use purlin_dhcp_core::settings::Pin;
use purlin_dhcp_server::Handle;
use purlin_ovn_server::{Held, HeldAddresses, Platform};
use purlin_store::Batch;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// What was pinned last, in the node's own records.
const TABLE: &str = "dhcp_pins";
const KEY: &[u8] = b"ovn";

/// Pins that follow the ports, until this is dropped.
#[derive(Debug)]
pub(super) struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What held when the node ended.
pub(super) async fn remembered(ledger: &Ledger) -> Vec<Pin> {
    let row = ledger.get(TABLE, KEY.to_vec()).await.ok().flatten();
    let rows: Vec<Value> = row
        .and_then(|row| serde_json::from_slice(&row).ok())
        .unwrap_or_default();
    rows.iter().filter_map(read).collect()
}

/// Nothing is followed any more, so nothing holds at the next start.
pub(super) async fn forget(ledger: &Ledger) {
    if matches!(ledger.get(TABLE, KEY.to_vec()).await, Ok(Some(_))) {
        tell(ledger.commit(Batch::default().delete(TABLE, KEY)).await);
    }
}

/// Begins to follow.
pub(super) fn follow(platform: &Platform, dhcp: Handle, ledger: Ledger) -> Following {
    let mut addresses = HeldAddresses::of(platform);
    Following(tokio::spawn(async move {
        while let Some(held) = addresses.next().await {
            let pins: Vec<Pin> = held.iter().map(pin).collect();
            let row = json!(pins.iter().map(shown).collect::<Vec<_>>()).to_string();
            // First to whoever answers now.
            dhcp.pin(pins).await;
            tell(ledger.commit(Batch::default().put(TABLE, KEY, row)).await);
        }
    }))
}

fn tell(done: Result<(), Problem>) {
    if let Err(problem) = done {
        let why = problem.detail();
        log::warn(&format!(
            "the addresses of OVN's ports could not be kept for the next start: {why}"
        ));
    }
}

fn pin(held: &Held) -> Pin {
    Pin {
        mac: held.mac,
        address: held.address,
        by: format!("port {} of switch {}", held.port, held.switch),
    }
}

fn shown(pin: &Pin) -> Value {
    json!({ "mac": pin.mac.to_string(), "address": pin.address, "by": pin.by })
}

fn read(row: &Value) -> Option<Pin> {
    Some(Pin {
        mac: row["mac"].as_str()?.parse().ok()?,
        address: row["address"].as_str()?.parse().ok()?,
        by: row["by"].as_str()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let held = Held {
            switch: "web".to_owned(),
            port: "web-1".to_owned(),
            mac: "02:00:00:00:01:01".parse().expect("a MAC"),
            address: "10.88.0.11".parse().expect("an address"),
        };
        let pin = pin(&held);
        assert_eq!(pin.by, "port web-1 of switch web");
        assert_eq!(read(&shown(&pin)), Some(pin));
    }
}
