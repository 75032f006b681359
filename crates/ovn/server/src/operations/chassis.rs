//! The hypervisors: whether they follow, since when not, and what they carry.

use super::progress::Memory;
use crate::platform::Platform;
use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{Atom, Uuid};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

/// One hypervisor.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Chassis {
    pub(crate) name: String,
    pub(crate) hostname: String,
    /// `geneve 10.0.0.1`.
    pub(crate) encaps: Vec<String>,
    /// What it has taken over, of what was asked for.
    pub(crate) nb_cfg: Option<i64>,
    pub(crate) nb_cfg_wanted: Option<i64>,
    /// Milliseconds since 1970 when it last had caught up.
    pub(crate) nb_cfg_timestamp: Option<i64>,
    /// How long it has made no progress; absent when it follows.
    pub(crate) stale_seconds: Option<f64>,
    pub(crate) ports_up: usize,
    pub(crate) ports_down: usize,
}

/// All of them by name; none without a southbound.
pub(super) fn look(platform: &Platform, memory: &mut Memory, now: Instant) -> Vec<Chassis> {
    let Ok(south) = platform.south() else {
        return Vec::new();
    };
    let rows = south.rows.snapshot();
    let all = read(&rows, memory, now);
    let names: HashSet<&str> = all.iter().map(|chassis| chassis.name.as_str()).collect();
    memory.keep("chassis/", |name| names.contains(name));
    all
}

fn read(rows: &Snapshot, memory: &mut Memory, now: Instant) -> Vec<Chassis> {
    let wanted = first(rows, "SB_Global").and_then(|row| integer(&row, "nb_cfg"));
    let private: HashMap<String, (Option<i64>, Option<i64>)> = table(rows, "Chassis_Private")
        .map(|row| {
            (
                text(&row, "name"),
                (integer(&row, "nb_cfg"), integer(&row, "nb_cfg_timestamp")),
            )
        })
        .collect();
    let ports = ports(rows);
    let encaps: HashMap<Uuid, String> = table(rows, "Encap")
        .map(|row| (row.uuid(), format!("{} {}", text(&row, "type"), text(&row, "ip"))))
        .collect();
    let mut all: Vec<Chassis> = table(rows, "Chassis")
        .map(|row| {
            let name = text(&row, "name");
            // Before OVN 20.09 the count was in the row itself.
            let (nb_cfg, stamp) = private
                .get(&name)
                .copied()
                .unwrap_or((integer(&row, "nb_cfg"), None));
            let lag = nb_cfg
                .zip(wanted)
                .and_then(|(value, goal)| memory.behind(&format!("chassis/{name}"), value, goal, now));
            let (up, down) = ports.get(&row.uuid()).copied().unwrap_or_default();
            let tunnels = row
                .get("encaps")
                .map(purlin_ovsdb::Datum::atoms)
                .unwrap_or_default();
            Chassis {
                hostname: text(&row, "hostname"),
                encaps: tunnels
                    .iter()
                    .filter_map(|atom| encaps.get(&atom.as_uuid()?).cloned())
                    .collect(),
                nb_cfg,
                nb_cfg_wanted: wanted,
                nb_cfg_timestamp: stamp.filter(|stamp| *stamp > 0),
                stale_seconds: lag.map(|lag| lag.as_secs_f64()),
                ports_up: up,
                ports_down: down,
                name,
            }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Ports that are up and down, by chassis.
fn ports(rows: &Snapshot) -> HashMap<Uuid, (usize, usize)> {
    let mut ports: HashMap<Uuid, (usize, usize)> = HashMap::new();
    for row in table(rows, "Port_Binding") {
        let at = row
            .get("chassis")
            .and_then(|value| value.one())
            .and_then(Atom::as_uuid);
        let Some(at) = at else { continue };
        let up = row
            .get("up")
            .and_then(|value| value.one())
            .and_then(Atom::as_bool);
        let (up_there, down_there) = ports.entry(at).or_default();
        // Older ones do not say: bound is up.
        match up {
            Some(false) => *down_there += 1,
            Some(true) | None => *up_there += 1,
        }
    }
    ports
}

fn table<'r>(rows: &'r Snapshot, name: &str) -> impl Iterator<Item = RowRef<'r>> {
    rows.table(name).into_iter().flat_map(|table| table.rows())
}

fn first<'r>(rows: &'r Snapshot, name: &str) -> Option<RowRef<'r>> {
    table(rows, name).next()
}

fn text(row: &RowRef<'_>, column: &str) -> String {
    let atom = row.get(column).and_then(|value| value.one());
    atom.and_then(Atom::as_str).unwrap_or_default().to_owned()
}

fn integer(row: &RowRef<'_>, column: &str) -> Option<i64> {
    row.get(column)?.one().and_then(Atom::as_integer)
}
