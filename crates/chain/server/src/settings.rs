//! What the service can be told, with the limits that keep a stranger from growing anything without end.

use purlin_chain_proto::Address;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Everything that [`crate::start`] needs besides the chain itself.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where JSON-RPC over HTTP is served; none: not at all. Port 0 takes a free one.
    pub http: Option<SocketAddr>,
    /// Where JSON-RPC over WebSocket is served.
    pub ws: Option<SocketAddr>,
    /// The directory of the pool's journal; none: what waits is forgotten at the end of the process.
    pub data_dir: Option<PathBuf>,
    /// Octets of the disk that this directory may take; none: as many as there are.
    pub storage_max: Option<u64>,
    pub production: Production,
    pub pool: purlin_chain_core::pool::Settings,
    pub rpc: RpcLimits,
    pub cors: Cors,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            http: Some(SocketAddr::from(([127, 0, 0, 1], 8545))),
            ws: Some(SocketAddr::from(([127, 0, 0, 1], 8546))),
            data_dir: None,
            storage_max: None,
            production: Production::default(),
            pool: purlin_chain_core::pool::Settings::default(),
            rpc: RpcLimits::default(),
            cors: Cors::Any,
        }
    }
}

/// When blocks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Never: the chain only grows by import.
    Off,
    /// As soon as there are transactions.
    Instant,
    /// Every so often; `empty`: also when nothing waits.
    Every { period: Duration, empty: bool },
}

/// How blocks are made.
#[derive(Debug, Clone)]
pub struct Production {
    pub pace: Pace,
    /// Who gets the tips.
    pub beneficiary: Address,
    /// Gas a block may use; the header moves towards it by at most 1/1024 a block where the rules say so.
    pub gas_limit: u64,
    /// At most 32 octets that the headers carry.
    pub extra_data: Vec<u8>,
    /// Transactions offered to one block at most.
    pub transactions_max: usize,
    /// Octets of encoded transactions in one block at most (EIP-7934 stops at 8 MiB for the whole block).
    pub octets_max: usize,
}

impl Default for Production {
    fn default() -> Self {
        Self {
            pace: Pace::Instant,
            beneficiary: Address::ZERO,
            gas_limit: 600_000_000,
            extra_data: Vec::new(),
            transactions_max: 20_000,
            octets_max: 7 << 20,
        }
    }
}

/// Limits of JSON-RPC.
#[derive(Debug, Clone)]
pub struct RpcLimits {
    /// Connections of one listener.
    pub connections: u32,
    /// Octets of a request's body or message.
    pub request_octets: u32,
    /// Octets of an answer, also of a whole batch's.
    pub response_octets: u32,
    /// Requests in one batch.
    pub batch: u32,
    /// Requests a second that one client address may send on average; zero: no limit. A batch counts each entry.
    pub rate: u32,
    /// How many may come at once after a rest.
    pub burst: u32,
    /// Proxies whose `X-Forwarded-For` names the client.
    pub trusted_proxies: Vec<IpAddr>,
    /// How long a query may take.
    pub deadline: Duration,
    /// Gas that a call or a simulation may use.
    pub gas_cap: u64,
    /// Queries that execute at one time; others wait within their deadline.
    pub executing: usize,
    /// Queries that read at one time.
    pub reading: usize,
    /// Blocks that one log query may span.
    pub log_blocks: u64,
    /// Logs that one query may return.
    pub logs: usize,
    /// Filters that may be installed.
    pub filters: usize,
    /// How long a filter lives that nobody asks.
    pub filter_lapse: Duration,
    /// Items that a filter keeps until it is asked.
    pub filter_items: usize,
    /// Subscriptions of one WebSocket.
    pub subscriptions: u32,
    /// Messages that wait for a slow WebSocket before its subscriptions are closed.
    pub backlog: u32,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            connections: 1_000,
            request_octets: 10 << 20,
            response_octets: 32 << 20,
            batch: 1_000,
            rate: 0,
            burst: 1_000,
            trusted_proxies: Vec::new(),
            deadline: Duration::from_secs(10),
            gas_cap: 50_000_000,
            executing: 4,
            reading: 64,
            log_blocks: 100_000,
            logs: 20_000,
            filters: 4_096,
            filter_lapse: Duration::from_mins(5),
            filter_items: 20_000,
            subscriptions: 128,
            backlog: 1_024,
        }
    }
}

/// Which web pages may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// None: no header is sent.
    Closed,
    /// Every page: what a development chain and a public node want.
    Any,
    /// Pages of these origins, as browsers write them: `https://app.example.org`.
    Origins(Vec<String>),
}
