//! From flags to a run: whom to load, as which clients, with which files, through what trouble.

use crate::cli::Context;
use crate::cli::server::tftp_server;
use crate::client::NodeFile;
use crate::exit::Failure;
use clap::{Args, ValueEnum};
use purlin_config::parse_duration;
use purlin_tftp_client::Faults;
use purlin_tftp_client::bench::{BenchOptions, FileSpec, Load, Phase, PortUse, ProfileMix};
use purlin_types::ByteSize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where `purlin up` without a file serves TFTP.
const DEFAULT: &str = "127.0.0.1:6969";

/// Whom to load and from where.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The server [default: the node of the data directory, else 127.0.0.1:6969].
    #[arg(value_name = "HOST[:PORT]")]
    server: Option<String>,
    /// Source address for clients; may be repeated. One address has about 28,000 ports.
    #[arg(long = "source", value_name = "ADDRESS", conflicts_with = "shared")]
    sources: Vec<IpAddr>,
    /// So many sockets per thread play all clients, each as another address in 127.0.0.0/8; for servers on loopback.
    #[arg(long, value_name = "SOCKETS")]
    shared: Option<u32>,
    /// Also show CPU time and memory of this process (the server).
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
}

impl Target {
    pub(super) fn server(&self, context: &Context) -> Result<SocketAddr, Failure> {
        let own = || {
            let node = NodeFile::read(context.data_dir()).filter(NodeFile::is_alive)?;
            node.tftp.first().cloned()
        };
        match &self.server {
            Some(server) => tftp_server(server),
            None => tftp_server(&own().unwrap_or_else(|| DEFAULT.to_owned())),
        }
    }

    fn ports(&self) -> PortUse {
        match self.shared {
            Some(sockets) => PortUse::Shared { sockets },
            None => PortUse::Own {
                sources: self.sources.clone(),
            },
        }
    }
}

/// What the clients do.
#[derive(Debug, Args)]
pub(super) struct Shape {
    /// What kinds of boot clients, with weights.
    #[arg(long, default_value = "1468x16", value_name = "edk2=3,ipxe=1")]
    profile: ProfileMix,
    /// Closed loop: so many clients boot again and again.
    #[arg(long, default_value_t = 100, value_name = "N")]
    clients: u32,
    /// Open loop: so many boots begin each second, whatever the server does.
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "clients")]
    rate: Option<f64>,
    /// End after so many boots.
    #[arg(long, value_name = "N")]
    boots: Option<u64>,
    /// End after this time [default: 10s unless --boots is given].
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// The load grows over this time, from nothing.
    #[arg(long, default_value = "0s", value_name = "TIME", value_parser = parse_duration)]
    ramp: Duration,
    /// How long transfers under way may take after the end.
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = parse_duration)]
    drain: Duration,
    /// Threads, each with clients of its own.
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// Silence after which a client sends again; doubles each time.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = parse_duration)]
    timeout: Duration,
    /// How often in a row a client sends the same.
    #[arg(long, default_value_t = 6)]
    attempts: u8,
    /// A transfer that takes longer has failed.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = parse_duration)]
    transfer_limit: Duration,
    /// Repeats mixes and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Shape {
    /// The run these flags ask for.
    pub(super) fn options(
        &self,
        server: SocketAddr,
        files: Vec<FileSpec>,
        target: &Target,
        harm: &Harm,
    ) -> Result<BenchOptions, Failure> {
        let load = match self.rate {
            Some(per_second) => Load::Open { per_second },
            None => Load::Closed {
                in_flight: self.clients,
            },
        };
        let endless = self.boots.is_none() && self.duration.is_none();
        let phase = Phase {
            name: "load".to_owned(),
            profiles: self.profile.clone(),
            load,
            ramp: self.ramp,
            boots: self.boots,
            duration: self.duration.or(endless.then_some(Duration::from_secs(10))),
            drain: self.drain,
        };
        let (to_server, to_client) = harm.faults();
        let options = BenchOptions {
            threads: self.threads,
            ports: target.ports(),
            to_server,
            to_client,
            late: harm.late,
            seed: self.seed,
            wait: self.timeout,
            attempts: self.attempts,
            transfer_limit: self.transfer_limit,
            server_pid: target.server_pid,
            ..BenchOptions::new(server, files, phase)
        };
        options
            .check()
            .map_err(|cause| Failure::usage(cause.to_string(), "purlin bench tftp --help"))?;
        Ok(options)
    }
}

