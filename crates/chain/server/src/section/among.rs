//! The keys of `[chain]` for a node among others: its part, its key, whom it meets.

use super::{ChainSettings, Origin, address};
use crate::consensus::Guests;
use purlin_chain_bft::Timeouts;
use purlin_chain_peers::{PeerAddress, Settings as PeerSettings};
use purlin_config::{Fault, Faults, Key, Kind, Reader, TextFault, codes};
use std::path::PathBuf;
use std::time::Duration;

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "role",
        Kind::Enum(&["validator", "blockchain", "solo"]),
        "What this node is to its chain: validator decides blocks with the others; blockchain follows them, or only answers where the genesis document names none; solo makes blocks alone. Without it: blockchain where the genesis document names validators or `purlin chain import` brought blocks, else solo.",
    )
    .restart()
    .example("validator"),
    Key::new("key_file", Kind::Path, "The file with this node's private key in hexadecimal: a validator's votes and the node's connections are signed with it. A follower without one makes its own.")
        .restart()
        .example("/etc/purlin/validator.key"),
    Key::new("listen", Kind::Socket, "Where other nodes of the chain reach this one.").restart().example("0.0.0.0:30400"),
    Key::new(
        "peers",
        Kind::List(&Kind::Form { what: "host:port, or 0xADDRESS@host:port with the address of the node's key", check: peer }),
        "Nodes of the chain to be connected with always; named by their address they are known to be themselves.",
    )
    .default("[]")
    .restart()
    .example("[\"0x70997970C51812dc3A010C7d01b50e0d17dc79C8@10.0.0.2:30400\"]"),
    Key::new(
        "discovery_dns",
        Kind::List(&Kind::Form { what: "host:port", check: peer }),
        "Names of which every address is a node of the chain.",
    )
    .default("[]")
    .restart()
    .example("[\"chain.lab.example:30400\"]"),
    Key::new(
        "guests",
        Kind::List(&Kind::Form { what: "an address, or \"*\" for anybody", check: guest }),
        "Who may connect besides validators and the nodes in peers: addresses of node keys, or \"*\" for anybody with this genesis document.",
    )
    .default("[]")
    .restart()
    .example("[\"*\"]"),
    Key::new("peer_limit", Kind::Int { min: 1, max: 10_000 }, "Connected nodes at most; validators are never refused for it.").default("50").restart(),
    Key::new("max_pending_peers", Kind::Int { min: 1, max: 10_000 }, "Strangers that have connected and not yet shown who they are.")
        .default("30")
        .restart(),
    Key::new(
        "connection_timeout",
        Kind::Duration { min: Duration::from_millis(100), max: Duration::from_secs(300) },
        "How long a connection may take to stand.",
    )
    .default("10s")
    .restart(),
    Key::new(
        "propose_timeout",
        Kind::Duration { min: Duration::from_millis(50), max: Duration::from_secs(300) },
        "How long validators wait for a block before they try the next proposer; later rounds wait longer.",
    )
    .default("2s")
    .restart(),
    Key::new(
        "vote_timeout",
        Kind::Duration { min: Duration::from_millis(50), max: Duration::from_secs(300) },
        "How long they wait for the last third of votes.",
    )
    .default("1s")
    .restart(),
];

/// The node as one of several, as far as the configuration tells.
#[derive(Debug, Clone)]
pub struct Among {
    /// `None`: as the genesis document has it.
    pub role: Option<Role>,
    pub key_file: Option<PathBuf>,
    pub peers: PeerSettings,
    pub guests: Guests,
    pub timeouts: Timeouts,
}

/// What a node is to its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Validator,
    Follower,
    /// It makes blocks alone.
    Solo,
}

fn peer(text: &str) -> Result<(), TextFault> {
    let parsed = text.parse::<PeerAddress>();
    parsed
        .map(drop)
        .map_err(|error| TextFault::from(error.to_string()))
}

fn guest(text: &str) -> Result<(), TextFault> {
    if text == "*" { Ok(()) } else { address(text) }
}

