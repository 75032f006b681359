//! The databases and the members of their clusters, from what each says of itself and what its control socket tells.

use super::control::{Control, Program, Server};
use crate::platform::{Platform, Side};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::client::MemberStatus;
use purlin_ovsdb::client::unixctl::raft::{RaftServer, RaftStatus};
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

/// One database.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DatabaseLook {
    pub(crate) database: String,
    /// `standalone`, `clustered`, `relay`; empty before anybody has answered.
    pub(crate) model: String,
    /// What to know about this model.
    pub(crate) note: &'static str,
    /// Whether the copy here follows it, and why not.
    pub(crate) followed: bool,
    pub(crate) trouble: Option<String>,
    pub(crate) cluster: Option<String>,
    /// The leader's endpoint, or its address within the cluster.
    pub(crate) leader: Option<String>,
    pub(crate) term: Option<u64>,
    pub(crate) election_timer_ms: Option<u64>,
    /// Members that must agree before anything is written, and those that are in touch.
    pub(crate) quorum: Option<usize>,
    pub(crate) members_alive: usize,
    pub(crate) members: Vec<Member>,
    pub(crate) rows: usize,
    /// Of the file, where this node has started the database.
    pub(crate) file_octets: Option<u64>,
    /// Rows of its table Connection: where it listens, or connects to.
    pub(crate) connections: Vec<Value>,
}

/// One member of a cluster, or the one server of a database that has none.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Member {
    /// How this node reaches it; absent for members that no endpoint names.
    pub(crate) endpoint: Option<String>,
    pub(crate) server: Option<String>,
    /// Where the other members reach it.
    pub(crate) address: Option<String>,
    pub(crate) connected: bool,
    pub(crate) in_cluster: bool,
    /// `leader`, `follower`, `candidate`.
    pub(crate) role: Option<String>,
    /// `cluster member`, `joining cluster`, `leaving cluster`.
    pub(crate) status: Option<String>,
    /// The last entry of its log that it has applied.
    pub(crate) index: Option<i64>,
    pub(crate) log_first: Option<u64>,
    pub(crate) log_next: Option<u64>,
    pub(crate) log_entries: Option<u64>,
    pub(crate) not_committed: Option<u64>,
    pub(crate) not_applied: Option<u64>,
    /// How far the leader knows it to be, and when it last heard from it.
    pub(crate) match_index: Option<u64>,
    pub(crate) last_message_ms: Option<u64>,
    pub(crate) disconnections: Option<u64>,
    pub(crate) last_election_ms: Option<u64>,
    pub(crate) last_election_reason: Option<String>,
    /// Clients that are connected.
    pub(crate) sessions: Option<u64>,
    /// Values in memory.
    pub(crate) atoms: Option<u64>,
    /// Its control socket, where one is reached: operations go there.
    pub(crate) control: Option<PathBuf>,
    pub(crate) trouble: Option<String>,
    /// How others call it: the first digits of its id.
    #[serde(skip)]
    pub(crate) short: Option<String>,
}

/// All databases.
pub(super) fn look(
    platform: &Platform,
    controls: &[Control],
    files: &[(String, PathBuf)],
) -> Vec<DatabaseLook> {
    let sides = platform.sides().into_iter();
    sides.map(|side| database(side, controls, files)).collect()
}

/// The control sockets of servers that have a database.
fn servers<'c>(
    controls: &'c [Control],
    database: &str,
) -> Vec<(&'c Control, &'c Server, Option<&'c RaftStatus>)> {
    let having = |control: &'c Control| match &control.program {
        Program::Server(server) => {
            let status = server.databases.get(database)?;
            Some((control, server, status.as_ref()))
        }
        Program::Northd(_) => None,
    };
    controls.iter().filter_map(having).collect()
}

