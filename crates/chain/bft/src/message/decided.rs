//! RLP of decided blocks: `[[block, certificate], ...]`.

use alloy_rlp::{BufMut, Decodable, Encodable, Header, RlpDecodable};
use purlin_chain_core::consensus::{Certificate, Decided};
use purlin_chain_proto::Block;

/// Blocks that are written without being copied.
pub(super) struct Batch<'a>(pub(super) &'a [Decided]);

/// Blocks that were read.
pub(super) struct Read(pub(super) Vec<Decided>);

#[derive(RlpDecodable)]
struct Item {
    block: Block,
    certificate: Certificate,
}

fn payload(decided: &Decided) -> Header {
    Header {
        list: true,
        payload_length: decided.block.length() + Encodable::length(&decided.certificate),
    }
}

/// Octets of one decided block in a batch.
pub(crate) fn length(decided: &Decided) -> usize {
    let header = payload(decided);
    header.length() + header.payload_length
}

impl Batch<'_> {
    fn header(&self) -> Header {
        Header {
            list: true,
            payload_length: self.0.iter().map(length).sum(),
        }
    }
}

impl Encodable for Batch<'_> {
    fn encode(&self, out: &mut dyn BufMut) {
        self.header().encode(out);
        for decided in self.0 {
            payload(decided).encode(out);
            decided.block.encode(out);
            Encodable::encode(&decided.certificate, out);
        }
    }

    fn length(&self) -> usize {
        let header = self.header();
        header.length() + header.payload_length
    }
}

impl Decodable for Read {
    fn decode(rest: &mut &[u8]) -> Result<Self, alloy_rlp::Error> {
        let items = Vec::<Item>::decode(rest)?;
        let decided = items
            .into_iter()
            .map(|Item { block, certificate }| Decided { block, certificate });
        Ok(Self(decided.collect()))
    }
}
