//! Who signed a transaction.
//!
//! ```text
//!   from a client   transaction ──recover──> the signer's address, and its public key
//!   from a peer     transaction and key ──> Claim ─┐
//!                                   hundreds more ─┴─claims::are_right──> yes, for a fraction of the price; or: ask one by one
//! ```
//!
//! Pure: octets and points. What this must not know: what is signed, where it came from, what is done with it.

pub mod claims;
mod curve;
mod signer;
mod sum;

pub use signer::{PublicKey, Signed, has_low_s, recover};
