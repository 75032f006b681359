//! One function for the laws, the corpus and the fuzz target.

use purlin_chain_bft::{MESSAGE_MAX, Message};

/// Takes the octets as what a peer sends: reading them neither panics nor loops, and what was read is written so that it is read
/// as the same.
pub(crate) fn ask_everything(octets: &[u8]) {
    let Ok(message) = Message::decode(octets) else {
        return;
    };
    let written = message.encode();
    assert!(
        written.len() <= MESSAGE_MAX,
        "{} octets of {}",
        written.len(),
        octets.len()
    );
    assert_eq!(Message::decode(&written).as_ref(), Ok(&message));
}
