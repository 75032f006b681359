//! Which node to talk to, with which token and trust.
//!
//! ```text
//!   --server, PURLIN_SERVER      else   DATA_DIR/node.json (written by `purlin up`)   else   http://127.0.0.1:8080
//!   --token, PURLIN_TOKEN, --token-file  else  DATA_DIR/admin-token, for a node on this machine only
//!   --ca, PURLIN_CA              else   the CA named in node.json                     else   the system's
//! ```

use super::life;
use crate::exit::{Exit, Failure};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where an API without any configuration listens.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Where DHCP without any configuration listens.
const DEFAULT_DHCP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 6767);

/// `http://host:port` or `https://host:port`; nothing else is needed to reach a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some((scheme, _)) => return Err(format!("{scheme}:// is neither http:// nor https://")),
            None => (false, text),
        };
        let authority = rest.trim_end_matches('/');
        let (host, port) = split_port(authority, if tls { 443 } else { 80 })?;
        if host.is_empty() || host.contains(['/', '@', ' ']) {
            return Err(format!("{text} has no host name of the form http://HOST:PORT"));
        }
        Ok(Self { tls, host, port })
    }
}

/// Splits `host:port`, `[v6]:port`, `host`.
fn split_port(authority: &str, default: u16) -> Result<(String, u16), String> {
    let number = |text: &str| {
        text.parse::<u16>()
            .map_err(|_| format!("{text} is no port number (1-65535)"))
    };
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest
            .split_once(']')
            .ok_or("an IPv6 address needs a closing bracket")?;
        let port = port.strip_prefix(':').map_or(Ok(default), number)?;
        return Ok((host.to_owned(), port));
    }
    match authority.split_once(':') {
        Some((host, port)) => Ok((host.to_owned(), number(port)?)),
        None => Ok((authority.to_owned(), default)),
    }
}

impl Url {
    /// `host:port` as in the `Host` header.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "http{}://{}",
            if self.tls { "s" } else { "" },
            self.authority()
        )
    }
}

/// What a running node leaves in its data directory for commands on the same machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeFile {
    pub(crate) node: String,
    /// Plain HTTP, when there is any.
    pub(crate) url: Option<String>,
    pub(crate) https: Option<String>,
    pub(crate) metrics: Option<String>,
    pub(crate) dhcp: Vec<String>,
    /// Where TFTP is served.
    #[serde(default)]
    pub(crate) tftp: Vec<String>,
    /// HTTP and HTTPS boot.
    #[serde(default)]
    pub(crate) boot_http: Option<String>,
    #[serde(default)]
    pub(crate) boot_https: Option<String>,
    /// JSON-RPC of the chain, over HTTP and over WebSocket.
    #[serde(default)]
    pub(crate) chain_http: Option<String>,
    #[serde(default)]
    pub(crate) chain_websocket: Option<String>,
    /// Endpoints of the northbound, as `ovn-nbctl --db` takes them.
    #[serde(default)]
    pub(crate) ovn: Vec<String>,
    /// Whose databases these are, in words, where the node has started them itself.
    #[serde(default)]
    pub(crate) ovn_origin: Option<String>,
    /// Certificate of the CA that signed the node's own.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) pid: u32,
    /// The life of that process, as [`life::of`] tells it. Absent in files of older versions.
    #[serde(default)]
    pub(crate) life: Option<String>,
    pub(crate) version: String,
}

impl NodeFile {
    pub(crate) fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("node.json")
    }

    pub(crate) fn read(data_dir: &Path) -> Option<Self> {
        let text = std::fs::read(Self::path(data_dir)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Where the node of this directory serves DHCP, else where one without a file would.
    pub(crate) fn dhcp_server(data_dir: &Path) -> SocketAddrV4 {
        let local = || {
            Self::read(data_dir)
                .filter(Self::is_alive)?
                .dhcp
                .first()?
                .parse()
                .ok()
        };
        local().unwrap_or(DEFAULT_DHCP)
    }

    /// Whether the process that wrote it still runs: not one that has got its number since, nor what is left of it
    /// until somebody reaps it. A node that was killed leaves its file behind.
    pub(crate) fn is_alive(&self) -> bool {
        match life::of(self.pid) {
            Ok(Some(now)) => self.life.as_ref().is_none_or(|own| *own == now),
            Ok(None) => false,
            // Somebody has the number, and /proc hides who.
            Err(cause) => cause.kind() == ErrorKind::PermissionDenied,
        }
    }
}

/// What the person said about the connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) server: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) data_dir: PathBuf,
}

