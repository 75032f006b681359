//! What a load run does: against whom, as how many clients, behind which relays, in which phases.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use purlin_load::{Load, Plan};
use serde::{Deserialize, Serialize};

use super::Mix;

/// A whole run. Phases run one after another over the same clients, so a fill can be followed by renewals.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchOptions {
    /// Where requests go.
    pub server: SocketAddrV4,
    pub fleet: Fleet,
    /// Threads, each with sockets of its own and every `threads`-th client. 1 to 64.
    pub threads: u32,
    pub phases: Vec<Phase>,
    /// Wait before the first retransmission; doubles with each further one. 10 ms to 60 s.
    pub timeout: Duration,
    /// How often one message is sent in all before its operation counts as timed out. 1 to 8.
    pub attempts: u8,
    /// Read the CPU time and memory of this process (the server) around each phase.
    pub server_pid: Option<u32>,
    /// Save the leases the clients believe in here when the run ends.
    pub ledger: Option<PathBuf>,
}

impl BenchOptions {
    /// One thread, one phase, 1 s timeout, 3 attempts.
    pub fn new(server: SocketAddrV4, fleet: Fleet, phase: Phase) -> Self {
        Self {
            server,
            fleet,
            threads: 1,
            phases: vec![phase],
            timeout: Duration::from_secs(1),
            attempts: 3,
            server_pid: None,
            ledger: None,
        }
    }
}

/// The clients and the relays in front of them. Everything a client says follows from this and its number, so a later
/// run can speak as the same clients again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// How many clients there are. 1 to 16 million.
    pub clients: u32,
    /// Second octet of every hardware address (`02:SEED:xx:xx:xx:xx`): runs with different seeds are strangers.
    pub seed: u8,
    /// Client number `c` sits behind relay `c % relays.len()`. At least one, at most 4096.
    pub relays: Vec<Relay>,
    /// Send a client identifier (option 61, RFC 2132, section 9.14).
    pub client_id: bool,
    /// Send a host name of its own per client (option 12).
    pub host_name: bool,
    /// Add option 82 with a circuit id per client and a remote id per relay (RFC 3046).
    pub relay_agent: bool,
}

impl Fleet {
    /// Clients behind one relay, with nothing but the options every client sends.
    pub fn new(clients: u32, relay: Relay) -> Self {
        Self {
            clients,
            seed: 1,
            relays: vec![relay],
            client_id: false,
            host_name: false,
            relay_agent: false,
        }
    }
}

/// A relay as the server sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relay {
    /// Goes into `giaddr` and picks the subnet.
    pub giaddr: Ipv4Addr,
    /// Where this side binds. Servers on port 67 answer to `giaddr:67`, so against them this must be that address and
    /// port; port 0 suits servers that answer to the source port (RFC 8357, or Purlin on another port than 67).
    pub bind: SocketAddrV4,
}

impl Relay {
    /// A classic relay: bound to `giaddr:67`.
    pub fn classic(giaddr: Ipv4Addr) -> Self {
        Self {
            giaddr,
            bind: SocketAddrV4::new(giaddr, 67),
        }
    }

    /// A relay on an ephemeral port of a local address, for servers that answer to the source port.
    pub fn ephemeral(giaddr: Ipv4Addr, local: Ipv4Addr) -> Self {
        Self {
            giaddr,
            bind: SocketAddrV4::new(local, 0),
        }
    }
}

/// One stretch of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Shown in the report.
    pub name: String,
    pub mix: Mix,
    pub load: Load,
    /// End after this many operations, whatever comes first.
    pub operations: Option<u64>,
    /// End after this time, whatever comes first.
    pub duration: Option<Duration>,
}

impl Phase {
    /// What `threads` threads start together. Every thread has clients of its own, so that each keeps at least one
    /// operation in flight.
    pub(crate) fn plan(&self, threads: u32) -> Plan {
        let load = match self.load {
            Load::Closed { in_flight } => Load::Closed {
                in_flight: in_flight.max(threads),
            },
            open @ Load::Open { .. } => open,
        };
        Plan {
            load,
            ramp: Duration::ZERO,
            operations: self.operations,
            duration: self.duration,
        }
    }

