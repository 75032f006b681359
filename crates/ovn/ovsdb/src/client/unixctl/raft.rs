//! What `cluster/status` prints: one member's view of its RAFT cluster.
//!
//! ```text
//!   Role: leader                                          Log: [2, 8]
//!   Term: 2                                               Entries not yet committed: 0
//!   Servers:
//!       9630 (9630 at tcp:127.0.0.1:27652) next_index=8 match_index=7 last msg 85 ms ago
//! ```
//!
//! It is a text for people; lines that are not known are passed over, and those that newer servers leave out are `None`.
//!
//! Source: ovsdb-server(1), "Cluster Management"; ovsdb(7).

use crate::uuid::Uuid;

/// One member's view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RaftStatus {
    pub database: String,
    pub cluster: Option<Uuid>,
    pub server: Option<Uuid>,
    /// Where it speaks with the other members: `tcp:10.0.0.1:6643`.
    pub address: String,
    /// `cluster member`, `joining cluster`, `leaving cluster`, `left cluster`, `failed`.
    pub status: String,
    /// `leader`, `follower`, `candidate`.
    pub role: String,
    pub term: Option<u64>,
    /// `self`, the first digits of the leader's id, or `unknown`.
    pub leader: String,
    pub election_timer_ms: Option<u64>,
    /// First and one behind the last entry that its log has; entries before the first are in the snapshot.
    pub log: Option<(u64, u64)>,
    pub not_committed: Option<u64>,
    pub not_applied: Option<u64>,
    /// How often a connection between members was lost since it started.
    pub disconnections: Option<u64>,
    /// Milliseconds since this member last stood for election, and what came of it.
    pub last_election_ms: Option<u64>,
    pub last_election_reason: Option<String>,
    /// Milliseconds since this member last won an election.
    pub last_election_won_ms: Option<u64>,
    pub servers: Vec<RaftServer>,
}

/// A member as another sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RaftServer {
    /// The first digits of its id, by which `cluster/kick` knows it as well.
    pub short: String,
    pub address: String,
    /// Whether it is the one that was asked.
    pub own: bool,
    /// The leader knows how far it has come.
    pub next_index: Option<u64>,
    pub match_index: Option<u64>,
    /// Milliseconds since its last message; only where it had to send some.
    pub last_message_ms: Option<u64>,
}

impl RaftStatus {
    /// Reads the text; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut status = Self::default();
        let mut in_servers = false;
        for line in text.lines() {
            if in_servers && line.starts_with(char::is_whitespace) {
                status.servers.extend(server(line.trim()));
                continue;
            }
            in_servers = line.trim_end() == "Servers:";
            if let Some((name, value)) = line.split_once(": ") {
                status.take(name, value.trim());
            } else if let Some(rest) = line.strip_prefix("Last Election started ") {
                status.last_election(rest);
            }
        }
        (!status.role.is_empty()).then_some(status)
    }

    fn take(&mut self, name: &str, value: &str) {
        match name {
            "Name" => value.clone_into(&mut self.database),
            "Cluster ID" => self.cluster = whole_id(value),
            "Server ID" => self.server = whole_id(value),
            "Address" => value.clone_into(&mut self.address),
            "Status" => value.clone_into(&mut self.status),
            "Role" => value.clone_into(&mut self.role),
            "Term" => self.term = value.parse().ok(),
            "Leader" => value.clone_into(&mut self.leader),
            "Election timer" => self.election_timer_ms = value.parse().ok(),
            "Log" => self.log = range(value),
            "Entries not yet committed" => self.not_committed = value.parse().ok(),
            "Entries not yet applied" => self.not_applied = value.parse().ok(),
            "Disconnections" => self.disconnections = value.parse().ok(),
            "Last Election won" => {
                self.last_election_won_ms = value.split_whitespace().next().and_then(|ms| ms.parse().ok());
            }
            // `Last Election started 13112 ms ago, reason: timeout`
            _ => {
                if let Some(rest) = name.strip_prefix("Last Election started ") {
                    self.last_election(&format!("{rest}: {value}"));
                }
            }
        }
    }

    fn last_election(&mut self, rest: &str) {
        self.last_election_ms = rest.split_whitespace().next().and_then(|ms| ms.parse().ok());
        self.last_election_reason = rest.split_once("reason: ").map(|(_, reason)| reason.to_owned());
    }

    /// How many entries its log has.
    #[must_use]
    pub fn log_entries(&self) -> Option<u64> {
        self.log.map(|(first, next)| next.saturating_sub(first))
    }
}