/// One node, ready to be asked.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    pub(crate) token: Option<String>,
    pub(crate) ca: Option<PathBuf>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token stays out of logs and panics.
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("ca", &self.ca)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Settles where to go.
    ///
    /// # Errors
    /// When the URL or a named file is wrong.
    pub(crate) fn resolve(wishes: &Wishes) -> Result<Self, Failure> {
        let node = NodeFile::read(&wishes.data_dir).filter(NodeFile::is_alive);
        let local = node
            .as_ref()
            .and_then(|node| node.url.clone().or_else(|| node.https.clone()));
        let text = wishes
            .server
            .clone()
            .or(local)
            .unwrap_or_else(|| DEFAULT_URL.to_owned());
        let url: Url = text.parse().map_err(|cause| {
            Failure::usage(
                format!("--server: {cause}"),
                "write http://HOST:PORT or https://HOST:PORT",
            )
        })?;
        let token = token(wishes, &url)?;
        let ca = wishes.ca.clone().or_else(|| node.and_then(|node| node.ca));
        Ok(Self { url, token, ca })
    }
}

fn token(wishes: &Wishes, url: &Url) -> Result<Option<String>, Failure> {
    if let Some(token) = &wishes.token {
        return Ok(Some(token.trim().to_owned()));
    }
    if let Some(path) = &wishes.token_file {
        return std::fs::read_to_string(path)
            .map(|text| Some(text.trim().to_owned()))
            .map_err(|cause| {
                let what = format!("cannot read the token in {}: {cause}", path.display());
                Failure::new(
                    Exit::Denied,
                    what,
                    "check --token-file and the file's permissions",
                )
            });
    }
    // A node's own admin token must never travel to another host just because we stand in its directory.
    if !url.is_loopback() {
        return Ok(None);
    }
    let own = std::fs::read_to_string(wishes.data_dir.join("admin-token")).ok();
    Ok(own
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_in_the_usual_forms() {
        let check =
            |text: &str, expected: &str| assert_eq!(text.parse::<Url>().unwrap().to_string(), expected);
        check("http://a:1", "http://a:1");
        check("https://a/", "https://a:443");
        check("a", "http://a:80");
        check("https://[::1]:8081", "https://[::1]:8081");
        for wrong in ["ftp://a", "http://", "http://a:99999", "http://[::1"] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_admin_token_stays_on_this_machine() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("admin-token"), "secret\n").unwrap();
        let of = |server: &str| {
            let wishes = Wishes {
                server: Some(server.into()),
                data_dir: dir.path().to_owned(),
                ..Wishes::default()
            };
            Endpoint::resolve(&wishes).unwrap().token
        };
        assert_eq!(of("http://127.0.0.1:1").as_deref(), Some("secret"));
        assert_eq!(of("https://example.net"), None);
    }

    fn left_behind(pid: u32, life: Option<String>) -> NodeFile {
        NodeFile {
            node: "n".into(),
            url: Some("http://127.0.0.1:9".into()),
            pid,
            life,
            ..NodeFile::default()
        }
    }

    #[test]
    fn a_dead_nodes_file_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let node = left_behind(u32::MAX, None);
        std::fs::write(NodeFile::path(dir.path()), serde_json::to_vec(&node).unwrap()).unwrap();
        let wishes = Wishes {
            data_dir: dir.path().to_owned(),
            ..Wishes::default()
        };
        assert_eq!(Endpoint::resolve(&wishes).unwrap().url.to_string(), DEFAULT_URL);
    }

    #[test]
    fn whoever_has_the_number_now_is_not_taken_for_the_node() {
        let own = std::process::id();
        assert!(left_behind(own, life::own()).is_alive());
        assert!(!left_behind(own, Some("another start/1".into())).is_alive());
    }

    #[test]
    fn a_file_of_an_older_version_is_still_read() {
        let mut text = serde_json::to_value(left_behind(std::process::id(), life::own())).unwrap();
        text.as_object_mut().unwrap().remove("life");
        let node: NodeFile = serde_json::from_value(text).unwrap();
        assert!(node.life.is_none() && node.is_alive());
    }
}
