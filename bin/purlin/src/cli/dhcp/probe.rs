//! `purlin dhcp probe`: be a client once, and tell what happened.

use crate::cli::Context;
use crate::cli::bench::dhcp::server_address;
use crate::client::NodeFile;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::{self, Form, Paint, Tone};
use clap::Args;
use purlin_config::{parse_duration, parse_hex};
use purlin_dhcp_client::{
    PROBE_MAC, Probe, ProbeLease, ProbeProxy, ProbeReport, ProbeStep, ProbeVerdict, ProbeVia, probe,
};
use purlin_types::{ClientId, Mac};
use serde_json::to_value;
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin dhcp probe                                     the node on this machine, through a made-up relay
  purlin dhcp probe 10.0.0.2:67 --giaddr 10.0.0.9       as the relay 10.0.0.9 (an address of this machine)
  purlin dhcp probe --interface eth0 --release          as a client on a segment; needs root or CAP_NET_RAW
  purlin dhcp probe --user-class iPXE --arch 7          what would a UEFI machine under iPXE get?

Exit code 1 when no lease was granted.")]
pub(crate) struct ProbeArgs {
    /// The server [default: the node of the data directory, else 127.0.0.1:6767].
    #[arg(value_name = "ADDRESS:PORT", value_parser = server_address, conflicts_with = "interface")]
    server: Option<SocketAddrV4>,
    /// Broadcast on this interface instead of speaking as a relay.
    #[arg(long, short = 'i', value_name = "NAME")]
    interface: Option<String>,
    /// The relay address to speak as; it selects the subnet.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "10.67.0.1",
        conflicts_with = "interface"
    )]
    giaddr: Ipv4Addr,
    /// Local address and port to bind [default: GIADDR:67 for servers on port 67, else any].
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "interface")]
    bind: Option<SocketAddrV4>,
    /// Hardware address of the client.
    #[arg(long, default_value_t = PROBE_MAC)]
    mac: Mac,
    /// Client identifier (option 61), in hexadecimal.
    #[arg(long, value_name = "HEX")]
    client_id: Option<ClientId>,
    /// Host name (option 12).
    #[arg(long, value_name = "NAME")]
    host_name: Option<String>,
    /// Vendor class (option 60), for instance PXEClient.
    #[arg(long, value_name = "TEXT")]
    vendor_class: Option<String>,
    /// User class (option 77), for instance iPXE.
    #[arg(long, value_name = "TEXT")]
    user_class: Option<String>,
    /// Client architecture (option 93): 0 BIOS, 7 UEFI x86-64, 11 UEFI arm64, 16 HTTP boot x86-64.
    #[arg(long, value_name = "NUMBER")]
    arch: Option<u16>,
    /// Circuit id (option 82), as text, or as hexadecimal after 0x.
    #[arg(long, value_name = "TEXT")]
    circuit_id: Option<String>,
    /// Remote id (option 82), as text, or as hexadecimal after 0x.
    #[arg(long, value_name = "TEXT")]
    remote_id: Option<String>,
    /// Ask for this address.
    #[arg(long, value_name = "ADDRESS")]
    request: Option<Ipv4Addr>,
    /// Also ask for these options, by code.
    #[arg(long, value_name = "CODE,...", value_delimiter = ',')]
    parameters: Vec<u8>,
    /// Ask for the two-message exchange (RFC 4039).
    #[arg(long)]
    rapid_commit: bool,
    /// Give the lease back at the end.
    #[arg(long)]
    release: bool,
    /// Wait for the first answer; doubles with each attempt.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = parse_duration)]
    timeout: Duration,
    /// How often each message is sent at most.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=8))]
    attempts: u8,
}

