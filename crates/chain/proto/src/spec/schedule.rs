//! The forks of one chain in order, each with the block or the time where it begins.

use super::Activation;
use crate::{Fork, GenesisError, U256};
use alloy_genesis::ChainConfig;

/// The keys of a genesis document's `config` that place forks.
pub(crate) const FORK_KEYS: &[&str] = &[
    "homesteadBlock",
    "daoForkBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "muirGlacierBlock",
    "berlinBlock",
    "londonBlock",
    "arrowGlacierBlock",
    "grayGlacierBlock",
    "mergeNetsplitBlock",
    "shanghaiTime",
    "cancunTime",
    "pragueTime",
    "osakaTime",
    "bpo1Time",
    "bpo2Time",
    "bpo3Time",
    "bpo4Time",
    "bpo5Time",
];

#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// Ascending; Frontier is not in it, because it always holds.
    forks: Vec<(Fork, Activation)>,
}

/// One row of the document: the key, the fork it places, the value, and whether a chain may go without it.
struct Row {
    key: &'static str,
    fork: Fork,
    at: Option<u64>,
    optional: bool,
}

impl Schedule {
    pub(super) fn new(config: &ChainConfig) -> Result<Self, GenesisError> {
        refuse_what_is_not_here(config)?;
        let (blocks, times) = (by_block(config), by_time(config));
        check_order(&blocks)?;
        check_order(&times)?;
        let london = blocks
            .iter()
            .any(|row| row.fork == Fork::London && row.at.is_some());
        if let Some(row) = times.iter().find(|row| row.at.is_some() && !london) {
            return Err(GenesisError::Missing {
                path: "config.londonBlock".to_owned(),
                wanted: format!(
                    "the block of London, because config.{} needs the forks before it",
                    row.key
                ),
            });
        }
        let placed = |rows: Vec<Row>, place: fn(u64) -> Activation| {
            rows.into_iter()
                .filter_map(move |row| Some((row.fork, place(row.at?))))
        };
        let forks = placed(blocks, Activation::Block)
            .chain(placed(times, Activation::Time))
            .collect();
        Ok(Self { forks })
    }

    pub(super) fn fork_at(&self, number: u64, timestamp: u64) -> Fork {
        let reached = |at: &Activation| matches!(*at, Activation::Block(first) if first <= number);
        let london = self
            .forks
            .iter()
            .any(|(fork, at)| *fork == Fork::London && reached(at));
        let holds = |at: &Activation| match *at {
            Activation::Block(first) => first <= number,
            // A fork by time waits for London, as geth's rules do.
            Activation::Time(first) => london && first <= timestamp,
        };
        self.forks
            .iter()
            .rev()
            .find(|(_, at)| holds(at))
            .map_or(Fork::Frontier, |(fork, _)| *fork)
    }

    pub(super) fn forks(&self) -> impl Iterator<Item = (Fork, Activation)> + '_ {
        self.forks.iter().copied()
    }
}

fn by_block(config: &ChainConfig) -> Vec<Row> {
    let row = |key, fork, at| Row {
        key,
        fork,
        at,
        optional: false,
    };
    let glacier = |key, fork, at| Row {
        key,
        fork,
        at,
        optional: true,
    };
    let merged_at_genesis = config.terminal_total_difficulty == Some(U256::ZERO);
    let merge_key = if merged_at_genesis {
        "terminalTotalDifficulty"
    } else {
        "mergeNetsplitBlock"
    };
    let merge = if merged_at_genesis {
        Some(0)
    } else {
        config.merge_netsplit_block
    };
    vec![
        row("homesteadBlock", Fork::Homestead, config.homestead_block),
        glacier("daoForkBlock", Fork::Dao, config.dao_fork_block),
        row("eip150Block", Fork::Tangerine, config.eip150_block),
        row("eip158Block", Fork::SpuriousDragon, config.eip158_block),
        row("byzantiumBlock", Fork::Byzantium, config.byzantium_block),
        row(
            "constantinopleBlock",
            Fork::Constantinople,
            config.constantinople_block,
        ),
        // Chains that leave it out begin both together, as geth does.
        row(
            "petersburgBlock",
            Fork::Petersburg,
            config.petersburg_block.or(config.constantinople_block),
        ),
        row("istanbulBlock", Fork::Istanbul, config.istanbul_block),
        glacier("muirGlacierBlock", Fork::MuirGlacier, config.muir_glacier_block),
        row("berlinBlock", Fork::Berlin, config.berlin_block),
        row("londonBlock", Fork::London, config.london_block),
        glacier(
            "arrowGlacierBlock",
            Fork::ArrowGlacier,
            config.arrow_glacier_block,
        ),
        glacier("grayGlacierBlock", Fork::GrayGlacier, config.gray_glacier_block),
        glacier(merge_key, Fork::Paris, merge),
    ]
}

