//! Accounts: private keys with their addresses, and what they sign.

use alloy_consensus::crypto::secp256k1::{recover_signer, sign_message};
use alloy_consensus::transaction::RlpEcdsaEncodableTx;
use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_primitives::{Address, B256, Signature, b256, keccak256};
use std::fmt;
use std::str::FromStr;

/// The first ten accounts of the mnemonic "test test test test test test test test test test test junk" on the path
/// m/44'/60'/0'/0 (BIP-44). Every chain for developers funds them, and anybody knows their keys.
const DEVELOPMENT: [B256; 10] = [
    b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    b256!("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    b256!("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    b256!("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    b256!("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    b256!("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
];

/// A private key and the account that it owns.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    secret: B256,
    address: Address,
}

/// A text or number is no private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a private key is 64 hexadecimal digits, not zero and below the order of secp256k1")]
pub struct KeyError;

impl Key {
    /// The account of a private key.
    ///
    /// # Errors
    /// Zero and numbers from the curve's order on are no keys.
    pub fn new(secret: B256) -> Result<Self, KeyError> {
        // The address falls out of a signature: whoever signed owns it.
        let signature = sign_message(secret, secret_digest()).map_err(|_| KeyError)?;
        let address = recover_signer(&signature, secret_digest()).map_err(|_| KeyError)?;
        Ok(Self { secret, address })
    }

    /// A new one, from the operating system's randomness.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn random() -> Result<Self, getrandom::Error> {
        loop {
            let mut octets = [0; 32];
            getrandom::fill(&mut octets)?;
            // All numbers but one in 2^127 are keys.
            if let Ok(key) = Self::new(octets.into()) {
                return Ok(key);
            }
        }
    }

    /// Account `index` of a seed: the same seed always makes the same accounts.
    ///
    /// # Panics
    /// Never: a digest that is no key is as rare as two equal ones.
    #[must_use]
    pub fn derived(seed: u64, index: u32) -> Self {
        let mut text = b"purlin bench chain".to_vec();
        text.extend(seed.to_be_bytes());
        text.extend(index.to_be_bytes());
        Self::new(keccak256(text)).expect("a digest is a key but for one in 2^127")
    }

    /// The ten accounts that chains for developers fund.
    pub fn of_development() -> impl Iterator<Item = Self> {
        (0..).map_while(Self::development)
    }

    /// One of the ten accounts that chains for developers fund; `None` from index 10 on.
    #[must_use]
    pub fn development(index: usize) -> Option<Self> {
        DEVELOPMENT.get(index).and_then(|secret| Self::new(*secret).ok())
    }

    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The private key itself, for whoever shows the keys of a development chain.
    #[must_use]
    pub fn secret(&self) -> B256 {
        self.secret
    }

    /// Signs a digest; s is in the lower half of the order (EIP-2).
    ///
    /// # Panics
    /// Never: the key was checked when it was made.
    #[must_use]
    pub fn sign(&self, digest: B256) -> Signature {
        sign_message(self.secret, digest).expect("checked by new")
    }

    /// Appends the signed transaction of type 0 (EIP-155) as it goes over the wire; returns its hash.
    pub fn sign_legacy(&self, transaction: &TxLegacy, out: &mut Vec<u8>) -> B256 {
        let signature = self.sign(transaction.signature_hash());
        append(out, |out| transaction.eip2718_encode(&signature, out))
    }

    /// Appends the signed transaction of type 2 (EIP-1559) as it goes over the wire; returns its hash.
    pub fn sign_dynamic(&self, transaction: &TxEip1559, out: &mut Vec<u8>) -> B256 {
        let signature = self.sign(transaction.signature_hash());
        append(out, |out| transaction.eip2718_encode(&signature, out))
    }
}

fn secret_digest() -> B256 {
    B256::repeat_byte(1)
}

fn append(out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) -> B256 {
    let start = out.len();
    encode(out);
    keccak256(&out[start..])
}

impl FromStr for Key {
    type Err = KeyError;

    /// With or without `0x`.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text.trim().parse().map_err(|_| KeyError)?)
    }
}

/// Shows the account and never the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.address).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::transaction::SignerRecoverable;
    use alloy_consensus::{EthereumTxEnvelope, Transaction, TxEip4844};
    use alloy_eips::Decodable2718;
    use alloy_primitives::{Bytes, TxKind, U256, address, hex};

    fn recovered(raw: &[u8]) -> (EthereumTxEnvelope<TxEip4844>, Address) {
        let envelope = EthereumTxEnvelope::decode_2718_exact(raw).unwrap();
        let signer = envelope.recover_signer().unwrap();
        (envelope, signer)
    }

    #[test]
    fn no_two_new_keys_are_equal() {
        assert_ne!(Key::random().unwrap(), Key::random().unwrap());
    }

    #[test]
    fn the_example_of_eip_155_is_signed_to_the_octet() {
        let key = Key::new(B256::repeat_byte(0x46)).unwrap();
        let transaction = TxLegacy {
            chain_id: Some(1),
            nonce: 9,
            gas_price: 20_000_000_000,
            gas_limit: 21_000,
            to: TxKind::Call(address!("3535353535353535353535353535353535353535")),
            value: U256::from(1_000_000_000_000_000_000_u64),
            input: Bytes::new(),
        };
        let mut raw = Vec::new();
        let hash = key.sign_legacy(&transaction, &mut raw);
        let expected = hex!(
            "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc\
             2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb196\
             6a3b6d83"
        );
        assert_eq!(hex::encode(&raw), hex::encode(expected));
        assert_eq!(hash, keccak256(expected));
        assert_eq!(
            key.address(),
            address!("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f")
        );
    }

    #[test]
    fn a_transaction_of_type_2_is_read_back_with_its_signer() {
        let key = Key::development(0).unwrap();
        let transaction = TxEip1559 {
            chain_id: 31_337,
            nonce: 7,
            gas_limit: 21_000,
            max_fee_per_gas: 2_000_000_000,
            max_priority_fee_per_gas: 1,
            to: TxKind::Call(Address::repeat_byte(2)),
            value: U256::from(5),
            ..TxEip1559::default()
        };
        let mut raw = vec![0xff];
        let hash = key.sign_dynamic(&transaction, &mut raw);
        let (envelope, signer) = recovered(&raw[1..]);
        assert_eq!((raw[1], envelope.nonce(), signer), (2, 7, key.address()));
        assert_eq!(*envelope.tx_hash(), hash);
    }

    #[test]
    fn the_development_accounts_are_those_of_every_tool() {
        let first = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        let last = address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720");
        assert_eq!(Key::development(0).unwrap().address(), first);
        assert_eq!(Key::development(9).unwrap().address(), last);
        assert_eq!(Key::development(10), None);
    }

    #[test]
    fn a_seed_always_makes_the_same_accounts() {
        assert_eq!(Key::derived(1, 5), Key::derived(1, 5));
        assert_ne!(Key::derived(1, 5), Key::derived(1, 6));
        assert_ne!(Key::derived(1, 5), Key::derived(2, 5));
    }

    #[test]
    fn what_is_no_key_is_refused_and_no_secret_is_shown() {
        for bad in ["", "0x12", "zz", &"0".repeat(64), &"f".repeat(64)] {
            assert_eq!(bad.parse::<Key>(), Err(KeyError), "{bad}");
        }
        let text = format!("{:?}", Key::development(0).unwrap());
        assert!(text.contains("0xf39F") || text.contains("0xf39f"), "{text}");
        assert!(!text.contains("ac0974"), "{text}");
    }
}