pub(super) fn run(args: &ProbeArgs, context: &Context) -> Outcome {
    output::not_in_rows(context.form())?;
    let report = probe(&args.probe(context)?).map_err(|cause| {
        Failure::failed(
            chain(&cause),
            "check --interface, --giaddr and --bind; see purlin dhcp probe --help",
        )
    })?;
    if matches!(context.form(), Form::Table | Form::Wide) {
        tell(&report);
    } else {
        let value = to_value(&report).map_err(|cause| Failure::failed(cause.to_string(), ""))?;
        output::document(context.form(), &value)?;
    }
    Ok(if report.verdict == ProbeVerdict::Bound {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

impl ProbeArgs {
    fn probe(&self, context: &Context) -> Result<Probe, Failure> {
        let octets = |text: &Option<String>| text.as_deref().map(octets).transpose();
        Ok(Probe {
            mac: self.mac,
            client_id: self.client_id.clone(),
            host_name: self.host_name.clone(),
            vendor_class: self.vendor_class.clone(),
            user_class: self.user_class.clone(),
            architecture: self.arch,
            circuit_id: octets(&self.circuit_id)?,
            remote_id: octets(&self.remote_id)?,
            requested: self.request,
            parameters: self.parameters.clone(),
            rapid_commit: self.rapid_commit,
            release: self.release,
            timeout: self.timeout,
            attempts: self.attempts,
            ..Probe::new(self.via(context))
        })
    }

    fn via(&self, context: &Context) -> ProbeVia {
        if let Some(name) = &self.interface {
            return ProbeVia::Interface(name.clone());
        }
        let server = self
            .server
            .unwrap_or_else(|| NodeFile::dhcp_server(context.data_dir()));
        let bind = self.bind.unwrap_or(match server.port() {
            // Such servers answer to the relay's own address and port.
            67 => SocketAddrV4::new(self.giaddr, 67),
            _ => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
        });
        ProbeVia::Relay {
            server,
            giaddr: self.giaddr,
            bind,
        }
    }
}

/// `port-7` or `0x0102`.
fn octets(text: &str) -> Result<Vec<u8>, Failure> {
    match text.strip_prefix("0x") {
        Some(hex) => parse_hex(hex).map_err(|_| {
            Failure::usage(
                format!("{text:?} is no hexadecimal text"),
                "write pairs of hexadecimal digits after 0x",
            )
        }),
        None => Ok(text.as_bytes().to_vec()),
    }
}

fn tell(report: &ProbeReport) {
    let paint = Paint::stdout();
    for step in &report.steps {
        say!("{}", step_line(step));
    }
    for proxy in &report.proxies {
        say!();
        tell_proxy(proxy);
    }
    if let Some(lease) = &report.lease {
        say!();
        tell_lease(lease);
    }
    let tone = if report.verdict == ProbeVerdict::Bound {
        Tone::Good
    } else {
        Tone::Bad
    };
    say!(
        "\n{}",
        paint.text(
            tone,
            &format!("{} ({:.2} ms)", report.explanation, report.elapsed_ms)
        )
    );
    for hint in &report.hints {
        say!("  - {hint}");
    }
}

fn step_line(step: &ProbeStep) -> String {
    let kind = to_value(step.kind)
        .ok()
        .and_then(|kind| kind.as_str().map(str::to_owned))
        .unwrap_or_default();
    let arrow = if step.sent { "->" } else { "<-" };
    let mut line = format!("{:>9.2} ms  {arrow} {kind:<9}", step.at_ms);
    if let Some(address) = step.address {
        line.push_str(&format!(" {address}"));
    }
    if let Some(server) = step.server_id {
        line.push_str(&format!(" from server {server}"));
    }
    if let Some(took) = step.took_ms {
        line.push_str(&format!("  ({took:.2} ms)"));
    }
    line
}

fn row(name: &str, value: impl Display) {
    say!("  {name:<24} {value}");
}

/// What a server said that gives no addresses, only what to boot.
fn tell_proxy(proxy: &ProbeProxy) {
    let server = proxy.server_id.unwrap_or(*proxy.from.ip());
    row(
        "proxy",
        format!("{server} tells what to boot, without an address"),
    );
    if let Some(server) = proxy.boot_server {
        row("boot server", server);
    }
    match &proxy.boot_file {
        Some(file) => row("boot file", file),
        None => row(
            "boot file",
            "none yet: to be asked for at port 4011 of the boot server",
        ),
    }
}

fn tell_lease(lease: &ProbeLease) {
    row("address", lease.address);
    match lease.lease_secs {
        Some(u32::MAX) => row("lease", "for ever"),
        Some(secs) => row("lease", format!("{secs} s")),
        None => {}
    }
    if let Some(next) = lease.next_server {
        row("next server", next);
    }
    if let Some(file) = &lease.boot_file {
        row("boot file", file);
    }
    for option in &lease.options {
        row(&format!("{} ({})", option.name, option.code), &option.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn octets_are_text_unless_marked() {
        assert_eq!(octets("port-7").unwrap(), b"port-7");
        assert_eq!(octets("0x0102").unwrap(), [1, 2]);
        assert_eq!(octets("0xzz").unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn a_report_serialises_its_verdict_as_a_word() {
        assert_eq!(to_value(ProbeVerdict::NoOffer).unwrap(), Value::from("no-offer"));
    }
}
