//! `[chain]` of a configuration.

mod among;
mod fast;

pub use among::{Among, Role};
pub use fast::{FromSnapshot, Place};

use crate::settings::{Cors, Pace, Production, RpcLimits, Settings};
use purlin_chain_core::pool;
use purlin_chain_evm::{Mode, StateSettings};
use purlin_chain_proto::Address;
use purlin_config::{Document, Fault, Faults, Key, Kind, Reader, Section, TextFault, check_section, codes};
use purlin_types::ByteSize;
use std::path::PathBuf;
use std::time::Duration;

static SECTION: Section = Section::new(
    "chain",
    "An EVM chain: its genesis, its state, and JSON-RPC for every Ethereum tool.",
    &[KEYS, fast::KEYS, among::KEYS],
);

const KEYS: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether this node has a chain.").default("false").restart(),
    Key::new(
        "genesis",
        Kind::Path,
        "The chain's first block and its forks: a genesis document as geth reads it. Without one, a development chain whose accounts everybody knows.",
    )
    .restart()
    .example("/etc/purlin/genesis.json"),
    Key::new("chain_id", Kind::Int { min: 1, max: i64::MAX }, "The development chain's id; that of a genesis document stands in it.")
        .default("31337")
        .restart(),
    Key::new("http", Kind::Socket, "Where JSON-RPC is answered over HTTP. Whoever reaches it may ask and send transactions, without a token.")
        .restart()
        .example("0.0.0.0:8545"),
    Key::new("websocket", Kind::Socket, "Where JSON-RPC is answered over WebSocket, with subscriptions.")
        .restart()
        .example("0.0.0.0:8546"),
    Key::new(
        "pruning_mode",
        Kind::Enum(&["archive", "full", "fast"]),
        "How far back state is answered: archive keeps all of it, full that of the last block_retention blocks, fast that of the last 128, and it may begin from a snapshot.",
    )
    .default("full")
    .restart(),
    Key::new(
        "block_retention",
        Kind::Int { min: 64, max: 1_000_000_000 },
        "Blocks whose state, bodies and receipts a full node keeps; headers stay.",
    )
    .default("10000")
    .restart(),
    Key::new(
        "storage_max",
        Kind::Size { min: 16 << 20, max: 1 << 50 },
        "What the chain's directory may take of the disk; as much as there is when not set. From 90 % on the node says so; when it is reached the node takes no transactions, and makes, votes for and follows no blocks, until there is room again.",
    )
    .example("500Gi"),
    Key::new(
        "state_cache_size",
        Kind::Size { min: 1 << 20, max: 1 << 40 },
        "Memory for accounts, slots and trie nodes that were read last.",
    )
    .default("64Mi")
    .restart(),
    Key::new(
        "block_period",
        Kind::Duration { min: Duration::ZERO, max: Duration::from_secs(3600) },
        "Time between blocks; 0s makes one as soon as there are transactions.",
    )
    .default("0s")
    .restart(),
    Key::new("empty_blocks", Kind::Bool, "Whether there is a block when its time has come and there are no transactions.")
        .default("false")
        .restart(),
    Key::new("block_gas_limit", Kind::Int { min: 5_000, max: i64::MAX }, "What blocks may use; each may change it by a 1,024th.")
        .default("600000000")
        .restart(),
    Key::new("beneficiary", Kind::Form { what: "an address: 0x and 40 hexadecimal digits", check: address }, "Who gets the tips.")
        .restart()
        .example("0x000000000000000000000000000000000000fee5"),
    Key::new(
        "transaction_pool_size",
        Kind::Int { min: 16, max: 1_000_000 },
        "Transactions that wait at most, those with nonce gaps among them.",
    )
    .default("8192")
    .restart(),
    Key::new("transactions_per_sender", Kind::Int { min: 1, max: 100_000 }, "Those that one account may have waiting.")
        .default("2048")
        .restart(),
    Key::new("min_tip", Kind::Int { min: 0, max: i64::MAX }, "Wei per gas below which nothing is taken in.").default("0").restart(),
    Key::new("connections_max", Kind::Int { min: 1, max: 1_000_000 }, "Open connections of each listener.").default("1000").restart(),
    Key::new("batch_max", Kind::Int { min: 1, max: 100_000 }, "Requests in one batch.").default("1000").restart(),
    Key::new("request_max", Kind::Size { min: 1024, max: 1 << 30 }, "The largest request.").default("10Mi").restart(),
    Key::new("response_max", Kind::Size { min: 1024, max: 1 << 31 }, "The largest answer.").default("32Mi").restart(),
    Key::new("requests_per_second", Kind::Int { min: 1, max: 100_000_000 }, "Requests that one client may make; no limit when not set.").restart(),
    Key::new(
        "query_timeout",
        Kind::Duration { min: Duration::from_millis(100), max: Duration::from_secs(3600) },
        "How long a request may take.",
    )
    .default("30s")
    .restart(),
    Key::new("call_gas_max", Kind::Int { min: 21_000, max: i64::MAX }, "Gas of a call that changes nothing.").default("50000000").restart(),
    Key::new("log_blocks_max", Kind::Int { min: 1, max: 1_000_000_000 }, "Blocks that one search for logs may span.")
        .default("100000")
        .restart(),
    Key::new("cors_origins", Kind::List(&Kind::Text { max: 512 }), "Web pages that may ask: origins, or \"*\" for all.")
        .default("[]")
        .restart()
        .example("[\"https://wallet.example\"]"),
];