pub(super) fn read(keys: &Reader<'_>) -> Among {
    let role: Option<String> = keys.opt("role");
    let addresses = |name| {
        let texts: Vec<String> = keys.opt(name).unwrap_or_default();
        // What is none has been reported.
        texts.iter().filter_map(|text| text.parse().ok()).collect()
    };
    let guests: Vec<String> = keys.opt("guests").unwrap_or_default();
    let vote = keys.get("vote_timeout");
    Among {
        role: role.and_then(|role| match role.as_str() {
            "validator" => Some(Role::Validator),
            "blockchain" => Some(Role::Follower),
            "solo" => Some(Role::Solo),
            _ => None,
        }),
        key_file: keys.opt::<String>("key_file").map(PathBuf::from),
        peers: PeerSettings {
            listen: keys.opt("listen"),
            dial: addresses("peers"),
            discovery: addresses("discovery_dns"),
            limit: keys.get::<u32>("peer_limit") as usize,
            pending: keys.get::<u32>("max_pending_peers") as usize,
            connect_timeout: keys.get("connection_timeout"),
            ..PeerSettings::default()
        },
        guests: if guests.iter().any(|guest| guest == "*") {
            Guests::Anybody
        } else {
            Guests::These(guests.iter().filter_map(|guest| guest.parse().ok()).collect())
        },
        timeouts: Timeouts {
            propose: keys.get("propose_timeout"),
            prevote: vote,
            precommit: vote,
            ..Timeouts::default()
        },
    }
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
    let development = matches!(settings.origin, Origin::Development { .. });
    match settings.among.role {
        Some(Role::Validator | Role::Follower) if development => fault(
            "role",
            "a development chain has one node, which makes its blocks alone",
            "name a genesis document with validators in chain.genesis: purlin chain init --validators 4 --out DIR makes one",
        ),
        Some(Role::Validator) if settings.among.key_file.is_none() => fault(
            "role",
            "a validator signs its votes, and chain.key_file names no key",
            "set chain.key_file to the file with its private key",
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_keys;
    use super::*;

    fn check(keys: &str) -> Result<Among, String> {
        with_keys(keys).map(|settings| settings.among)
    }

    #[test]
    fn s3_33_peer_limit_pending_peers_discovery_and_timeout_reach_the_connections() {
        let usual = check("").expect("defaults").peers;
        assert_eq!((usual.limit, usual.pending), (50, 30));
        assert_eq!(usual.connect_timeout, Duration::from_secs(10));
        assert!(usual.listen.is_none() && usual.dial.is_empty() && usual.discovery.is_empty());
        let own = check(
            "peer_limit = 7\nmax_pending_peers = 3\nconnection_timeout = \"2s\"\nlisten = \"0.0.0.0:30400\"\n\
             discovery_dns = [\"chain.lab.example:30400\"]\npeers = [\"10.0.0.2:30400\"]\n",
        );
        let own = own.expect("it is good").peers;
        assert_eq!((own.limit, own.pending), (7, 3));
        assert_eq!(own.connect_timeout, Duration::from_secs(2));
        assert_eq!(own.discovery[0].host, "chain.lab.example");
        assert_eq!(own.dial[0].port, 30_400);
    }

    #[test]
    fn a_role_needs_a_chain_with_others_and_a_validator_a_key() {
        let chain = "genesis = \"/etc/g.json\"\n";
        let validator = format!("{chain}role = \"validator\"\n");
        let told = check(&validator).expect_err("no key");
        assert!(told.contains("chain.key_file"), "{told}");
        let own = check(&format!("{validator}key_file = \"/etc/key\"\nguests = [\"*\"]\n")).expect("good");
        assert_eq!((own.role, own.guests), (Some(Role::Validator), Guests::Anybody));
        let told = check("role = \"blockchain\"\n").expect_err("a development chain is alone");
        assert!(told.contains("chain init --validators"), "{told}");
        let told = check("peers = [\"nowhere\"]\nguests = [\"me\"]\n").expect_err("neither");
        assert!(
            told.contains("chain.peers") && told.contains("chain.guests"),
            "{told}"
        );
    }
}
