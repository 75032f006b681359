//! Who signed a transaction, with the key: whoever has the key need not recover it again (see `claims.rs`).

use alloy_primitives::{Address, Signature};
use purlin_chain_proto::{Recovered, Transaction};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};

/// Both coordinates of a point, 32 octets each.
pub type PublicKey = [u8; 64];

/// A transaction whose signer was recovered here.
#[derive(Debug, Clone)]
pub struct Signed {
    pub transaction: Recovered,
    pub key: PublicKey,
}

/// Recovers the signer under the rules since Homestead; `None`: nobody can have signed this (or s is in the upper half, EIP-2).
pub fn recover(transaction: Transaction) -> Option<Signed> {
    let signature = transaction.signature();
    if !has_low_s(signature) {
        return None;
    }
    let mut octets = [0; 64];
    octets[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    octets[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let parity = RecoveryId::try_from(i32::from(signature.v())).ok()?;
    let signature = RecoverableSignature::from_compact(&octets, parity).ok()?;
    let digest = Message::from_digest(transaction.signature_hash().0);
    let point = SECP256K1.recover_ecdsa(&digest, &signature).ok()?;
    let [_, key @ ..] = point.serialize_uncompressed();
    let sender = Address::from_raw_public_key(&key);
    Some(Signed {
        transaction: Recovered::new_unchecked(transaction, sender),
        key,
    })
}

/// Of s and its negative, one is in the lower half of the order.
pub fn has_low_s(signature: &Signature) -> bool {
    signature.normalize_s().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::{SignableTransaction as _, TxLegacy};
    use alloy_primitives::{U256, uint};
    use k256::ecdsa::SigningKey;
    use purlin_chain_proto::SignerRecoverable as _;

    const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

    fn signed(by: u8) -> (TxLegacy, Signature) {
        let transaction = TxLegacy {
            chain_id: Some(1),
            nonce: by.into(),
            ..TxLegacy::default()
        };
        let key = SigningKey::from_slice(&[by; 32]).expect("a key");
        let digest = transaction.signature_hash();
        let signature = key.sign_prehash_recoverable(digest.as_slice()).expect("signs");
        (transaction, Signature::from(signature))
    }

    #[test]
    fn the_signer_is_whom_the_library_of_the_chain_finds() {
        for by in 1..=20 {
            let (transaction, signature) = signed(by);
            let transaction = Transaction::from(transaction.into_signed(signature));
            let wanted = transaction.recover_signer().expect("a signer");
            let found = recover(transaction).expect("a signer");
            assert_eq!(found.transaction.signer(), wanted);
            assert_eq!(Address::from_raw_public_key(&found.key), wanted);
        }
    }

    #[test]
    fn signatures_that_no_account_makes_have_no_signer() {
        let (transaction, right) = signed(1);
        let check = |wrong: Signature| {
            let transaction = Transaction::from(transaction.clone().into_signed(wrong));
            assert!(transaction.recover_signer().is_err());
            assert!(recover(transaction).is_none());
        };
        check(Signature::new(right.r(), ORDER - right.s(), !right.v()));
        check(Signature::new(U256::ZERO, right.s(), false));
        check(Signature::new(right.r(), U256::ZERO, false));
        check(Signature::new(ORDER, right.s(), false));
    }
}
