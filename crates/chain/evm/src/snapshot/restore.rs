//! A stream becomes a chain's file.

use std::io::Read;
use std::path::Path;

use alloy_primitives::B256;
use purlin_chain_proto::{Block, Body, ChainSpec, Header, Receipt, roots, rules};

use super::frame::{FrameReader, Kind};
use super::record::{self, Fault, Totals};
use super::section::{Section, Trouble};
use super::{Manifest, Progress, SnapshotError};
use crate::chain::{genesis, recover};
use crate::store::{Fresh, FreshBlocks, StateSettings, Store, Stored, decode_receipts};
use crate::trie::{Child, crown, known};

/// Makes the chain's file at `path` out of a stream. The chain begins with the stream's head: that block is whole, of older ones
/// there are the newest headers and block 0, and everything else of them is answered as pruned.
///
/// `accept` is asked once, when the manifest has been read and before anything is written: whether the reader believes that
/// this head was decided, certificate and proof included. All the rest is checked against that head. As with
/// [`Store::create`], the file gets its name when all of it is on the disk; a crash leaves only the one with the
/// ending `.new`, which the next try removes.
///
/// Takes the memory of `settings`, and that of one section: some 20 MiB for those that [`write`](super::write) makes, at most some
/// 200. `input` should be buffered.
///
/// # Errors
/// A stream that is damaged, cut, of another genesis, or not accepted; something at `path` already; a disk that fails.
pub fn restore(
    path: &Path,
    spec: &ChainSpec,
    settings: StateSettings,
    input: &mut dyn Read,
    accept: &mut dyn FnMut(&Manifest) -> Result<(), String>,
    progress: Progress<'_>,
) -> Result<Manifest, SnapshotError> {
    if Store::is_there(path)? {
        return Err(SnapshotError::Exists {
            path: path.to_owned(),
        });
    }
    let mut begun = Begun::new(spec, input, accept)?;
    Store::fresh(path, settings, |fresh| begun.go_on(spec, fresh, progress))?;
    Ok(begun.manifest)
}

/// A stream of which the manifest is read and accepted.
pub(super) struct Begun<'i> {
    frames: FrameReader<'i>,
    manifest: Manifest,
    genesis: Header,
}

impl<'i> Begun<'i> {
    pub(super) fn new(
        spec: &ChainSpec,
        input: &'i mut dyn Read,
        accept: &mut dyn FnMut(&Manifest) -> Result<(), String>,
    ) -> Result<Self, SnapshotError> {
        let mut frames = FrameReader::begin(input)?;
        let manifest = Manifest::read(&mut frames)?;
        let genesis = genesis(spec);
        let (wanted, found) = (genesis.hash_slow(), manifest.genesis);
        if found != wanted {
            return Err(SnapshotError::OtherGenesis { wanted, found });
        }
        let decided = spec.consensus().is_some() && manifest.head().0.number > 0;
        if manifest.certificate.is_some() != decided {
            return Err(frames.wrong(if decided {
                "no certificate of the head: in this chain validators decide about every block"
            } else {
                "a certificate of the head, where the genesis document names no validators who could have given it"
            }));
        }
        accept(&manifest).map_err(SnapshotError::Refused)?;
        Ok(Self {
            frames,
            manifest,
            genesis,
        })
    }

    /// Reads and proves all the rest, and writes it.
    pub(super) fn go_on(
        &mut self,
        spec: &ChainSpec,
        fresh: &Fresh<'_>,
        progress: Progress<'_>,
    ) -> Result<(), SnapshotError> {
        let manifest = &self.manifest;
        let mut reading = Reading {
            frames: &mut self.frames,
            fresh,
            manifest,
            progress,
            read: Totals {
                accounts: 0,
                slots: 0,
            },
        };
        let (head, receipts) = reading.head(spec)?;
        reading.state()?;
        reading.end()?;
        let headers = manifest.headers.iter();
        let headers: Vec<(B256, Header)> = headers
            .map(|header| (header.hash_slow(), header.clone()))
            .collect();
        fresh.blocks(&FreshBlocks {
            genesis: &self.genesis,
            headers: &headers,
            head: &head,
            receipts: &receipts,
            certificate: manifest.certificate.as_ref(),
        })?;
        Ok(())
    }
}

/// The stream behind its manifest.
struct Reading<'a, 'i> {
    frames: &'a mut FrameReader<'i>,
    fresh: &'a Fresh<'a>,
    manifest: &'a Manifest,
    progress: Progress<'a>,
    read: Totals,
}