/// The UUID of `5003 (5003466a-e0ad-4244-9a62-3d323760ff5d)`.
fn whole_id(text: &str) -> Option<Uuid> {
    let (_, inner) = text.split_once('(')?;
    Uuid::parse(inner.split_once(')')?.0)
}

fn range(text: &str) -> Option<(u64, u64)> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let (first, next) = inner.split_once(',')?;
    Some((first.trim().parse().ok()?, next.trim().parse().ok()?))
}

/// `9630 (9630 at tcp:127.0.0.1:27652) (self) next_index=8 match_index=7 last msg 85 ms ago`.
fn server(line: &str) -> Option<RaftServer> {
    // Before it a nickname: that of the address, or these digits again.
    let (_, rest) = line.split_once(" (")?;
    let (who, rest) = rest.split_once(')')?;
    let (short, address) = who.split_once(" at ")?;
    let number = |name: &str| {
        let (_, after) = rest.split_once(name)?;
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    Some(RaftServer {
        short: short.to_owned(),
        address: address.to_owned(),
        own: rest.contains("(self)"),
        next_index: number("next_index="),
        match_index: number("match_index="),
        last_message_ms: number("last msg "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEADER: &str = "6a97
Name: OVN_Northbound
Cluster ID: 5003 (5003466a-e0ad-4244-9a62-3d323760ff5d)
Server ID: 6a97 (6a97f537-366e-4e95-963f-f3f889226357)
Address: tcp:127.0.0.1:27651
Status: cluster member
Role: leader
Term: 2
Leader: self
Vote: self

Last Election started 13112 ms ago, reason: timeout
Last Election won: 13111 ms ago
Election timer: 1000
Log: [2, 8]
Entries not yet committed: 0
Entries not yet applied: 1
Connections: <-9630 <-6d6c ->9630 ->6d6c
Disconnections: 3
Servers:
    9630 (9630 at tcp:127.0.0.1:27652) next_index=8 match_index=7 last msg 85 ms ago
    s3 (6d6c at ssl:[::1]:27653) next_index=8 match_index=7
    6a97 (6a97 at tcp:127.0.0.1:27651) (self) next_index=3 match_index=7
";

    #[test]
    fn the_leaders_view_is_read_whole() {
        let status = RaftStatus::parse(LEADER).expect("it is one");
        assert_eq!(status.database, "OVN_Northbound");
        assert_eq!(status.server, Uuid::parse("6a97f537-366e-4e95-963f-f3f889226357"));
        assert_eq!((status.role.as_str(), status.leader.as_str()), ("leader", "self"));
        assert_eq!((status.term, status.election_timer_ms), (Some(2), Some(1000)));
        assert_eq!((status.log, status.log_entries()), (Some((2, 8)), Some(6)));
        assert_eq!((status.not_committed, status.not_applied), (Some(0), Some(1)));
        assert_eq!(status.disconnections, Some(3));
        assert_eq!(status.last_election_ms, Some(13_112));
        assert_eq!(status.last_election_won_ms, Some(13_111));
        assert_eq!(status.last_election_reason.as_deref(), Some("timeout"));
        let servers: Vec<_> = status
            .servers
            .iter()
            .map(|one| {
                (
                    one.short.as_str(),
                    one.address.as_str(),
                    one.own,
                    one.last_message_ms,
                )
            })
            .collect();
        assert_eq!(
            servers,
            [
                ("9630", "tcp:127.0.0.1:27652", false, Some(85)),
                ("6d6c", "ssl:[::1]:27653", false, None),
                ("6a97", "tcp:127.0.0.1:27651", true, None),
            ]
        );
        assert_eq!(status.servers[0].match_index, Some(7));
    }

    #[test]
    fn what_is_no_status_is_none() {
        for text in ["", "unknown cluster\n", "Servers:\n    x\n", "Term: 3\n"] {
            assert_eq!(RaftStatus::parse(text), None, "{text:?}");
        }
        let odd = RaftStatus::parse("Role: follower\nLog: [x]\nServers:\n    x\n    y (z\n").expect("a role");
        assert_eq!((odd.log, odd.servers.len()), (None, 0));
    }
}