/// Where the chain begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A genesis document.
    Document(PathBuf),
    /// Accounts that everybody knows, every fork from the first block on.
    Development { chain_id: u64 },
}

/// Checked settings.
#[derive(Debug, Clone)]
pub struct ChainSettings {
    pub enabled: bool,
    pub origin: Origin,
    pub state: StateSettings,
    /// Where the chain begins in a data directory that has none, if not with its first block.
    pub begin: Option<FromSnapshot>,
    /// Without the directory of its journal, which the node knows.
    pub service: Settings,
    pub among: Among,
}

fn address(text: &str) -> Result<(), TextFault> {
    let parsed = text.parse::<Address>();
    parsed
        .map(drop)
        .map_err(|error| TextFault::from(error.to_string()))
}

/// The schema of `[chain]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// What runs without a file.
#[must_use]
pub const fn demo() -> &'static str {
    "[chain]\nenabled = true\nhttp = \"127.0.0.1:8545\"\nwebsocket = \"127.0.0.1:8546\"\ncors_origins = [\"*\"]\n"
}

/// Reads `[chain]`; `None` when anything is an error.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<ChainSettings> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let keys = Reader::section(document, &SECTION);
    let genesis: Option<String> = keys.opt("genesis");
    if genesis.is_some() && keys.node("chain_id").is_some() {
        let message = "the chain's id stands in its genesis document";
        let fault = Fault::error(
            codes::CONTRADICTION,
            keys.path_of("chain_id"),
            keys.span_of("chain_id"),
            message,
        );
        faults.push(fault.help("remove chain_id"));
    }
    let origin = match genesis {
        Some(path) => Origin::Document(path.into()),
        None => Origin::Development {
            chain_id: keys.get("chain_id"),
        },
    };
    // Deployers that are the same on every chain (CREATE2) sign for none.
    let unprotected_allowed = matches!(origin, Origin::Development { .. });
    let settings = ChainSettings {
        enabled: keys.get("enabled"),
        origin,
        state: state(&keys),
        begin: fast::read(&keys),
        service: Settings {
            http: keys.opt("http"),
            ws: keys.opt("websocket"),
            data_dir: None,
            storage_max: keys.opt::<ByteSize>("storage_max").map(|size| size.0),
            production: production(&keys),
            pool: pool::Settings {
                unprotected_allowed,
                ..pool(&keys)
            },
            rpc: rpc(&keys),
            cors: cors(&keys),
        },
        among: among::read(&keys),
    };
    among::agree(&keys, &settings, faults);
    fast::agree(&keys, &settings, faults);
    (faults.errors() == before).then_some(settings)
}

fn state(keys: &Reader<'_>) -> StateSettings {
    let mode = match keys.get::<String>("pruning_mode").as_str() {
        "archive" => Mode::Archive,
        "fast" => Mode::Full { blocks: fast::STATES },
        _ => Mode::Full {
            blocks: keys.get("block_retention"),
        },
    };
    StateSettings {
        mode,
        cache_bytes: usize::try_from(keys.get::<ByteSize>("state_cache_size").0).unwrap_or(usize::MAX),
    }
}

fn production(keys: &Reader<'_>) -> Production {
    let (period, empty): (Duration, bool) = (keys.get("block_period"), keys.get("empty_blocks"));
    let beneficiary: Option<String> = keys.opt("beneficiary");
    Production {
        pace: if period.is_zero() {
            Pace::Instant
        } else {
            Pace::Every { period, empty }
        },
        beneficiary: beneficiary.and_then(|text| text.parse().ok()).unwrap_or_default(),
        gas_limit: keys.get("block_gas_limit"),
        ..Production::default()
    }
}

fn pool(keys: &Reader<'_>) -> pool::Settings {
    let of_one = keys.get::<u32>("transactions_per_sender") as usize;
    pool::Settings {
        slots_max: keys.get::<u32>("transaction_pool_size") as usize,
        sender_slots_max: of_one,
        sender_queued_slots_max: of_one,
        tip_min: u128::from(keys.get::<u64>("min_tip")),
        ..pool::Settings::default()
    }
}