fn by_time(config: &ChainConfig) -> Vec<Row> {
    let row = |key, fork, at| Row {
        key,
        fork,
        at,
        optional: false,
    };
    let blobs_only = |key, fork, at| Row {
        key,
        fork,
        at,
        optional: true,
    };
    vec![
        row("shanghaiTime", Fork::Shanghai, config.shanghai_time),
        row("cancunTime", Fork::Cancun, config.cancun_time),
        row("pragueTime", Fork::Prague, config.prague_time),
        row("osakaTime", Fork::Osaka, config.osaka_time),
        blobs_only("bpo1Time", Fork::Bpo1, config.bpo1_time),
        blobs_only("bpo2Time", Fork::Bpo2, config.bpo2_time),
        blobs_only("bpo3Time", Fork::Bpo3, config.bpo3_time),
        blobs_only("bpo4Time", Fork::Bpo4, config.bpo4_time),
        blobs_only("bpo5Time", Fork::Bpo5, config.bpo5_time),
    ]
}

/// A fork begins with or after the one before it; one that is left out lets no later one begin, unless it is optional.
fn check_order(rows: &[Row]) -> Result<(), GenesisError> {
    let mut before: Option<&Row> = None;
    for row in rows {
        if let (Some(before), Some(late)) = (before, row.at)
            && before.at.is_none_or(|early| early > late)
        {
            return Err(GenesisError::Order {
                earlier: before.key,
                earlier_fork: before.fork,
                early: before
                    .at
                    .map_or_else(|| "not set".to_owned(), |at| at.to_string()),
                later: row.key,
                later_fork: row.fork,
                late,
            });
        }
        if row.at.is_some() || !row.optional {
            before = Some(row);
        }
    }
    Ok(())
}

fn refuse_what_is_not_here(config: &ChainConfig) -> Result<(), GenesisError> {
    let refuse = |path: &str, found: String, wanted: &str| {
        Err(GenesisError::Field {
            path: path.to_owned(),
            found,
            wanted: wanted.to_owned(),
        })
    };
    if let (true, Some(block)) = (config.dao_fork_support, config.dao_fork_block) {
        let wanted =
            "absent, or daoForkSupport false: the irregular state change of that fork is not made here";
        return refuse("config.daoForkBlock", block.to_string(), wanted);
    }
    let difficulty = config.terminal_total_difficulty;
    if config.clique.is_some() && difficulty != Some(U256::ZERO) {
        return refuse(
            "config.clique",
            "set".to_owned(),
            "absent, or terminalTotalDifficulty 0: this chain is no clique",
        );
    }
    if config.eip155_block.is_some() && config.eip155_block != config.eip158_block {
        let wanted = "the same block as eip158Block: Spurious Dragon brought both";
        return refuse(
            "config.eip155Block",
            format!("{:?}", config.eip155_block.unwrap_or(0)),
            wanted,
        );
    }
    let never = config.merge_netsplit_block.is_none() && config.shanghai_time.is_none();
    if let Some(difficulty) = difficulty.filter(|difficulty| !difficulty.is_zero() && never) {
        let wanted = "0, or accompanied by mergeNetsplitBlock: difficulties are not summed here";
        return refuse("config.terminalTotalDifficulty", difficulty.to_string(), wanted);
    }
    Ok(())
}