fn database(side: &Side, controls: &[Control], files: &[(String, PathBuf)]) -> DatabaseLook {
    let told = servers(controls, &side.database);
    let known = side.client.members();
    let mut members: Vec<Member> = known
        .iter()
        .map(|(endpoint, status)| {
            let mut member = said(status);
            member.endpoint = Some(endpoint.to_string());
            member
        })
        .collect();
    let model = known.iter().map(|(_, status)| status.model.clone());
    let model = model
        .into_iter()
        .find(|model| !model.is_empty())
        .unwrap_or_default();
    let clustered = model == "clustered";
    for (control, server, status) in &told {
        let id = status.and_then(|status| status.server).map(|id| id.to_string());
        let Some(own) = place(&mut members, id, clustered) else {
            continue;
        };
        own.control = Some(control.socket.clone());
        own.sessions = server.memory.get("sessions").copied();
        own.atoms = server.memory.get("atoms").copied();
        if let Some(status) = status {
            viewed(own, status);
        }
    }
    let views: Vec<&RaftStatus> = told.iter().filter_map(|(_, _, status)| *status).collect();
    let leading = views.iter().filter(|status| status.role == "leader");
    let leading = leading.max_by_key(|status| status.term).copied();
    // Who leads knows of all; else any member knows at least who there are.
    if let Some(view) = leading.or_else(|| views.first().copied()) {
        others(&mut members, view, leading.is_some());
    }
    let snapshot = side.rows.snapshot();
    let leader = members
        .iter()
        .find(|member| member.role.as_deref() == Some("leader"));
    let alive = members.iter().filter(|member| is_alive(member)).count();
    let file = files.iter().find(|(name, _)| *name == side.database);
    let octets = file.and_then(|(_, path)| std::fs::metadata(path).ok());
    DatabaseLook {
        database: side.database.clone(),
        note: note(&model),
        followed: snapshot.is_live(),
        trouble: snapshot.trouble.as_deref().map(str::to_owned),
        cluster: known
            .iter()
            .find_map(|(_, status)| status.cid)
            .map(|id| id.to_string()),
        leader: leader.and_then(|leader| leader.endpoint.clone().or_else(|| leader.address.clone())),
        term: views.iter().filter_map(|view| view.term).max(),
        election_timer_ms: leading
            .or_else(|| views.first().copied())
            .and_then(|view| view.election_timer_ms),
        quorum: clustered.then(|| majority(members.len())),
        members_alive: alive,
        rows: snapshot.database.len(),
        file_octets: octets.map(|octets| octets.len()),
        connections: connections(side),
        model,
        members,
    }
}

/// The member with this id. An endpoint that has not told its id yet is it; without any it is one more.
fn place(members: &mut Vec<Member>, id: Option<String>, clustered: bool) -> Option<&mut Member> {
    if !clustered {
        return members.first_mut();
    }
    let id = id?;
    let known = members
        .iter()
        .position(|member| member.server.as_ref() == Some(&id));
    let at = known.or_else(|| members.iter().position(|member| member.server.is_none()));
    let at = at.unwrap_or_else(|| {
        members.push(Member::default());
        members.len() - 1
    });
    members[at].server = Some(id);
    members.get_mut(at)
}

/// How many of so many must agree.
pub(crate) const fn majority(members: usize) -> usize {
    members / 2 + 1
}

/// Whether a member takes part, as far as anybody can tell.
pub(crate) fn is_alive(member: &Member) -> bool {
    match (member.connected, member.endpoint.is_some()) {
        (true, _) => member.in_cluster,
        (false, true) => false,
        // Nobody here is connected to it: the leader's word counts.
        (false, false) => member.control.is_some() || member.last_message_ms.is_some(),
    }
}

fn note(model: &str) -> &'static str {
    match model {
        "standalone" => {
            "one server on its own: there is nobody to elect, and nothing to take over when it is gone"
        }
        "clustered" => {
            "a cluster over RAFT: it goes on as long as more than half of its members reach each other"
        }
        "relay" => "a relay in front of the database; ask its members themselves",
        _ => "nobody has answered yet",
    }
}

/// What a member says of itself in `_Server`.
fn said(status: &MemberStatus) -> Member {
    let clustered = status.model == "clustered";
    let role = if status.leader { "leader" } else { "follower" };
    Member {
        server: status.sid.map(|id| id.to_string()),
        short: status.sid.map(short),
        connected: status.connected,
        in_cluster: status.in_cluster,
        role: (status.connected && clustered).then(|| role.to_owned()),
        index: status.index,
        trouble: status.trouble.clone(),
        ..Member::default()
    }
}