fn rpc(keys: &Reader<'_>) -> RpcLimits {
    let rate: u32 = keys.opt("requests_per_second").unwrap_or(0);
    RpcLimits {
        connections: keys.get("connections_max"),
        request_octets: octets(keys, "request_max"),
        response_octets: octets(keys, "response_max"),
        batch: keys.get("batch_max"),
        rate,
        burst: rate.max(RpcLimits::default().burst),
        deadline: keys.get("query_timeout"),
        gas_cap: keys.get("call_gas_max"),
        log_blocks: keys.get("log_blocks_max"),
        ..RpcLimits::default()
    }
}

fn cors(keys: &Reader<'_>) -> Cors {
    let origins: Vec<String> = keys.opt("cors_origins").unwrap_or_default();
    if origins.is_empty() {
        Cors::Closed
    } else if origins.iter().any(|origin| origin == "*") {
        Cors::Any
    } else {
        Cors::Origins(origins)
    }
}

/// A size; one beyond its bounds was reported.
fn octets(keys: &Reader<'_>, name: &str) -> u32 {
    let ByteSize(size) = keys.get(name);
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_config::Input;

    /// A chain that is served, with these keys; or what is wrong with them.
    pub(super) fn with_keys(keys: &str) -> Result<ChainSettings, String> {
        let (settings, told) = check(&format!("[chain]\nenabled = true\n{keys}"));
        settings.ok_or(told)
    }

    fn check(text: &str) -> (Option<ChainSettings>, String) {
        let mut faults = Faults::new();
        let document = Document::parse([Input::file("a.toml", text)], &mut faults);
        let settings = read(&document, &mut faults);
        (settings, faults.to_text(&document, false))
    }

    fn good(text: &str) -> ChainSettings {
        let (settings, told) = check(text);
        settings.unwrap_or_else(|| panic!("{told}"))
    }

    #[test]
    fn the_demo_is_a_development_chain_on_loopback() {
        let demo = good(demo());
        assert!(demo.enabled);
        assert_eq!(demo.origin, Origin::Development { chain_id: 31_337 });
        assert_eq!(demo.service.production.pace, Pace::Instant);
        assert_eq!(demo.service.cors, Cors::Any);
        let listeners = [demo.service.http, demo.service.ws];
        assert!(
            listeners
                .iter()
                .flatten()
                .all(|address| address.ip().is_loopback())
        );
        assert!(demo.service.pool.unprotected_allowed);
    }

    #[test]
    fn nothing_is_served_that_is_not_said() {
        let nothing = good("");
        assert!(!nothing.enabled);
        assert_eq!((nothing.service.http, nothing.service.ws), (None, None));
        assert_eq!(nothing.service.cors, Cors::Closed);
    }

    #[test]
    fn every_key_reaches_what_it_is_about() {
        let own = good(
            "[chain]\nenabled = true\ngenesis = \"/etc/g.json\"\npruning_mode = \"archive\"\nblock_period = \"5s\"\n\
             empty_blocks = true\nblock_gas_limit = 8000000\ntransaction_pool_size = 100\nrequests_per_second = 7\n\
             query_timeout = \"2s\"\nstorage_max = \"500Gi\"\ncors_origins = [\"https://a.example\"]\nstate_cache_size = \"2Mi\"\n",
        );
        assert_eq!(own.origin, Origin::Document("/etc/g.json".into()));
        assert_eq!((own.state.mode, own.state.cache_bytes), (Mode::Archive, 2 << 20));
        let period = Duration::from_secs(5);
        assert_eq!(own.service.production.pace, Pace::Every { period, empty: true });
        assert_eq!(own.service.production.gas_limit, 8_000_000);
        assert_eq!(own.service.pool.slots_max, 100);
        assert!(!own.service.pool.unprotected_allowed);
        assert_eq!(
            (own.service.rpc.rate, own.service.rpc.deadline),
            (7, Duration::from_secs(2))
        );
        assert_eq!(own.service.storage_max, Some(500 << 30));
        assert_eq!(own.service.cors, Cors::Origins(vec!["https://a.example".into()]));
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (text, words) in [
            (
                "genesis = \"g.json\"\nchain_id = 5",
                "the chain's id stands in its genesis document",
            ),
            ("request_max = \"9Gi\"", "9Gi is not from 1Ki to 1Gi"),
            ("state_cache_size = \"9000Ti\"", "chain.state_cache_size"),
            ("storage_max = \"1Mi\"", "1Mi is not from 16Mi to 1024Ti"),
            ("beneficiary = \"0x12\"", "chain.beneficiary"),
            (
                "pruning_mode = \"snap\"",
                "expected one of \"archive\", \"full\", \"fast\"",
            ),
            ("block_perid = \"1s\"", "did you mean `block_period`?"),
        ] {
            let (settings, told) = check(&format!("[chain]\n{text}\n"));
            assert!(settings.is_none() && told.contains(words), "{text}: {told}");
        }
    }
}
