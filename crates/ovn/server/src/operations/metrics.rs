//! Operations for Prometheus, with the gauges that ovncp names and never sets.

use super::{Look, Severity, alarms};
use crate::platform::Platform;
use purlin_ovsdb::client::{CommitError, Committed};
use purlin_telemetry::metrics::{Encoder, Histogram, LATENCY_BOUNDS, Unit};
use std::sync::Mutex;
use std::time::Duration;

/// Writes since the start.
#[derive(Debug)]
pub(crate) struct Writes(Mutex<Counted>);

#[derive(Debug)]
struct Counted {
    done: u64,
    refused: u64,
    /// Nobody took it, or nobody knows.
    lost: u64,
    took: Histogram,
    operations: Histogram,
}

static OPERATIONS: &[u64] = &[1, 2, 5, 10, 20, 50, 100, 1000, 10_000];

impl Default for Writes {
    fn default() -> Self {
        Self(Mutex::new(Counted {
            done: 0,
            refused: 0,
            lost: 0,
            took: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
            operations: Histogram::new(Unit::Count, OPERATIONS),
        }))
    }
}

impl Writes {
    /// Counts a transaction of so many operations.
    pub(crate) fn count(&self, operations: usize, took: Duration, result: &Result<Committed, CommitError>) {
        let mut counted = self.0.lock().expect("nobody panics with it");
        match result {
            Ok(_) => counted.done += 1,
            Err(CommitError::Refused(_)) => counted.refused += 1,
            Err(_) => counted.lost += 1,
        }
        counted
            .took
            .record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        counted.operations.record(operations as u64);
    }
}

const LABELS: [(&str, &str, &str); 5] = [
    (
        "ovncp_logical_switches_total",
        "Logical_Switch",
        "Logical switches.",
    ),
    (
        "ovncp_logical_routers_total",
        "Logical_Router",
        "Logical routers.",
    ),
    (
        "ovncp_logical_ports_total",
        "Logical_Switch_Port",
        "Ports of logical switches.",
    ),
    (
        "ovncp_acl_rules_total",
        "ACL",
        "ACLs of switches and port groups.",
    ),
    ("ovncp_load_balancers_total", "Load_Balancer", "Load balancers."),
];

/// All of it, as the latest look has it.
pub(crate) fn collect(platform: &Platform, encoder: &mut Encoder) {
    let look = platform.operations().latest();
    promised(platform, encoder);
    writes(platform, encoder);
    raft(&look, encoder);
    progress(&look, encoder);
    let mut raised = encoder.gauge("purlin_ovn_alarms", "Alarms that are raised, by kind.");
    for kind in alarms::KINDS {
        let count = look.alarms.iter().filter(|alarm| alarm.kind == *kind).count();
        let critical = look
            .alarms
            .iter()
            .any(|alarm| alarm.kind == *kind && alarm.severity == Severity::Critical);
        let severity = if critical {
            Severity::Critical
        } else {
            alarms::usual(kind)
        };
        raised.value(&[("kind", kind), ("severity", severity.word())], count as f64);
    }
}

/// What ovncp's guide and dashboards ask for.
fn promised(platform: &Platform, encoder: &mut Encoder) {
    let mut connection = encoder.gauge(
        "ovncp_ovn_connection_status",
        "1 while the database is followed, 0 when its copy is stale or empty.",
    );
    for side in platform.sides() {
        let live = f64::from(u8::from(side.rows.snapshot().is_live()));
        connection.value(&[("database", &side.database)], live);
    }
    let rows = platform.north().rows.snapshot();
    for (name, table, help) in LABELS {
        let count = rows.table(table).map_or(0, |table| table.len());
        // The names say counter, and are what dashboards ask for.
        encoder.untyped(name, help).value(&[], count as f64);
    }
}

fn writes(platform: &Platform, encoder: &mut Encoder) {
    let counted = platform
        .operations()
        .writes()
        .0
        .lock()
        .expect("nobody panics with it");
    let mut all = encoder.counter(
        "ovncp_transactions_total",
        "Transactions that were sent to the northbound.",
    );
    for (status, count) in [
        ("success", counted.done),
        ("refused", counted.refused),
        ("lost", counted.lost),
    ] {
        all.count(&[("status", status)], count);
    }
    // Its `_count` is a name of ovncp's.
    encoder
        .histogram("ovncp_transaction_operations", "Operations of a transaction.")
        .histogram(&[], &counted.operations);
    encoder
        .histogram(
            "ovncp_ovn_operation_duration_seconds",
            "From the sending of a transaction to its answer.",
        )
        .histogram(&[], &counted.took);
}

