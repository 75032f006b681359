//! Where a chain lies: a directory with its genesis document, its state and what waits in its pool.
//!
//! ```text
//!   DATA/chain/genesis.json   as it was given; a chain is never opened with another one
//!              chain.redb     blocks and state (docs/formats/chain.md)
//!              pool.journal   transactions that wait
//!              imported       empty: blocks came from a file (`purlin chain import`)
//!              steps/         proofs of changes of the validators, where the chain has some
//! ```

use super::accounts;
use super::trust::{Believed, Believer, Doubt};
use crate::exit::{Exit, Failure, chain as words};
use purlin_chain_evm::snapshot::{self, Manifest, SnapshotError};
use purlin_chain_evm::{Chain, StateSettings};
use purlin_chain_proto::ChainSpec;
use purlin_chain_server::section::Origin;
use purlin_chain_server::{forget_steps, keep_steps};
use serde_json::Value;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The directory of one chain.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

/// What a chain begins with.
pub(crate) struct Beginning {
    pub(crate) spec: ChainSpec,
    /// The document, as it is kept.
    text: String,
}

impl Beginning {
    /// Reads a genesis document.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|cause| {
            Failure::failed(
                format!("cannot read {}: {cause}", file.display()),
                "name a genesis document as geth reads it: --genesis FILE, or chain.genesis",
            )
        })?;
        let spec = ChainSpec::from_json(&text).map_err(|cause| {
            Failure::failed(
                format!("{}: {}", file.display(), words(&cause)),
                "correct the genesis document",
            )
        })?;
        Ok(Self { spec, text })
    }

    /// That of a development chain: accounts whose keys anybody knows. `timestamp` in seconds since 1970.
    fn development(chain_id: u64, timestamp: u64) -> Result<Self, Failure> {
        let spec = ChainSpec::development(chain_id, &accounts::funded(), timestamp);
        let text = serde_json::to_string_pretty(spec.genesis())
            .map_err(|cause| Failure::failed(cause.to_string(), "report it"))?;
        Ok(Self { spec, text })
    }
}

impl Home {
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("chain"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn genesis(&self) -> PathBuf {
        self.0.join("genesis.json")
    }

    /// The file of blocks and state.
    pub(crate) fn state(&self) -> PathBuf {
        self.0.join("chain.redb")
    }

    fn imported(&self) -> PathBuf {
        self.0.join("imported")
    }

    /// Whether blocks of the chain came from a file, and so may be those of others.
    pub(crate) fn came_from_a_file(&self) -> bool {
        self.imported().is_file()
    }

    /// Keeps in mind that blocks come from a file.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn comes_from_a_file(&self) -> Result<(), Failure> {
        fs::write(self.imported(), "")?;
        Ok(())
    }

    /// Whether there is a chain. Its document is written last.
    pub(crate) fn is_settled(&self) -> bool {
        self.genesis().is_file()
    }

    /// That there is a chain.
    ///
    /// # Errors
    /// [`Exit::NotFound`] when there is none.
    pub(crate) fn settled(&self) -> Result<(), Failure> {
        if !self.is_settled() {
            return Err(Failure::new(
                Exit::NotFound,
                format!("there is no chain in {}", self.0.display()),
                "purlin chain init --genesis FILE, or name the node's --data-dir",
            ));
        }
        Ok(())
    }

    /// The chain that is here.
    ///
    /// # Errors
    /// [`Exit::NotFound`] when there is none; when another process has it open.
    pub(crate) fn open(&self, settings: StateSettings) -> Result<Chain, Failure> {
        self.settled()?;
        let begun = Beginning::read(&self.genesis())?;
        Chain::open(&self.state(), begun.spec, settings).map_err(|cause| self.broken(&cause))
    }

    /// Makes a chain.
    ///
    /// # Errors
    /// [`Exit::Conflict`] when there is one already.
    pub(crate) fn settle(&self, begun: Beginning, settings: StateSettings) -> Result<Chain, Failure> {
        self.unsettled()?;
        crate::up::prepare_data_dir(&self.0)?;
        self.clear()?;
        let chain =
            Chain::create(Some(&self.state()), begun.spec, settings).map_err(|cause| self.broken(&cause))?;
        self.write_genesis(&begun.text)?;
        Ok(chain)
    }

