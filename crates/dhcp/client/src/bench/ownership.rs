//! Who holds which address, over all threads: the judge of "no address is given twice".

use std::net::Ipv4Addr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

const PAGE: usize = 1 << 16;

/// One word per address, in pages of a /16 that appear when first touched (512 KiB each).
///
/// ```text
/// 63            32 31             0
/// +---------------+---------------+
/// | client + 1    | until         |   0: nobody; until in seconds of the Unix epoch
/// +---------------+---------------+
/// ```
#[derive(Debug)]
pub(crate) struct Ownership {
    pages: Vec<OnceLock<Box<[AtomicU64]>>>,
}

/// What a claim found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nobody held the address, or this client did.
    Free,
    /// Another client holds it and its lease has not ended.
    HeldBy(u32),
}

impl Ownership {
    pub(crate) fn new() -> Self {
        Self {
            pages: (0..PAGE).map(|_| OnceLock::new()).collect(),
        }
    }

    /// A client was told that it holds the address until then. The newest claim stands, whatever was found.
    pub(crate) fn claim(&self, address: u32, client: u32, now: u32, until: u32) -> Claim {
        let word = (u64::from(client) + 1) << 32 | u64::from(until);
        judge(self.cell(address).swap(word, Ordering::Relaxed), client, now)
    }

    /// Whether somebody else than `client` holds the address.
    pub(crate) fn look(&self, address: u32, client: u32, now: u32) -> Claim {
        judge(self.cell(address).load(Ordering::Relaxed), client, now)
    }

    /// The client gave the address up. Does nothing when another client has claimed it since.
    pub(crate) fn give_up(&self, address: u32, client: u32) {
        let cell = self.cell(address);
        let word = cell.load(Ordering::Relaxed);
        if word >> 32 == u64::from(client) + 1 {
            // A claim by another thread in between wins, as it should.
            let _ = cell.compare_exchange(word, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn cell(&self, address: u32) -> &AtomicU64 {
        let page = self.pages[(address >> 16) as usize].get_or_init(|| {
            (0..PAGE)
                .map(|_| AtomicU64::new(0))
                .collect::<Vec<_>>()
                .into_boxed_slice()
        });
        &page[(address & 0xffff) as usize]
    }
}

fn judge(word: u64, client: u32, now: u32) -> Claim {
    let (holder, until) = ((word >> 32) as u32, word as u32);
    if holder == 0 || holder == client + 1 || until <= now {
        Claim::Free
    } else {
        Claim::HeldBy(holder - 1)
    }
}

/// Something a server must never do, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    pub kind: ViolationKind,
    /// The client the answer went to.
    pub client: String,
    pub address: Ipv4Addr,
    /// The other client, the other address or the other server: what it clashes with.
    pub against: String,
}

/// The promises every answer is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKind {
    /// An ACK for an address whose earlier ACK to another client has not run out.
    AddressGivenTwice,
    /// An OFFER of such an address.
    LiveAddressOffered,
    /// A NAK to the client that holds the address.
    OwnerRefused,
    /// The ACK names another address than the OFFER or the lease.
    AddressChanged,
    /// The ACK comes from another server than the OFFER the client chose.
    ServerChanged,
    /// An OFFER or ACK without a lease time, or with 0, or without an address.
    NoLease,
    /// An answer with one client's transaction id and another's hardware address.
    WrongClient,
}

impl ViolationKind {
    pub const ALL: [Self; 7] = [
        Self::AddressGivenTwice,
        Self::LiveAddressOffered,
        Self::OwnerRefused,
        Self::AddressChanged,
        Self::ServerChanged,
        Self::NoLease,
        Self::WrongClient,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_client_is_told_who_holds_the_address_until_the_lease_ends() {
        let book = Ownership::new();
        assert_eq!(book.claim(0x0a01_0203, 4, 100, 160), Claim::Free);
        assert_eq!(book.claim(0x0a01_0203, 4, 110, 170), Claim::Free);
        assert_eq!(book.look(0x0a01_0203, 5, 169), Claim::HeldBy(4));
        assert_eq!(book.look(0x0a01_0203, 5, 170), Claim::Free);
        assert_eq!(book.claim(0x0a01_0203, 5, 120, 180), Claim::HeldBy(4));
        book.give_up(0x0a01_0203, 4);
        assert_eq!(book.look(0x0a01_0203, 4, 120), Claim::HeldBy(5));
        book.give_up(0x0a01_0203, 5);
        assert_eq!(book.look(0x0a01_0203, 4, 120), Claim::Free);
    }
}
