//! What a person reads when a node is up: where it listens, how to get in, what to try next.

use crate::cli::DEFAULT_DATA_DIR;
use crate::client::NodeFile;
use crate::output::{Paint, Tone};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What there is to tell.
#[derive(Debug)]
pub(super) struct Banner<'a> {
    pub(super) node: &'a NodeFile,
    /// As the person called it.
    pub(super) program: String,
    pub(super) data_dir: &'a Path,
    pub(super) token_file: PathBuf,
    /// The admin token itself, where it may be shown.
    pub(super) token: Option<&'a str>,
    pub(super) interfaces: Vec<String>,
    pub(super) subnets: Vec<String>,
    /// Where clients of a balancer come, in words.
    pub(super) fronts: Vec<String>,
    pub(super) revision: u64,
    /// Where the configuration came from.
    pub(super) origin: String,
    pub(super) took: Duration,
    /// Whether the made-up network is served.
    pub(super) demo: bool,
}

/// How the person calls `purlin`: the word they used, unless that is another name of it, which has not all commands.
pub(super) fn program(called: Option<String>) -> String {
    let purlin = |word: &String| Path::new(word).file_name().is_some_and(|name| name == "purlin");
    called.filter(purlin).unwrap_or_else(|| "purlin".to_owned())
}

impl Banner<'_> {
    /// The text, one fact per line.
    pub(super) fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        let head = format!(
            "purlin {} is up ({} in {} ms)",
            self.node.version,
            self.node.node,
            self.took.as_millis()
        );
        line(&mut out, &paint.text(Tone::Good, &head));
        let mut row = |name: &str, value: &str| line(&mut out, &format!("  {name:<10} {value}"));
        row("config", &format!("{} (revision {})", self.origin, self.revision));
        for address in &self.node.dhcp {
            row("DHCP", &format!("udp {address}"));
        }
        for address in &self.node.tftp {
            row("TFTP", &format!("udp {address}"));
        }
        for url in [&self.node.boot_http, &self.node.boot_https]
            .into_iter()
            .flatten()
        {
            row("boot", url);
        }
        for url in [&self.node.chain_http, &self.node.chain_websocket]
            .into_iter()
            .flatten()
        {
            row("chain", url);
        }
        for fact in self.node.ovn_origin.iter().chain(&self.node.ovn) {
            row("OVN", fact);
        }
        for interface in &self.interfaces {
            row("DHCP", &format!("local segment {interface}"));
        }
        for front in &self.fronts {
            row("front", front);
        }
        for subnet in self.subnets.iter().take(8) {
            row("subnet", subnet);
        }
        if self.subnets.len() > 8 {
            row("", &format!("and {} more", self.subnets.len() - 8));
        }
        let urls = [
            ("API", &self.node.url),
            ("API", &self.node.https),
            ("metrics", &self.node.metrics),
        ];
        for (name, url) in urls {
            if let Some(url) = url {
                row(name, url);
            }
        }
        if let Some(ca) = &self.node.ca {
            row("CA", &ca.display().to_string());
        }
        row("data", &self.data_dir.display().to_string());
        row("token", &self.token_file.display().to_string());
        if let Some(token) = self.token {
            row("", token);
        }
        line(&mut out, &paint.text(Tone::Strong, "try next"));
        let steps = self.next_steps();
        let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
        for (command, purpose) in steps {
            line(&mut out, &format!("  {command:<width$}   {purpose}"));
        }
        out
    }

    /// Commands that work in this very directory, with what each is for.
    fn next_steps(&self) -> Vec<(String, &'static str)> {
        let program = &self.program;
        let mut steps = Vec::new();
        if std::path::absolute(DEFAULT_DATA_DIR).ok().as_deref() != Some(self.data_dir) {
            let export = format!("export PURLIN_DATA_DIR={}", self.data_dir.display());
            steps.push((export, "so that commands find this node"));
        }
        if self.demo && !self.node.dhcp.is_empty() {
            steps.push((format!("{program} dhcp probe"), "get a lease as a client would"));
            steps.push((format!("{program} bench dhcp"), "how fast is it on this machine?"));
        }
        if let (true, Some(server)) = (self.demo, self.node.tftp.first()) {
            let get = format!("{program} tftp get {server} hello.txt");
            steps.push((get, "a boot file, made for whoever asks"));
        }
        if !self.node.dhcp.is_empty() || !self.interfaces.is_empty() {
            steps.push((format!("{program} dhcp lease list"), "who has which address"));
        }
        if !self.node.tftp.is_empty() {
            steps.push((format!("{program} tftp records"), "who asked for which boot file"));
        }
        if self.demo && self.node.chain_http.is_some() {
            let accounts = format!("{program} chain accounts");
            steps.push((accounts, "accounts with ether, for any Ethereum tool"));
        }
        if !self.node.ovn.is_empty() {
            steps.push((
                format!("{program} ovn status"),
                "which OVN this is, and how it does",
            ));
        }
        steps.push((
            format!("{program} doctor"),
            "what would be in the way of real clients",
        ));
        steps
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_advised_where_they_exist() {
        let of = |word: &str| program(Some(word.to_owned()));
        assert_eq!(of("./target/debug/purlin"), "./target/debug/purlin");
        assert_eq!(of("/usr/bin/simple-tftpd-datacenter"), "purlin");
        assert_eq!(program(None), "purlin");
    }

    #[test]
    fn every_service_is_told_of_and_the_token_where_it_may_be() {
        let node = NodeFile {
            node: "n".into(),
            url: Some("http://127.0.0.1:8080".into()),
            dhcp: vec!["127.0.0.1:6767".into()],
            tftp: vec!["127.0.0.1:6969".into()],
            ovn: vec!["unix:/d/ovn/db.sock".into()],
            ovn_origin: Some("a northbound in this process".into()),
            ..NodeFile::default()
        };
        let mut banner = Banner {
            node: &node,
            program: "purlin".into(),
            data_dir: Path::new("/d"),
            token_file: "/d/admin-token".into(),
            token: None,
            interfaces: Vec::new(),
            subnets: vec!["demo 10.67.0.0/16".into()],
            fronts: Vec::new(),
            revision: 1,
            origin: "built in".into(),
            took: Duration::from_millis(120),
            demo: true,
        };
        let quiet = banner.text(Paint::off());
        assert!(quiet.contains("/d/admin-token") && quiet.contains("http://127.0.0.1:8080"));
        assert!(
            quiet.contains("purlin tftp get 127.0.0.1:6969 hello.txt"),
            "{quiet}"
        );
        for fact in [
            "OVN        a northbound in this process",
            "unix:/d/ovn/db.sock",
            "purlin ovn status",
        ] {
            assert!(quiet.contains(fact), "{quiet}");
        }
        banner.token = Some("pur_secret");
        assert!(banner.text(Paint::off()).contains("pur_secret"));
        assert!(!quiet.contains("pur_secret"));
    }
}
