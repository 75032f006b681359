//! A key for unit tests.

use crate::Identity;
use alloy_consensus::crypto::secp256k1::{recover_signer, sign_message};
use alloy_primitives::{Address, B256, Signature};

pub(crate) struct Key(B256);

impl Key {
    pub(crate) fn new(number: u8) -> Self {
        Self(B256::repeat_byte(number))
    }

    fn signature(&self, digest: B256) -> Signature {
        sign_message(self.0, digest).unwrap()
    }
}

impl Identity for Key {
    fn address(&self) -> Address {
        let digest = B256::repeat_byte(1);
        recover_signer(&self.signature(digest), digest).unwrap()
    }

    fn sign(&self, digest: B256) -> [u8; 65] {
        self.signature(digest).as_rsy()
    }
}