    /// Its load in words.
    pub(crate) fn load_words(&self) -> String {
        match self.load {
            Load::Closed { in_flight } => format!("closed loop, {in_flight} in flight"),
            Load::Open { per_second } => format!("open loop, {per_second}/s"),
        }
    }
}

/// One exchange of a client with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// DISCOVER, OFFER, REQUEST, ACK.
    Dora,
    /// REQUEST with `ciaddr` (RFC 2131, section 4.3.2, RENEWING), through the relay.
    Renew,
    /// The same with the broadcast flag (REBINDING).
    Rebind,
    /// REQUEST for a remembered address without server identifier (INIT-REBOOT).
    Reboot,
    /// RELEASE; done once sent, there is no answer.
    Release,
    /// INFORM; answered by an ACK without a lease.
    Inform,
}

impl Operation {
    pub const ALL: [Self; 6] = [
        Self::Dora,
        Self::Renew,
        Self::Rebind,
        Self::Reboot,
        Self::Release,
        Self::Inform,
    ];

    /// Lower-case name, as in a mix.
    pub fn name(self) -> &'static str {
        ["dora", "renew", "rebind", "reboot", "release", "inform"][self as usize]
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Operation {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == text)
            .ok_or_else(|| OptionsError::UnknownOperation(text.to_owned()))
    }
}

/// Why a run cannot start as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    #[error("{0:?} is no operation; known are dora, renew, rebind, reboot, release, inform")]
    UnknownOperation(String),
    #[error("{0:?} is no weight; write for example dora=80,renew=20")]
    Weight(String),
    #[error("the mix is empty: at least one operation needs a weight above 0")]
    EmptyMix,
    #[error("{what} is {value}; allowed is {allowed}")]
    OutOfRange {
        what: &'static str,
        value: String,
        allowed: &'static str,
    },
    #[error("phase {0:?} never ends: give it a number of operations or a duration")]
    EndlessPhase(String),
    #[error(
        "{threads} threads cannot share {relays} relays on a fixed port: use port 0 or a multiple of {threads} relays"
    )]
    SharedPort { threads: u32, relays: usize },
}

impl BenchOptions {
    /// Checks every limit; the first fault found is returned.
    pub fn check(&self) -> Result<(), OptionsError> {
        within("clients", self.fleet.clients, 1..=16_000_000, "1 to 16000000")?;
        within("threads", self.threads, 1..=64, "1 to 64")?;
        within("relays", self.fleet.relays.len() as u32, 1..=4096, "1 to 4096")?;
        within("attempts", u32::from(self.attempts), 1..=8, "1 to 8")?;
        within(
            "timeout in milliseconds",
            self.timeout.as_millis() as u32,
            10..=60_000,
            "10 to 60000",
        )?;
        within(
            "clients, for each thread to have one",
            self.fleet.clients / self.threads,
            1..=u32::MAX,
            "at least threads",
        )?;
        let fixed = self.fleet.relays.iter().any(|relay| relay.bind.port() != 0);
        let relays = self.fleet.relays.len();
        if fixed && !(relays as u32).is_multiple_of(self.threads) {
            return Err(OptionsError::SharedPort {
                threads: self.threads,
                relays,
            });
        }
        self.phases.iter().try_for_each(Phase::check)
    }
}

impl Phase {
    fn check(&self) -> Result<(), OptionsError> {
        if self.operations.is_none() && self.duration.is_none() {
            return Err(OptionsError::EndlessPhase(self.name.clone()));
        }
        match self.load {
            Load::Closed { in_flight } => {
                within("operations in flight", in_flight, 1..=1 << 20, "1 to 1048576")
            }
            Load::Open { per_second } if per_second.is_finite() && (0.01..=1e7).contains(&per_second) => {
                Ok(())
            }
            Load::Open { per_second } => Err(OptionsError::OutOfRange {
                what: "rate per second",
                value: per_second.to_string(),
                allowed: "0.01 to 10000000",
            }),
        }
    }
}

fn within(
    what: &'static str,
    value: u32,
    range: std::ops::RangeInclusive<u32>,
    allowed: &'static str,
) -> Result<(), OptionsError> {
    if range.contains(&value) {
        Ok(())
    } else {
        Err(OptionsError::OutOfRange {
            what,
            value: value.to_string(),
            allowed,
        })
    }
}
