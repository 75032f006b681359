//! The keys of `[chain]` for a node that begins from a snapshot (`pruning_mode = "fast"`).

use super::{ChainSettings, Origin};
use purlin_chain_proto::B256;
use purlin_config::{Fault, Faults, Key, Kind, Reader, TextFault, codes};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// States that a fast node keeps: as many as geth.
pub(super) const STATES: u64 = 128;

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "snapshot",
        Kind::Form { what: "a file's path, or https://HOST:PORT of another node's API", check: place },
        "Where a fast node without a chain begins: a file of purlin chain snapshot create, or another node's API. Without it, it executes every block from the first on.",
    )
    .restart()
    .example("https://10.0.0.1:8081"),
    Key::new(
        "snapshot_token",
        Kind::Secret,
        "A token of that node, of role admin. PURLIN__CHAIN__SNAPSHOT_TOKEN_FILE names a file.",
    )
    .restart(),
    Key::new(
        "snapshot_ca",
        Kind::Path,
        "The authority that signed that node's certificate (PEM); without it, those of the system.",
    )
    .restart()
    .example("/etc/purlin/ca.pem"),
    Key::new(
        "snapshot_trust",
        Kind::Form { what: "a hash: 0x and 64 hexadecimal digits", check: hash },
        "The hash of the snapshot's block, from somebody who is trusted. A chain without validators needs it: nobody signs its blocks.",
    )
    .restart()
    .example("0x9b5fa31a4ef6aa2ee0e6d5eb7ac4eba1ff3f86d3d1c2a7b1f24b9e2e9d7c1a50"),
];

/// Where a chain begins that is not executed from its first block on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromSnapshot {
    pub place: Place,
    /// The block that has to be in it.
    pub trust: Option<B256>,
}

/// Where a snapshot is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// Another node's API.
    Node {
        url: String,
        token: Option<String>,
        ca: Option<PathBuf>,
    },
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            // The token stays out of logs.
            Self::Node { url, ca, .. } => f
                .debug_struct("Node")
                .field("url", url)
                .field("ca", ca)
                .finish_non_exhaustive(),
        }
    }
}

fn hash(text: &str) -> Result<(), TextFault> {
    let parsed = text.parse::<B256>();
    parsed
        .map(drop)
        .map_err(|error| TextFault::from(error.to_string()))
}

fn place(text: &str) -> Result<(), TextFault> {
    let loopback = |rest: &str| {
        let host = rest.strip_prefix('[').and_then(|rest| rest.split(']').next());
        let host = host.unwrap_or_else(|| rest.split([':', '/']).next().unwrap_or_default());
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    };
    match text.split_once("://") {
        None | Some(("https", _)) => Ok(()),
        Some(("http", rest)) if loopback(rest) => Ok(()),
        Some(("http", _)) => Err(TextFault::from(
            "a token would cross the network in clear: write https://".to_owned(),
        )),
        Some((scheme, _)) => Err(TextFault::from(format!(
            "{scheme}:// is neither a path nor https://"
        ))),
    }
}

pub(super) fn read(keys: &Reader<'_>) -> Option<FromSnapshot> {
    let text: String = keys.opt("snapshot")?;
    let trust: Option<String> = keys.opt("snapshot_trust");
    let place = if text.contains("://") {
        Place::Node {
            url: text,
            token: keys.opt("snapshot_token"),
            ca: keys.opt::<String>("snapshot_ca").map(PathBuf::from),
        }
    } else {
        Place::File(text.into())
    };
    Some(FromSnapshot {
        place,
        trust: trust.and_then(|text| text.parse().ok()),
    })
}

