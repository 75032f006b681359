//! Files of version 4.

use super::super::eip2335::{Document, check, normalised};
use super::*;
use std::collections::BTreeSet;

/// The test vectors of EIP-2335: "testpassword" in mathematical Fraktur letters, and a key as an emoji.
const FRAKTUR: &str = "\u{1d531}\u{1d522}\u{1d530}\u{1d531}\u{1d52d}\u{1d51e}\u{1d530}\u{1d530}\u{1d534}\u{1d52c}\u{1d52f}\u{1d521}\u{1f511}";
const HELD: B256 = b256!("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");

fn vector(kdf: &Value, checksum: &str, message: &str) -> Value {
    json!({
        "crypto": {
            "kdf": kdf,
            "checksum": { "function": "sha256", "params": {}, "message": checksum },
            "cipher": {
                "function": "aes-128-ctr",
                "params": { "iv": "264daa3f303d7259501c93d997d84fe6" },
                "message": message
            }
        },
        "description": "This is a test keystore.",
        "pubkey": "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07",
        "path": "m/12381/60/3141592653/589793238",
        "uuid": "1d85ae20-35c5-4611-98e8-aa14a633906f",
        "version": 4
    })
}

const SALT: &str = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";

fn vectors() -> [Value; 2] {
    [
        vector(
            &json!({
                "function": "scrypt",
                "params": { "dklen": 32, "n": 262_144, "p": 1, "r": 8, "salt": SALT },
                "message": ""
            }),
            "d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484",
            "06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f",
        ),
        vector(
            &json!({
                "function": "pbkdf2",
                "params": { "dklen": 32, "c": 262_144, "prf": "hmac-sha256", "salt": SALT },
                "message": ""
            }),
            "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1",
            "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad",
        ),
    ]
}

#[test]
fn the_vectors_of_eip_2335_give_their_secret() {
    for document in vectors() {
        let read = Document::read(&document.to_string()).unwrap();
        let password = normalised(FRAKTUR.as_bytes()).unwrap();
        let secret = read.sealed().unwrap().open(&password, check);
        assert_eq!(secret, Ok(HELD), "{document}");
    }
}

#[test]
fn a_password_is_normalised_as_eip_2335_says() {
    let octets = alloy_primitives::hex!("7465737470617373776f7264f09f9491");
    assert_eq!(normalised(FRAKTUR.as_bytes()).unwrap(), octets);
    // C0, Delete and C1 go; what is composed is taken apart.
    let typed = "a\u{0}b\nc\u{1f}d\u{7f}e\u{80}f\u{9f}g";
    assert_eq!(normalised(typed.as_bytes()).unwrap(), b"abcdefg");
    assert_eq!(normalised("ü".as_bytes()).unwrap(), "u\u{308}".as_bytes());
    assert!(matches!(normalised(&[0xff]), Err(KeystoreError::Form(_))));
}

#[test]
fn the_key_of_a_consensus_layer_validator_is_no_accounts() {
    let [document, _] = vectors();
    let Err(KeystoreError::Form(said)) = Keystore::read(&document.to_string()) else {
        panic!("it is taken for an account's");
    };
    assert!(said.contains("48 octets"), "{said}");
}

/// A file whose key is cheap to derive.
fn cheap() -> (Key, Value) {
    let key = Key::new(SECRET).unwrap();
    let kdf = Kdf::Scrypt { log_n: 4, r: 8, p: 1 };
    let sealed = Keystore::seal(&key, FRAKTUR.as_bytes(), kdf, Format::Eip2335).unwrap();
    (key, serde_json::from_str(&sealed.text()).unwrap())
}

fn opened(document: &Value) -> Result<Key, KeystoreError> {
    Keystore::read(&document.to_string())?.open("testpassword\u{1f511}".as_bytes())
}

#[test]
fn what_is_sealed_opens_with_its_password_however_it_is_typed_and_names_its_account() {
    let (key, document) = cheap();
    for pointer in ["/crypto/kdf", "/crypto/checksum", "/crypto/cipher"] {
        let module = document.pointer(pointer).unwrap().as_object().unwrap();
        let fields: BTreeSet<&str> = module.keys().map(String::as_str).collect();
        assert_eq!(fields, ["function", "message", "params"].into(), "{pointer}");
    }
    assert_eq!((&document["version"], &document["path"]), (&json!(4), &json!("")));
    assert_eq!(document["uuid"].as_str().map(str::len), Some(36));
    let read = Keystore::read(&document.to_string()).unwrap();
    assert_eq!(read.address(), Some(key.address()));
    assert_eq!(opened(&document), Ok(key));
    assert_eq!(read.open(b"testpassword"), Err(KeystoreError::Password));
    // What others write need not say whose it is.
    let mut silent = document;
    silent.as_object_mut().unwrap().remove("description");
    assert_eq!(Keystore::read(&silent.to_string()).unwrap().address(), None);
    assert!(opened(&silent).is_ok());
}

#[test]
fn what_was_changed_does_not_open_and_what_is_wrong_is_named() {
    for pointer in [
        "/crypto/cipher/message",
        "/crypto/checksum/message",
        "/crypto/kdf/params/salt",
    ] {
        let (_, mut document) = cheap();
        let text = document.pointer(pointer).unwrap().as_str().unwrap();
        let first = if text.starts_with('0') { "1" } else { "0" };
        let other = format!("{first}{}", &text[1..]);
        *document.pointer_mut(pointer).unwrap() = other.into();
        assert_eq!(opened(&document), Err(KeystoreError::Password), "{pointer}");
    }
    for (pointer, value, words) in [
        ("/crypto/cipher/function", json!("xor"), "its cipher is xor"),
        ("/crypto/checksum/function", json!("md5"), "its checksum is md5"),
        ("/crypto/kdf/function", json!("argon2"), "argon2"),
        (
            "/crypto/kdf/params/n",
            json!(17),
            "n is 17, and must be a power of two",
        ),
        (
            "/crypto/cipher/params",
            json!({}),
            "iv has 0 octets, and must have 16",
        ),
        (
            "/crypto/checksum/message",
            json!("00"),
            "message has 1 octets, and must have 32",
        ),
        ("/pubkey", json!("zz"), "pubkey is not hexadecimal"),
    ] {
        let (_, mut document) = cheap();
        if pointer == "/pubkey" {
            document["pubkey"] = value;
        } else {
            *document.pointer_mut(pointer).unwrap() = value;
        }
        match opened(&document) {
            Err(KeystoreError::Form(said)) => assert!(said.contains(words), "{pointer}: {said}"),
            other => panic!("{pointer}: {other:?}"),
        }
    }
    let (_, mut document) = cheap();
    document["crypto"]["kdf"]["params"]["n"] = json!(1_u64 << 40);
    assert!(matches!(opened(&document), Err(KeystoreError::TooMuch(_))));
}