    /// Makes a chain of a snapshot that is believed.
    ///
    /// # Errors
    /// [`Exit::Conflict`] when there is a chain already; a snapshot that is refused. Nothing of it is left behind.
    pub(crate) fn restore(
        &self,
        begun: Beginning,
        settings: StateSettings,
        input: &mut dyn Read,
        believer: &Believer,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Chain, Manifest, Believed), Failure> {
        self.unsettled()?;
        crate::up::prepare_data_dir(&self.0)?;
        self.clear()?;
        let made = self.take_over(begun, settings, input, believer, progress);
        if made.is_err() {
            // What stops this is not why it failed; the next try begins with it again.
            let _ = self.clear();
            let _ = fs::remove_dir(&self.0);
        }
        made
    }

    fn take_over(
        &self,
        begun: Beginning,
        settings: StateSettings,
        input: &mut dyn Read,
        believer: &Believer,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Chain, Manifest, Believed), Failure> {
        let (mut believed, mut doubt) = (None, None);
        let mut accept = |manifest: &Manifest| match believer.judge(manifest) {
            Ok(good) => {
                believed = Some(good);
                Ok(())
            }
            Err(why) => {
                let what = why.what.clone();
                doubt = Some(why);
                Err(what)
            }
        };
        let restored = snapshot::restore(&self.state(), &begun.spec, settings, input, &mut accept, progress);
        let manifest = restored.map_err(|cause| match (doubt.take(), &cause) {
            (Some(Doubt { what, fix }), _) => Failure::failed(what, fix),
            (None, SnapshotError::OtherGenesis { .. }) => {
                Failure::failed(words(&cause), "give the genesis document of the snapshot's chain")
            }
            (None, _) => Failure::failed(words(&cause), "take another snapshot; see the disk, too"),
        })?;
        let believed: Believed = believed.unwrap_or_default();
        let steps = believed.steps.iter().map(serde_json::to_value);
        let steps: Vec<Value> = steps.collect::<Result<_, _>>().map_err(io::Error::other)?;
        keep_steps(&self.0, &steps)?;
        let chain = Chain::open(&self.state(), begun.spec, settings).map_err(|cause| self.broken(&cause))?;
        self.write_genesis(&begun.text)?;
        Ok((chain, manifest, believed))
    }

    /// Removes what an attempt has left that did not come to its end.
    fn clear(&self) -> Result<(), Failure> {
        forget_steps(&self.0)?;
        for file in [self.state(), self.imported()] {
            match fs::remove_file(file) {
                Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The document is written last: with it, there is a chain.
    fn write_genesis(&self, text: &str) -> Result<(), Failure> {
        let fresh = self.genesis().with_extension("json.new");
        fs::write(&fresh, text)?;
        fs::rename(&fresh, self.genesis())?;
        Ok(())
    }

    fn unsettled(&self) -> Result<(), Failure> {
        if self.is_settled() {
            return Err(Failure::new(
                Exit::Conflict,
                format!("there is a chain in {} already", self.0.display()),
                "name another --data-dir; a chain is never overwritten",
            ));
        }
        Ok(())
    }

    /// The chain that a node is to have: the one that is here, or a new one.
    ///
    /// # Errors
    /// [`Exit::Conflict`] when the one that is here began otherwise.
    pub(crate) fn found(&self, origin: &Origin, settings: StateSettings, now: u64) -> Result<Chain, Failure> {
        if !self.is_settled() {
            let begun = match origin {
                Origin::Document(file) => Beginning::read(file)?,
                Origin::Development { chain_id } => Beginning::development(*chain_id, now)?,
            };
            return self.settle(begun, settings);
        }
        let here = Beginning::read(&self.genesis())?;
        let agrees = match origin {
            Origin::Document(file) => Beginning::read(file)?.spec.genesis() == here.spec.genesis(),
            Origin::Development { chain_id } => here.spec.chain_id() == *chain_id,
        };
        if !agrees {
            return Err(Failure::new(
                Exit::Conflict,
                format!(
                    "the chain in {} began with another genesis document",
                    self.0.display()
                ),
                "use its own (genesis.json beside it), or another data directory",
            ));
        }
        self.open(settings)
    }

    fn broken(&self, cause: &dyn std::error::Error) -> Failure {
        Failure::failed(
            format!("the chain in {}: {}", self.0.display(), words(cause)),
            "see the disk, and whether another process has the chain open",
        )
    }
}
