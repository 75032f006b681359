//! A node's chain that begins from a snapshot: in a file, or at another node.
//!
//! ```text
//!   chain.snapshot ─► file, or GET /api/v1/chain/snapshot ─► Home::restore, which asks Believer ─► DATA/chain
//! ```

use super::home::{Beginning, Home};
use super::trust::Believer;
use crate::client::{Ask, Client, Endpoint, Lines};
use crate::exit::{Exit, Failure};
use crate::log;
use hyper::body::{Buf, Bytes};
use purlin_chain_evm::{Chain, StateSettings};
use purlin_chain_server::section::{FromSnapshot, Origin, Place};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Handle;

/// How long another node may be silent before it is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Begins the chain of `home`, which has none.
///
/// # Errors
/// A snapshot that is not there or not believed; `home` is then as it was.
pub(super) async fn begin(
    from: &FromSnapshot,
    origin: &Origin,
    state: StateSettings,
    home: &Home,
) -> Result<Chain, Failure> {
    let Origin::Document(genesis) = origin else {
        return Err(Failure::failed(
            "a development chain begins from no snapshot",
            "name a genesis document in chain.genesis",
        ));
    };
    let begun = Beginning::read(genesis)?;
    let believer = Believer::of(&begun.spec, from.trust)?;
    let (mut input, name) = open(&from.place).await?;
    log::info(&format!("the chain begins from the snapshot of {name}"));
    let home = home.clone();
    let restored = tokio::task::spawn_blocking(move || {
        let mut told = Tenths::default();
        home.restore(begun, state, &mut *input, &believer, &mut |done, total| {
            told.see(done, total);
        })
    });
    let restored = restored.await;
    let restored = restored.map_err(|_| Failure::failed("restoring the snapshot panicked", "see the log"))?;
    let (chain, _, _) = restored.map_err(|mut failure| {
        failure.what = format!("chain.snapshot, {name}: {}", failure.what);
        failure
    })?;
    let head = chain.head();
    log::info(&format!(
        "the chain begins at block {}, {}",
        head.header.number, head.hash
    ));
    Ok(chain)
}

async fn open(place: &Place) -> Result<(Box<dyn Read + Send>, String), Failure> {
    match place {
        Place::File(path) => Ok((file(path)?, path.display().to_string())),
        Place::Node { url, token, ca } => {
            let wrong = |what: String, fix: &str| {
                Failure::new(Exit::Unreachable, format!("chain.snapshot: {what}"), fix)
            };
            let endpoint = Endpoint {
                url: url
                    .parse()
                    .map_err(|cause| wrong(cause, "write https://HOST:PORT"))?,
                token: token.clone(),
                ca: ca.clone(),
            };
            let ask = Ask::get("/api/v1/chain/snapshot").accept("application/octet-stream");
            let lines = Client::new(endpoint).stream(ask).await;
            let lines = lines.map_err(|cause| {
                let fix =
                    "see chain.snapshot, snapshot_token and snapshot_ca, or wait until that node answers";
                wrong(cause.what, fix)
            })?;
            Ok((Box::new(BufReader::new(Arriving::new(lines))), url.clone()))
        }
    }
}

fn file(path: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    let file = File::open(path).map_err(|cause| {
        Failure::failed(
            format!("chain.snapshot: cannot read {}: {cause}", path.display()),
            "name a file of purlin chain snapshot create",
        )
    })?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

/// What another node sends, for a thread that may block.
struct Arriving {
    lines: Lines,
    piece: Bytes,
    runtime: Handle,
}

impl Arriving {
    fn new(lines: Lines) -> Self {
        Self {
            lines,
            piece: Bytes::new(),
            runtime: Handle::current(),
        }
    }
}

impl Read for Arriving {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            // The timer is made within the runtime.
            let next = async { tokio::time::timeout(PATIENCE, self.lines.chunk()).await };
            match self.runtime.block_on(next) {
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(Err(failure)) => return Err(io::Error::other(failure.what)),
                Ok(Ok(None)) => return Ok(0),
                Ok(Ok(Some(piece))) => self.piece = piece,
            }
        }
        let count = out.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut out[..count]);
        Ok(count)
    }
}

/// Says in the log how far it is, ten times at most.
#[derive(Debug, Default)]
struct Tenths(u64);

impl Tenths {
    fn see(&mut self, done: u64, total: u64) {
        let tenth = done.saturating_mul(10).checked_div(total).unwrap_or(0);
        if tenth > self.0 {
            self.0 = tenth;
            log::info(&format!("the snapshot is read to {tenth}0 %"));
        }
    }
}