fn raft(look: &Look, encoder: &mut Encoder) {
    let clustered = || {
        look.databases
            .iter()
            .filter(|database| database.model == "clustered")
    };
    let mut alive = encoder.gauge(
        "purlin_ovn_raft_members",
        "Members of the cluster, by whether they take part.",
    );
    for database in clustered() {
        let lost = database.members.len() - database.members_alive;
        for (state, count) in [("alive", database.members_alive), ("lost", lost)] {
            alive.value(
                &[("database", &database.database), ("state", state)],
                count as f64,
            );
        }
    }
    let mut led = encoder.gauge(
        "purlin_ovn_raft_has_leader",
        "Whether a member leads the cluster.",
    );
    for database in clustered() {
        let has = f64::from(u8::from(database.leader.is_some()));
        led.value(&[("database", &database.database)], has);
    }
    let mut term = encoder.gauge(
        "purlin_ovn_raft_term",
        "The cluster's term: it rises with every election.",
    );
    for database in clustered() {
        if let Some(value) = database.term {
            term.value(&[("database", &database.database)], value as f64);
        }
    }
    let mut timer = encoder.gauge(
        "purlin_ovn_raft_election_timer_seconds",
        "Silence of the leader before an election.",
    );
    for database in clustered() {
        if let Some(value) = database.election_timer_ms {
            timer.value(&[("database", &database.database)], value as f64 / 1e3);
        }
    }
    members(look, encoder);
}

/// What is known of a member, in the unit of its metric.
type Read = fn(&super::raft::Member) -> Option<f64>;

fn members(look: &Look, encoder: &mut Encoder) {
    let of: [(&'static str, &'static str, Read); 4] = [
        (
            "purlin_ovn_raft_index",
            "Last entry of the log that the member has applied.",
            |member| member.index.map(|index| index as f64),
        ),
        (
            "purlin_ovn_raft_log_entries",
            "Entries of the member's log behind its snapshot.",
            |member| member.log_entries.map(|entries| entries as f64),
        ),
        (
            "purlin_ovn_raft_last_message_seconds",
            "Since the leader last heard from the member.",
            |member| member.last_message_ms.map(|ms| ms as f64 / 1e3),
        ),
        (
            "purlin_ovn_raft_sessions",
            "Clients connected to the member.",
            |member| member.sessions.map(|sessions| sessions as f64),
        ),
    ];
    for (name, help, read) in of {
        let mut gauge = encoder.gauge(name, help);
        for database in &look.databases {
            for member in &database.members {
                let called = member.endpoint.as_deref().or(member.address.as_deref());
                if let (Some(value), Some(called)) = (read(member), called) {
                    gauge.value(&[("database", &database.database), ("member", called)], value);
                }
            }
        }
    }
    let mut file = encoder.gauge(
        "purlin_ovn_file_bytes",
        "Octets of the database's file, where this node started it.",
    );
    for database in &look.databases {
        if let Some(octets) = database.file_octets {
            file.value(&[("database", &database.database)], octets as f64);
        }
    }
}

fn progress(look: &Look, encoder: &mut Encoder) {
    let northd = &look.northd;
    let mut cfg = encoder.gauge(
        "purlin_ovn_cfg",
        "The count of changes that was asked for (nb), written as flows (sb), taken over by all hypervisors (hv).",
    );
    for (stage, value) in [
        ("nb", northd.nb_cfg),
        ("sb", northd.sb_cfg),
        ("hv", northd.hv_cfg),
    ] {
        if let Some(value) = value {
            cfg.value(&[("stage", stage)], value as f64);
        }
    }
    let mut lag = encoder.gauge(
        "purlin_ovn_behind_seconds",
        "How long there has been no progress towards what was asked.",
    );
    for (who, value) in [
        ("northd", northd.behind_seconds),
        ("hypervisors", northd.hypervisors_behind_seconds),
    ] {
        lag.value(&[("who", who)], value.unwrap_or(0.0));
    }
    if let Some(active) = northd.active {
        encoder
            .gauge("purlin_ovn_northd_active", "Whether an ovn-northd is at work.")
            .value(&[], f64::from(u8::from(active)));
    }
    let stale = look
        .chassis
        .iter()
        .filter(|chassis| chassis.stale_seconds.is_some())
        .count();
    let mut chassis = encoder.gauge(
        "purlin_ovn_chassis",
        "Hypervisors, by whether they have what was asked for.",
    );
    for (state, count) in [("current", look.chassis.len() - stale), ("behind", stale)] {
        chassis.value(&[("state", state)], count as f64);
    }
    let mut oldest = encoder.gauge(
        "purlin_ovn_chassis_stale_seconds",
        "How long the hypervisor has made no progress.",
    );
    for one in &look.chassis {
        if let Some(stale) = one.stale_seconds {
            oldest.value(&[("chassis", &one.name), ("hostname", &one.hostname)], stale);
        }
    }
    let mut ports = encoder.gauge("purlin_ovn_ports", "Ports that hypervisors carry.");
    for (state, count) in [
        ("up", look.chassis.iter().map(|one| one.ports_up).sum::<usize>()),
        ("down", look.chassis.iter().map(|one| one.ports_down).sum()),
    ] {
        ports.value(&[("state", state)], count as f64);
    }
}