/// Keys that only make sense together.
pub(super) fn agree(keys: &Reader<'_>, settings: &ChainSettings, faults: &mut Faults) {
    let mut fault = |key: &str, message: &str, help: &str| {
        let fault = Fault::error(
            codes::CONTRADICTION,
            keys.path_of(key),
            keys.span_of(key),
            message,
        );
        faults.push(fault.help(help));
    };
    let there = |name| keys.node(name).is_some();
    let fast = keys.get::<String>("pruning_mode") == "fast";
    if fast && there("block_retention") {
        fault(
            "block_retention",
            "a fast node keeps the last 128 states",
            "remove block_retention, or set pruning_mode = \"full\"",
        );
    }
    if !there("snapshot") {
        for key in ["snapshot_token", "snapshot_ca", "snapshot_trust"] {
            if there(key) {
                fault(
                    key,
                    "chain.snapshot names nothing to begin from",
                    "set chain.snapshot, or remove this",
                );
            }
        }
        return;
    }
    if !fast {
        fault(
            "snapshot",
            "only a fast node begins from a snapshot",
            "set pruning_mode = \"fast\"; for another mode, restore it once by hand: purlin chain snapshot restore",
        );
    }
    if matches!(settings.origin, Origin::Development { .. }) {
        fault(
            "snapshot",
            "a development chain begins anew in every data directory",
            "name the genesis document of the snapshot's chain in chain.genesis",
        );
    }
    if let Some(FromSnapshot {
        place: Place::Node { token: None, .. },
        ..
    }) = &settings.begin
    {
        fault(
            "snapshot",
            "a node gives its snapshot only to who has a token, and chain.snapshot_token is not set",
            "PURLIN__CHAIN__SNAPSHOT_TOKEN_FILE=/etc/purlin/snapshot-token, with a token of role admin of that node",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_keys as check;
    use super::*;
    use purlin_chain_evm::Mode;

    #[test]
    fn s3_34_s3_35_a_fast_node_keeps_128_states_and_begins_where_it_is_told() {
        let alone = check("pruning_mode = \"fast\"\n").expect("it executes every block");
        assert_eq!(
            (alone.state.mode, alone.begin),
            (Mode::Full { blocks: 128 }, None)
        );
        let fast = "genesis = \"/g.json\"\npruning_mode = \"fast\"\n";
        let file = check(&format!(
            "{fast}snapshot = \"/var/s\"\nsnapshot_trust = \"0x{:064x}\"\n",
            7
        ));
        let begin = file.expect("good").begin.expect("a snapshot");
        assert_eq!(begin.place, Place::File("/var/s".into()));
        assert_eq!(begin.trust, Some(B256::with_last_byte(7)));
        let node = format!("{fast}snapshot_token = \"hidden\"\nsnapshot_ca = \"/ca\"\nsnapshot = ");
        for url in [
            "https://10.0.0.1:8081",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
            "http://localhost",
        ] {
            let begin = check(&format!("{node}\"{url}\"\n"))
                .expect(url)
                .begin
                .expect("a snapshot");
            assert!(!format!("{begin:?}").contains("hidden"), "{begin:?}");
            let (token, ca) = (Some("hidden".to_owned()), Some("/ca".into()));
            let url = url.to_owned();
            assert_eq!(begin.place, Place::Node { url, token, ca });
        }
    }

    #[test]
    fn what_a_snapshot_needs_is_said() {
        let fast = "pruning_mode = \"fast\"\n";
        let genesis = format!("{fast}genesis = \"/g.json\"\n");
        for (text, words) in [
            (
                "genesis = \"/g.json\"\nsnapshot = \"/s\"\n".to_owned(),
                "only a fast node",
            ),
            (format!("{fast}snapshot = \"/s\"\n"), "a development chain"),
            (format!("{fast}block_retention = 500\n"), "the last 128 states"),
            (
                format!("{genesis}snapshot_trust = \"0x{:064x}\"\n", 1),
                "names nothing to begin from",
            ),
            (
                format!("{genesis}snapshot = \"https://a:1\"\n"),
                "snapshot_token is not set",
            ),
            (
                format!("{genesis}snapshot = \"http://10.0.0.1:8080\"\n"),
                "in clear",
            ),
            (
                format!("{genesis}snapshot = \"ftp://a\"\n"),
                "neither a path nor https://",
            ),
            (
                format!("{genesis}snapshot = \"/s\"\nsnapshot_trust = \"0x12\"\n"),
                "chain.snapshot_trust",
            ),
        ] {
            let told = check(&text).expect_err(words);
            assert!(told.contains(words), "{text}: {told}");
        }
    }
}
