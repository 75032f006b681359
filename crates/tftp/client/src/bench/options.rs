//! What a load run does: against whom, as which clients, in which phases.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use purlin_load::{Load, Plan};

use super::content::FileSpec;
use super::profile::{Profile, ProfileMix};
use crate::faults::Faults;
pub(crate) use crate::transfer::within;

/// Content held in memory to compare with, in all.
const CONTENT_MAX: u64 = 4 << 30;

/// A whole run. Phases run one after another.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchOptions {
    /// Where requests go.
    pub server: SocketAddr,
    /// Threads, each with clients of its own. 1 to 64.
    pub threads: u32,
    /// The files asked for, in turn. For uploads: what is sent.
    pub files: Vec<FileSpec>,
    pub phases: Vec<Phase>,
    pub ports: PortUse,
    /// Harm done to what clients send and receive. A client's last ACK is spared: clients leave after it, so nobody
    /// could repeat it.
    pub to_server: Faults,
    pub to_client: Faults,
    /// How much later a reordered datagram takes effect.
    pub late: Duration,
    /// Repeats faults and mixes.
    pub seed: u64,
    /// Silence after which a client sends again; doubles up to 8 s. 10 ms to 60 s.
    pub wait: Duration,
    /// How often in a row a client sends the same before it gives up. 1 to 32.
    pub attempts: u8,
    /// A transfer that takes longer has failed.
    pub transfer_limit: Duration,
    /// The run ends after this time whatever happens.
    pub time_limit: Duration,
    /// Read the CPU time and memory of this process (the server) around each phase.
    pub server_pid: Option<u32>,
}

/// How clients get their ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortUse {
    /// A socket per transfer, as real clients have; bound to these addresses in turn, or to the kernel's choice when
    /// there are none. One address has about 28,000 ports.
    Own { sources: Vec<IpAddr> },
    /// This many sockets per thread (1 to 256) play all clients: each client is another address in 127.0.0.0/8. Costs
    /// this side far fewer system calls in lock-step; for servers on IPv4 loopback only.
    Shared { sockets: u32 },
}

/// One stretch of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Shown in the report.
    pub name: String,
    pub profiles: ProfileMix,
    /// Boots in flight, or boots per second. A closed loop is so many clients that boot again and again.
    pub load: Load,
    /// The load grows over this time, from nothing.
    pub ramp: Duration,
    /// End after this many boots, whatever comes first.
    pub boots: Option<u64>,
    /// End after this time, whatever comes first.
    pub duration: Option<Duration>,
    /// After the end, how long transfers under way may take to finish; then they are broken off.
    pub drain: Duration,
}

impl Phase {
    /// A phase of 10 s without ramp, with 10 s to drain.
    #[must_use]
    pub fn new(profile: Profile, load: Load) -> Self {
        Self {
            name: "load".to_owned(),
            profiles: ProfileMix::only(profile),
            load,
            ramp: Duration::ZERO,
            boots: None,
            duration: Some(Duration::from_secs(10)),
            drain: Duration::from_secs(10),
        }
    }
}