fn short(id: Uuid) -> String {
    id.to_string().chars().take(4).collect()
}

/// What its control socket tells.
fn viewed(member: &mut Member, status: &RaftStatus) {
    member.short = status.server.map(short);
    member.address = Some(status.address.clone());
    member.role = Some(status.role.clone());
    member.status = Some(status.status.clone());
    (member.log_first, member.log_next) = match status.log {
        Some((first, next)) => (Some(first), Some(next)),
        None => (None, None),
    };
    member.log_entries = status.log_entries();
    member.not_committed = status.not_committed;
    member.not_applied = status.not_applied;
    member.disconnections = status.disconnections;
    member.last_election_ms = status.last_election_ms;
    member
        .last_election_reason
        .clone_from(&status.last_election_reason);
}

/// What one member knows of the others.
fn others(members: &mut Vec<Member>, view: &RaftStatus, leads: bool) {
    for server in &view.servers {
        let known = members
            .iter_mut()
            .find(|member| member.short.as_deref() == Some(&server.short));
        match known {
            Some(member) => heard(member, server, leads),
            None => {
                let mut member = Member {
                    short: Some(server.short.clone()),
                    server: Some(server.short.clone()),
                    ..Member::default()
                };
                heard(&mut member, server, leads);
                // An endpoint that does not answer has no id: it is one of these.
                match members.iter_mut().find(|member| member.server.is_none()) {
                    Some(silent) => {
                        member.endpoint = silent.endpoint.take();
                        member.trouble = silent.trouble.take();
                        *silent = member;
                    }
                    None => members.push(member),
                }
            }
        }
    }
}

fn heard(member: &mut Member, server: &RaftServer, leads: bool) {
    member.address = Some(server.address.clone());
    if leads && !server.own {
        member.match_index = server.match_index;
        member.last_message_ms = server.last_message_ms;
    }
}

fn connections(side: &Side) -> Vec<Value> {
    let schema = side.known_schema();
    let rows = side.rows.snapshot();
    let (Some(schema), Some(table)) = (schema, rows.table("Connection")) else {
        return Vec::new();
    };
    table
        .rows()
        .map(|row| crate::shown::plain(&schema, "Connection", &row))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> RaftStatus {
        RaftStatus::parse(
            "Role: leader\nServers:\n    aaaa (aaaa at tcp:h1:1) (self) match_index=7\n    bbbb (bbbb at tcp:h2:1) match_index=6 last msg 85 ms ago\n    cccc (cccc at tcp:h3:1) match_index=2 last msg 9000 ms ago\n",
        )
        .expect("a status")
    }

    #[test]
    fn members_that_no_endpoint_names_are_shown_by_the_leaders_word() {
        let own = |short: &str| Member {
            short: Some(short.to_owned()),
            server: Some(format!("{short}-whole")),
            endpoint: Some(format!("tcp:{short}")),
            ..Member::default()
        };
        let mut members = vec![own("aaaa"), own("bbbb")];
        others(&mut members, &view(), true);
        assert_eq!(members.len(), 3);
        assert_eq!(members[1].last_message_ms, Some(85));
        assert_eq!(members[0].last_message_ms, None, "of itself it knows");
        assert_eq!(
            (members[2].endpoint.as_deref(), members[2].match_index),
            (None, Some(2))
        );
        assert_eq!(members[2].address.as_deref(), Some("tcp:h3:1"));
    }

    #[test]
    fn an_endpoint_that_is_silent_is_the_member_that_is_missing() {
        let named = |short: Option<&str>| Member {
            short: short.map(str::to_owned),
            server: short.map(str::to_owned),
            endpoint: Some("tcp:x".to_owned()),
            ..Member::default()
        };
        let mut members = vec![named(Some("aaaa")), named(Some("bbbb")), named(None)];
        others(&mut members, &view(), true);
        assert_eq!(members.len(), 3);
        assert_eq!(members[2].server.as_deref(), Some("cccc"));
        assert!(members[2].endpoint.is_some() && !is_alive(&members[2]));
    }

    #[test]
    fn a_majority_is_more_than_half() {
        assert_eq!([1, 2, 3, 4, 5].map(majority), [1, 2, 2, 3, 3]);
    }
}
