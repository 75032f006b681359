//! How nodes show who they are.
//!
//! ```text
//!   u16 version | 32 genesis | u64 chain id | 20 address of the key | u64 number of this start
//!   | u16 port (0: none) | u8 role | u8 length of the name | name | (later fields) | 65 signature (r, s, parity of y)
//! ```
//!
//! Signed is `keccak256("purlin/peer/1" ‖ side ‖ exporter ‖ all before the signature)`. The exporter (RFC 8446, section
//! 7.5; label `EXPORTER-purlin-chain-peer`, context: the genesis hash) is known to the two ends of one TLS session only.
//! So a hello is worth nothing elsewhere: whoever stands in the middle has two sessions with two exporters. The side,
//! 0 for who dialled and 1 for the other, keeps him from handing a node its own hello.

use crate::{Direction, Identity, Network};
use alloy_consensus::crypto::secp256k1::recover_signer;
use alloy_primitives::{Address, B256, Keccak256, Signature};
use bytes::Bytes;

/// The version of what nodes say to each other here.
const VERSION: u16 = 1;
const DOMAIN: &[u8] = b"purlin/peer/1";
const SIGNATURE: usize = 65;

/// What a node says of itself, when it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) id: Address,
    /// Another number, another start of the node.
    pub(crate) instance: u64,
    pub(crate) port: Option<u16>,
    pub(crate) role: u8,
    pub(crate) name: String,
}

/// What one TLS session has that no other has, and the side that says hello in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    pub(crate) exporter: B256,
    /// Of the connection, as who says hello sees it.
    pub(crate) direction: Direction,
}

impl Session {
    /// The session as the other side sees it.
    pub(crate) fn other(self) -> Self {
        let direction = match self.direction {
            Direction::Inbound => Direction::Outbound,
            Direction::Outbound => Direction::Inbound,
        };
        Self { direction, ..self }
    }

    fn digest(self, body: &[u8]) -> B256 {
        let mut hash = Keccak256::new();
        hash.update(DOMAIN);
        hash.update([u8::from(self.direction == Direction::Inbound)]);
        hash.update(self.exporter);
        hash.update(body);
        hash.finalize()
    }
}

impl Hello {
    /// The signed octets of this hello, for one session.
    pub(crate) fn sign(&self, network: Network, session: Session, identity: &dyn Identity) -> Bytes {
        let mut octets = Vec::with_capacity(256);
        octets.extend(VERSION.to_be_bytes());
        octets.extend(network.genesis);
        octets.extend(network.chain_id.to_be_bytes());
        octets.extend(self.id);
        octets.extend(self.instance.to_be_bytes());
        octets.extend(self.port.unwrap_or(0).to_be_bytes());
        octets.push(self.role);
        octets.push(u8::try_from(self.name.len()).expect("checked at the start"));
        octets.extend(self.name.bytes());
        let signature = identity.sign(session.digest(&octets));
        octets.extend(signature);
        octets.into()
    }

    /// Reads and judges a hello that was said in `session`.
    ///
    /// # Errors
    /// Why this one is no peer, in words that both sides understand.
    pub(crate) fn verify(octets: &[u8], network: Network, session: Session) -> Result<Self, String> {
        let cut = octets.len().checked_sub(SIGNATURE).ok_or(SHORT)?;
        let (body, signature) = octets.split_at(cut);
        let mut fields = Fields(body);
        let version = u16::from_be_bytes(fields.take()?);
        if version != VERSION {
            return Err(format!(
                "different versions of the protocol: {VERSION} and {version}"
            ));
        }
        let genesis = B256::from(fields.take::<32>()?);
        if genesis != network.genesis {
            let ours = network.genesis;
            return Err(format!("different chains: genesis {ours} and {genesis}"));
        }
        let chain_id = u64::from_be_bytes(fields.take()?);
        if chain_id != network.chain_id {
            let ours = network.chain_id;
            return Err(format!("different chain ids: {ours} and {chain_id}"));
        }
        let hello = fields.rest()?;
        if signer(signature, session.digest(body)) != Some(hello.id) {
            return Err("the hello is not signed by the node that it names, for this session".to_owned());
        }
        Ok(hello)
    }
}

/// Parities other than 0 and 1 are refused: each signature has one form.
fn signer(octets: &[u8], digest: B256) -> Option<Address> {
    let (numbers, parity) = octets.split_at_checked(64)?;
    let parity = match parity {
        [0] => false,
        [1] => true,
        _ => return None,
    };
    recover_signer(&Signature::from_bytes_and_parity(numbers, parity), digest).ok()
}

const SHORT: &str = "the hello is too short";

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (field, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*field)
    }

    fn rest(&mut self) -> Result<Hello, &'static str> {
        let id = Address::from(self.take::<20>()?);
        let instance = u64::from_be_bytes(self.take()?);
        let port = u16::from_be_bytes(self.take()?);
        let [role, length] = self.take()?;
        let name = self.0.get(..usize::from(length)).ok_or(SHORT)?;
        Ok(Hello {
            id,
            instance,
            port: (port != 0).then_some(port),
            role,
            name: crate::frame::tidy(name, crate::settings::NAME_MAX),
        })
    }
}

#[cfg(test)]
mod tests;
