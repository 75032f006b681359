//! How many blobs a block may hold, by time (EIP-7840, EIP-7892).

use crate::{BlobParams, Fork, GenesisError};
use alloy_eips::{eip7594::MAX_BLOBS_PER_TX_FUSAKA, eip7840::BLOB_BASE_COST};
use alloy_genesis::ChainConfig;

#[derive(Debug, Clone)]
pub(super) struct BlobSchedule {
    /// From which time on; ascending.
    steps: Vec<(u64, BlobParams)>,
}

impl BlobSchedule {
    pub(super) fn new(config: &ChainConfig) -> Result<Self, GenesisError> {
        let forks = [
            (Fork::Cancun, config.cancun_time, Some(BlobParams::cancun())),
            (Fork::Prague, config.prague_time, Some(BlobParams::prague())),
            (Fork::Osaka, config.osaka_time, Some(BlobParams::osaka())),
            (Fork::Bpo1, config.bpo1_time, None),
            (Fork::Bpo2, config.bpo2_time, None),
            (Fork::Bpo3, config.bpo3_time, None),
            (Fork::Bpo4, config.bpo4_time, None),
            (Fork::Bpo5, config.bpo5_time, None),
        ];
        let mut steps = Vec::new();
        for (fork, time, default) in forks {
            if let Some(time) = time {
                steps.push((time, params(config, fork, default)?));
            }
        }
        Ok(Self { steps })
    }

    pub(super) fn at(&self, timestamp: u64) -> Option<BlobParams> {
        self.steps
            .iter()
            .rev()
            .find(|(from, _)| *from <= timestamp)
            .map(|(_, params)| *params)
    }
}

/// The document's entry for this fork. Forks by blob parameters only have nothing but their entry, so it must be there.
fn params(config: &ChainConfig, fork: Fork, default: Option<BlobParams>) -> Result<BlobParams, GenesisError> {
    let path = format!("config.blobSchedule.{fork}");
    let Some(given) = config.blob_schedule.get(fork.name()).copied().or(default) else {
        let wanted =
            format!("{{\"target\", \"max\", \"baseFeeUpdateFraction\"}}, because config.{fork}Time is set");
        return Err(GenesisError::Missing { path, wanted });
    };
    let refuse = |field: &str, found: String, wanted: &str| {
        Err(GenesisError::Field {
            path: format!("{path}.{field}"),
            found,
            wanted: wanted.to_owned(),
        })
    };
    if given.max_blob_count == 0 || given.max_blob_count < given.target_blob_count {
        return refuse(
            "max",
            given.max_blob_count.to_string(),
            "above 0 and not below target",
        );
    }
    // A block with more than that many blobs of 128 KiB is none that a network carries.
    const BLOBS_MAX: u64 = 4_096;
    if given.max_blob_count > BLOBS_MAX {
        return refuse("max", given.max_blob_count.to_string(), "at most 4096");
    }
    if given.update_fraction < 100_000 || u64::try_from(given.update_fraction).is_err() {
        return refuse(
            "baseFeeUpdateFraction",
            given.update_fraction.to_string(),
            "at least 100000 (prague: 5007716)",
        );
    }
    // EIP-7594: six blobs a transaction from Osaka on. EIP-7918: a reserve price for blobs.
    Ok(if fork >= Fork::Osaka {
        given
            .with_max_blobs_per_tx(MAX_BLOBS_PER_TX_FUSAKA.min(given.max_blob_count))
            .with_blob_base_cost(BLOB_BASE_COST)
    } else {
        given.with_max_blobs_per_tx(given.max_blob_count)
    })
}