/// Why a run cannot start as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    #[error(
        "{0:?} is no profile; known are edk2, ipxe, pxelinux, grub, u-boot, wds4, wds8, curl, plain, miss, \
         BLKSIZExWINDOW (1468x16) and put:BLKSIZExWINDOW"
    )]
    UnknownProfile(String),
    #[error("{0:?} is no weight; write for example edk2=3,ipxe=1")]
    Weight(String),
    #[error(transparent)]
    Value(#[from] crate::OptionsError),
    #[error("the run asks for no file; name at least one")]
    NoFile,
    #[error("the files have {0} octets in all; at most 4294967296 are held in memory to compare with")]
    Content(u64),
    #[error("phase {0:?} never ends: give it a number of boots or a duration")]
    EndlessPhase(String),
    #[error("phase {0:?} has no profile with a weight above 0")]
    NoProfile(String),
    #[error("the share of {name} is {share}; allowed is 0.0 to 1.0")]
    Share { name: &'static str, share: String },
    #[error("shared ports need a server in 127.0.0.0/8, not {0}: use a port per transfer")]
    NotLoopback(SocketAddr),
    #[error("source address {source_address} cannot reach the server {server}: one is IPv4, the other IPv6")]
    Family {
        source_address: IpAddr,
        server: SocketAddr,
    },
}

impl BenchOptions {
    /// One thread, a port per transfer, no faults; 1 s and 6 attempts; a transfer may take a minute, the run an hour.
    #[must_use]
    pub fn new(server: SocketAddr, files: Vec<FileSpec>, phase: Phase) -> Self {
        Self {
            server,
            threads: 1,
            files,
            phases: vec![phase],
            ports: PortUse::Own { sources: Vec::new() },
            to_server: Faults::NONE,
            to_client: Faults::NONE,
            late: Duration::from_millis(2),
            seed: 1,
            wait: Duration::from_secs(1),
            attempts: 6,
            transfer_limit: Duration::from_secs(60),
            time_limit: Duration::from_secs(3600),
            server_pid: None,
        }
    }

    /// Checks every limit; the first fault found is returned.
    ///
    /// # Errors
    /// The value and what is allowed.
    pub fn check(&self) -> Result<(), OptionsError> {
        within("threads", self.threads.into(), 1..=64, "1 to 64")?;
        within("attempts", self.attempts.into(), 1..=32, "1 to 32")?;
        let wait = self.wait.as_millis().min(u64::MAX.into()) as u64;
        within("first wait in milliseconds", wait, 10..=60_000, "10 to 60000")?;
        within("files", self.files.len() as u64, 0..=65_536, "1 to 65536")?;
        if self.files.is_empty() {
            return Err(OptionsError::NoFile);
        }
        for file in &self.files {
            within(
                "octets in the name of a file",
                file.name().len() as u64,
                1..=350,
                "1 to 350",
            )?;
        }
        let octets = self.files.iter().map(FileSpec::size).sum();
        if octets > CONTENT_MAX {
            return Err(OptionsError::Content(octets));
        }
        for faults in [&self.to_server, &self.to_client] {
            if let Some((name, share)) = faults.bad_share() {
                let share = share.to_string();
                return Err(OptionsError::Share { name, share });
            }
        }
        self.check_ports()?;
        self.phases.iter().try_for_each(Phase::check)
    }

    fn check_ports(&self) -> Result<(), OptionsError> {
        match &self.ports {
            PortUse::Own { sources } => {
                let strange = sources
                    .iter()
                    .find(|source| source.is_ipv4() != self.server.is_ipv4());
                match strange {
                    Some(&source_address) => Err(OptionsError::Family {
                        source_address,
                        server: self.server,
                    }),
                    None => Ok(()),
                }
            }
            PortUse::Shared { sockets } => {
                within(
                    "shared sockets per thread",
                    (*sockets).into(),
                    1..=256,
                    "1 to 256",
                )?;
                if self.server.is_ipv4() && self.server.ip().is_loopback() {
                    Ok(())
                } else {
                    Err(OptionsError::NotLoopback(self.server))
                }
            }
        }
    }
}

impl Phase {
    fn check(&self) -> Result<(), OptionsError> {
        if self.boots.is_none() && self.duration.is_none() {
            return Err(OptionsError::EndlessPhase(self.name.clone()));
        }
        if self.profiles.weights() == 0 || self.profiles.0.len() > 256 {
            return Err(OptionsError::NoProfile(self.name.clone()));
        }
        for (profile, _) in &self.profiles.0 {
            for step in profile.steps() {
                let (blksize, windowsize) = (step.wishes.blksize, step.wishes.windowsize);
                within("blksize", blksize.unwrap_or(512).into(), 8..=65_464, "8 to 65464")?;
                within(
                    "windowsize",
                    windowsize.unwrap_or(1).into(),
                    1..=65_535,
                    "1 to 65535",
                )?;
            }
        }
        match self.load {
            Load::Closed { in_flight } => {
                Ok(within("clients", in_flight.into(), 1..=1 << 20, "1 to 1048576")?)
            }
            Load::Open { per_second } if (0.01..=1e7).contains(&per_second) => Ok(()),
            Load::Open { per_second } => Err(crate::OptionsError::OutOfRange {
                what: "boots per second",
                value: per_second.to_string(),
                allowed: "0.01 to 10000000",
            }
            .into()),
        }
    }

    /// The most clients at once, when that is known.
    pub(crate) fn clients(&self) -> Option<u32> {
        match self.load {
            Load::Closed { in_flight } => Some(in_flight),
            Load::Open { .. } => None,
        }
    }

    /// What all threads start together.
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            load: self.load,
            ramp: self.ramp,
            operations: self.boots,
            duration: self.duration,
        }
    }

    /// Its load in words.
    pub(crate) fn load_words(&self) -> String {
        match self.load {
            Load::Closed { in_flight } => format!("closed loop, {in_flight} clients"),
            Load::Open { per_second } => format!("open loop, {per_second} boots/s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_value_and_what_would_be_right() {
        let check = |change: fn(&mut BenchOptions)| {
            let phase = Phase::new(Profile::Plain, Load::Closed { in_flight: 1 });
            let server = "192.0.2.1:69".parse().unwrap();
            let mut options = BenchOptions::new(server, vec![FileSpec::pattern("f", 1)], phase);
            assert_eq!(options.check(), Ok(()));
            change(&mut options);
            options.check().unwrap_err().to_string()
        };
        assert_eq!(check(|o| o.threads = 0), "threads is 0; allowed is 1 to 64");
        assert!(check(|o| o.files.clear()).contains("name at least one"));
        assert!(check(|o| o.phases[0].duration = None).contains("never ends"));
        assert!(check(|o| o.ports = PortUse::Shared { sockets: 1 }).contains("127.0.0.0/8"));
        assert!(check(|o| o.to_client = Faults::loss(2.0)).contains("share of loss is 2"));
        assert!(check(|o| o.phases[0].profiles.0[0].1 = 0).contains("no profile"));
        assert!(check(|o| o.files = vec![FileSpec::pattern("f", 5 << 30)]).contains("held in memory"));
    }
}
