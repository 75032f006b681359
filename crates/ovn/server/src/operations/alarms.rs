//! What somebody should be told of.

use super::raft::{is_alive, majority};
use super::{DatabaseLook, Look, Operating};
use serde::Serialize;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// It works; the next fault would not be survived.
    Warning,
    /// Changes do not arrive.
    Critical,
}

impl Severity {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Alarm {
    /// A stable word for programs.
    pub(crate) kind: &'static str,
    pub(crate) severity: Severity,
    /// The database, member or chassis.
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) fix: &'static str,
}

/// The health checks, what belongs to each, and what is said when nothing is wrong.
pub(super) const GROUPS: &[(&str, &[&str], &str)] = &[
    (
        "ovn.raft",
        &["no_leader", "quorum_thin", "member_lost"],
        "every member of the databases' clusters takes part",
    ),
    (
        "ovn.northd",
        &["northd_missing", "northd_behind"],
        "ovn-northd has written what was asked for",
    ),
    (
        "ovn.chassis",
        &["chassis_stale"],
        "every hypervisor has what was asked for",
    ),
];

/// All kinds, for metrics: an alarm that is not raised is a 0.
pub(crate) const KINDS: &[&str] = &[
    "no_leader",
    "quorum_thin",
    "member_lost",
    "northd_missing",
    "northd_behind",
    "chassis_stale",
];

/// How bad a kind is while none is raised.
pub(crate) fn usual(kind: &str) -> Severity {
    match kind {
        "no_leader" | "northd_missing" | "northd_behind" => Severity::Critical,
        _ => Severity::Warning,
    }
}

pub(super) fn of(look: &Look, operating: &Operating) -> Vec<Alarm> {
    let mut alarms: Vec<Alarm> = look.databases.iter().flat_map(database).collect();
    alarms.extend(northd(look, operating.northd_lag_max));
    alarms.extend(chassis(look, operating.chassis_stale_after));
    alarms.sort_by_key(|alarm| alarm.severity != Severity::Critical);
    alarms
}

fn database(database: &DatabaseLook) -> Vec<Alarm> {
    if database.model != "clustered" {
        return Vec::new();
    }
    let name = &database.database;
    let (all, alive) = (database.members.len(), database.members_alive);
    let mut alarms = Vec::new();
    if database.leader.is_none() {
        alarms.push(Alarm {
            kind: "no_leader",
            severity: Severity::Critical,
            subject: name.clone(),
            text: format!("{name} has no leader: nothing can be written; {alive} of {all} members are in touch"),
            fix: "start the members that are down; with more than half of them there is an election by itself",
        });
    } else if all > 1 && alive == majority(all) && alive < all {
        alarms.push(Alarm {
            kind: "quorum_thin",
            severity: Severity::Warning,
            subject: name.clone(),
            text: format!("{name} has {alive} of {all} members: one more lost, and nothing can be written"),
            fix: "start the members that are down, or take those away that will not come back: purlin ovn raft kick",
        });
    }
    let lost = database.members.iter().filter(|member| !is_alive(member));
    alarms.extend(lost.map(|member| {
        let called = [&member.endpoint, &member.address, &member.server];
        let called = called.into_iter().flatten().next().cloned().unwrap_or_default();
        let why = match (&member.trouble, member.connected) {
            (Some(trouble), _) => trouble.clone(),
            (None, true) => "it has lost touch with the others".to_owned(),
            (None, false) => "it is not connected".to_owned(),
        };
        Alarm {
            kind: "member_lost",
            severity: Severity::Warning,
            text: format!("{name}: the member {called} takes no part: {why}"),
            subject: format!("{name} {called}"),
            fix: "see the log of ovsdb-server on that machine",
        }
    }));
    alarms
}

fn northd(look: &Look, limit: Duration) -> Option<Alarm> {
    let northd = &look.northd;
    let (nb, sb) = (northd.nb_cfg.unwrap_or(0), northd.sb_cfg.unwrap_or(0));
    let subject = "ovn-northd".to_owned();
    if northd.active == Some(false) {
        return Some(Alarm {
            kind: "northd_missing",
            severity: Severity::Critical,
            subject,
            text: "no ovn-northd is at work: nobody makes flows of what is written".to_owned(),
            fix: "start ovn-northd; one that is paused goes on with ovn-appctl -t ovn-northd resume",
        });
    }
    let behind = northd
        .behind_seconds
        .filter(|behind| *behind > limit.as_secs_f64())?;
    Some(Alarm {
        kind: "northd_behind",
        severity: Severity::Critical,
        subject,
        text: format!("ovn-northd has made no progress for {behind:.0} s: it is at {sb} of {nb}"),
        fix: "see the load of its process, and ovn-appctl -t ovn-northd stopwatch/show",
    })
}

fn chassis(look: &Look, limit: Duration) -> impl Iterator<Item = Alarm> {
    look.chassis.iter().filter_map(move |chassis| {
        let stale = chassis.stale_seconds.filter(|stale| *stale > limit.as_secs_f64())?;
        let (at, wanted) = (chassis.nb_cfg.unwrap_or(0), chassis.nb_cfg_wanted.unwrap_or(0));
        let host = match chassis.hostname.as_str() {
            "" => String::new(),
            host => format!(" ({host})"),
        };
        Some(Alarm {
            kind: "chassis_stale",
            severity: Severity::Warning,
            subject: chassis.name.clone(),
            text: format!(
                "the hypervisor {}{host} has made no progress for {stale:.0} s: it is at {at} of {wanted}, and carries {} ports",
                chassis.name,
                chassis.ports_up + chassis.ports_down
            ),
            fix: "see whether ovn-controller runs there and reaches the southbound: ovn-appctl connection-status",
        })
    })
}

#[cfg(test)]
mod tests;
