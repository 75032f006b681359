//! ovn-northd: how far it is, and whether one is at work.

use super::control::{Control, Program};
use super::progress::Memory;
use crate::platform::Platform;
use purlin_ovsdb::Atom;
use purlin_ovsdb::client::Snapshot;
use serde::Serialize;
use serde_json::json;
use std::time::Instant;

/// Its lock in the southbound: who has it makes the flows (ovn-northd(8), "Active-Standby for High Availability").
const LOCK: &str = "ovn_northd";

/// How far the network has come, by the counts that OVN keeps in `NB_Global`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Northd {
    /// What was asked for, written as flows, and taken over by all hypervisors.
    pub(crate) nb_cfg: Option<i64>,
    pub(crate) sb_cfg: Option<i64>,
    pub(crate) hv_cfg: Option<i64>,
    /// Milliseconds since 1970 when ovn-northd began with it, had written it, and the last hypervisor had it.
    pub(crate) nb_cfg_timestamp: Option<i64>,
    pub(crate) sb_cfg_timestamp: Option<i64>,
    pub(crate) hv_cfg_timestamp: Option<i64>,
    /// How long the last round took that was counted.
    pub(crate) last_round_ms: Option<i64>,
    /// How long there has been no progress towards what was asked; absent for who is there.
    pub(crate) behind_seconds: Option<f64>,
    pub(crate) hypervisors_behind_seconds: Option<f64>,
    /// Whether one is at work; absent where nobody can tell.
    pub(crate) active: Option<bool>,
    pub(crate) processes: Vec<Process>,
}

/// One whose control socket is reached.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Process {
    pub(crate) control: String,
    pub(crate) version: String,
    /// `active`, `standby`, `paused`.
    pub(crate) status: String,
    pub(crate) northbound: String,
    pub(crate) southbound: String,
}

/// Whether somebody has the lock: asked for and given back at once. Not asked where a control socket tells.
pub(super) async fn lock(platform: &Platform, controls: &[Control]) -> Option<bool> {
    let told = controls.iter().any(|control| match &control.program {
        Program::Northd(process) => process.status == "active",
        Program::Server(_) => false,
    });
    if told {
        return Some(true);
    }
    let south = platform.south().ok()?;
    south.client.leader()?;
    let asked = south.client.call("lock", &json!([LOCK])).await;
    // Also when the answer was lost: whoever waits for it must not wait for us.
    let _ = south.client.call("unlock", &json!([LOCK])).await;
    asked.ok()?["locked"].as_bool().map(|free| !free)
}

pub(super) fn look(
    platform: &Platform,
    controls: &[Control],
    lock: Option<bool>,
    memory: &mut Memory,
    now: Instant,
) -> Northd {
    let rows = platform.north().rows.snapshot();
    let count = |column: &str| counted(&rows, column);
    let (nb, sb, hv) = (count("nb_cfg"), count("sb_cfg"), count("hv_cfg"));
    let mut behind = |who: &str, value: Option<i64>, goal: Option<i64>| {
        let lag = memory.behind(who, value?, goal?, now)?;
        Some(lag.as_secs_f64())
    };
    let stamp = |column: &str| count(column).filter(|stamp| *stamp > 0);
    let (began, written) = (stamp("nb_cfg_timestamp"), stamp("sb_cfg_timestamp"));
    let took = began.zip(written).map(|(began, written)| written - began);
    let process = |control: &Control| match &control.program {
        Program::Northd(process) => Some(Process {
            control: control.socket.display().to_string(),
            version: process.version.clone(),
            status: process.status.clone(),
            northbound: process.north.clone(),
            southbound: process.south.clone(),
        }),
        Program::Server(_) => None,
    };
    // Without hypervisors the count is carried on by ovn-northd itself.
    Northd {
        nb_cfg: nb,
        sb_cfg: sb,
        hv_cfg: hv,
        nb_cfg_timestamp: began,
        sb_cfg_timestamp: written,
        hv_cfg_timestamp: stamp("hv_cfg_timestamp"),
        last_round_ms: took.filter(|took| *took >= 0),
        behind_seconds: behind("northd", sb, nb),
        hypervisors_behind_seconds: behind("hypervisors", hv, sb),
        active: lock,
        processes: controls.iter().filter_map(process).collect(),
    }
}

fn counted(rows: &Snapshot, column: &str) -> Option<i64> {
    let row = rows.table("NB_Global")?.rows().next()?;
    row.get(column)?.one().and_then(Atom::as_integer)
}