/// The files asked for.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// A file with the content --make-files writes, NAME=SIZE, or one that PATH is a copy of, NAME@PATH; may be repeated
    /// [default: purlin-bench-1k.bin, -64k, -1m and -32m].
    #[arg(long = "file", value_name = "NAME=SIZE|NAME@PATH")]
    files: Vec<FileArg>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum FileArg {
    Pattern { name: String, size: u64 },
    Copy { name: String, path: PathBuf },
}

impl std::str::FromStr for FileArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no file; write NAME=SIZE like boot.bin=1Mi, or NAME@PATH");
        if let Some((name, size)) = text.rsplit_once('=') {
            let size: ByteSize = size.parse().map_err(|_| wrong())?;
            let name = name.to_owned();
            return Ok(Self::Pattern { name, size: size.0 });
        }
        let (name, path) = text.split_once('@').ok_or_else(wrong)?;
        Ok(Self::Copy {
            name: name.to_owned(),
            path: PathBuf::from(path),
        })
    }
}

impl Files {
    pub(super) fn specs(&self) -> Result<Vec<FileSpec>, Failure> {
        if self.files.is_empty() {
            return Ok(FileSpec::usual());
        }
        let spec = |file: &FileArg| match file {
            FileArg::Pattern { name, size } => Ok(FileSpec::pattern(name, *size)),
            FileArg::Copy { name, path } => FileSpec::copy_of(name, path).map_err(|cause| {
                let what = format!("cannot read {}: {cause}", path.display());
                Failure::failed(what, "name a copy of the server's file")
            }),
        };
        self.files.iter().map(spec).collect()
    }
}

/// Trouble on the way, made by the clients.
#[derive(Debug, Args)]
pub(super) struct Harm {
    /// This share of datagrams is lost.
    #[arg(long, default_value = "0", value_name = "SHARE", value_parser = share)]
    loss: f64,
    /// This share arrives twice.
    #[arg(long, default_value = "0", value_name = "SHARE", value_parser = share)]
    duplicate: f64,
    /// This share arrives behind what was sent after it.
    #[arg(long, default_value = "0", value_name = "SHARE", value_parser = share)]
    reorder: f64,
    /// How much later a reordered datagram arrives.
    #[arg(long, default_value = "2ms", value_name = "TIME", value_parser = parse_duration)]
    late: Duration,
    /// Which way: both, server or client.
    #[arg(long, value_enum, default_value_t = Way::Both, value_name = "WAY", hide_possible_values = true)]
    towards: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    Both,
    Server,
    Client,
}

impl Harm {
    /// Towards the server, and towards the clients.
    fn faults(&self) -> (Faults, Faults) {
        let faults = Faults {
            loss: self.loss,
            duplicate: self.duplicate,
            reorder: self.reorder,
            ..Faults::NONE
        };
        match self.towards {
            Way::Both => (faults, faults),
            Way::Server => (faults, Faults::NONE),
            Way::Client => (Faults::NONE, faults),
        }
    }
}

/// `1%` or `0.01`.
fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no share; write 1% or 0.01");
    let (number, scale) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map_err(|_| wrong())? / scale;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_either_way() {
        assert_eq!(share("1%"), Ok(0.01));
        assert_eq!(share("0.05"), Ok(0.05));
        for bad in ["2", "-1%", "x", "101%"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_have_a_size_or_a_copy() {
        let pattern = FileArg::Pattern {
            name: "a=b".into(),
            size: 1 << 20,
        };
        assert_eq!("a=b=1Mi".parse(), Ok(pattern));
        let copy = FileArg::Copy {
            name: "k".into(),
            path: "/tmp/k".into(),
        };
        assert_eq!("k@/tmp/k".parse(), Ok(copy));
        assert!("boot.bin".parse::<FileArg>().is_err());
    }
}