impl Reading<'_, '_> {
    /// The head's block, as its header proves it; the senders come out of the signatures.
    fn head(&mut self, spec: &ChainSpec) -> Result<(Stored, Vec<Receipt>), SnapshotError> {
        let (header, hash) = self.manifest.head();
        let octets = self.frames.expect(Kind::Body)?;
        let stored = body(spec, header, hash, &octets);
        let stored = stored.map_err(|fault| self.frames.wrong(format!("the head's body: {fault}")))?;
        let octets = self.frames.expect(Kind::Receipts)?;
        let receipts = receipts(&stored, &octets);
        let receipts =
            receipts.map_err(|fault| self.frames.wrong(format!("the head's receipts: {fault}")))?;
        Ok((stored, receipts))
    }

    /// All sections, and the top of the trie over them.
    fn state(&mut self) -> Result<(), SnapshotError> {
        let wanted = &self.manifest.subtrees;
        let mut subtrees = Vec::new();
        for (place, hash) in wanted.iter().enumerate() {
            match self.section(place, *hash)? {
                Some(leaf @ Child::Leaf(_)) => subtrees.push(leaf),
                Some(_) => subtrees.push(known(hash)),
                None => {}
            }
        }
        if subtrees.len() == wanted.len() {
            self.fresh.account_trie(&crown(subtrees).1)?;
        }
        Ok(())
    }

    fn section(&mut self, place: usize, wanted: B256) -> Result<Option<Child>, SnapshotError> {
        let mut section = Section::new(self.fresh, place, self.manifest.depth());
        loop {
            let (kind, octets) = self.frames.next()?;
            let done = match kind {
                Kind::Code => section.code(&octets),
                Kind::Accounts => decoded(&octets).and_then(|records: Vec<_>| {
                    let totals = section.accounts(&records)?;
                    self.read.accounts += totals.accounts;
                    self.read.slots += totals.slots;
                    Ok(())
                }),
                Kind::Slots => decoded(&octets).and_then(|slots: Vec<_>| {
                    self.read.slots += slots.len() as u64;
                    section.slots(&slots)
                }),
                Kind::Section => {
                    let subtree = decoded(&octets).and_then(|place| section.finish(place, wanted));
                    return subtree.map_err(|trouble| self.said(trouble));
                }
                other => Err(format!("here is {}, where a section must be", other.name()).into()),
            };
            done.map_err(|trouble| self.said(trouble))?;
            (self.progress)(self.read.accounts + self.read.slots, self.manifest.rows());
        }
    }

    fn end(&mut self) -> Result<(), SnapshotError> {
        let octets = self.frames.expect(Kind::End)?;
        let said: Totals = decoded(&octets).map_err(|trouble| self.said(trouble))?;
        let claimed = Totals {
            accounts: self.manifest.accounts,
            slots: self.manifest.slots,
        };
        if said != self.read || claimed != self.read {
            let Totals { accounts, slots } = self.read;
            return Err(self.frames.wrong(format!(
                "there were {accounts} accounts and {slots} slots, and not as many as it says"
            )));
        }
        self.frames.end()
    }

    fn said(&self, trouble: Trouble) -> SnapshotError {
        match trouble {
            Trouble::Fault(fault) => self.frames.wrong(fault),
            Trouble::Store(error) => error.into(),
        }
    }
}

fn decoded<T: alloy_rlp::Decodable>(octets: &[u8]) -> Result<T, Trouble> {
    Ok(record::decode(octets)?)
}

fn body(spec: &ChainSpec, header: &Header, hash: B256, octets: &[u8]) -> Result<Stored, Fault> {
    let body: Body = record::decode(octets)?;
    let block = Block::new(header.clone(), body);
    rules::check_body(spec, &block).map_err(|fault| fault.to_string())?;
    let fork = spec.fork_at(header.number, header.timestamp);
    let senders = recover(fork, &block.body.transactions, &|_| None)
        .map_err(|(index, why)| format!("transaction {index}: {why}"))?;
    Ok(Stored { block, hash, senders })
}

fn receipts(stored: &Stored, octets: &[u8]) -> Result<Vec<Receipt>, Fault> {
    let receipts = decode_receipts(octets).map_err(|_| Fault::from("no receipts"))?;
    let header = &stored.block.header;
    let found = roots::receipts(&receipts);
    if found != header.receipts_root || receipts.len() != stored.senders.len() {
        return Err(format!(
            "they give receiptsRoot {found}, the header says {}",
            header.receipts_root
        ));
    }
    Ok(receipts)
}
