mod eip2335;

use super::*;
use alloy_primitives::{B256, b256};
use serde_json::{Value, json};

/// Test vectors of the Web3 Secret Storage Definition.
const PASSWORD: &[u8] = b"testpassword";
const SECRET: B256 = b256!("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");

fn pbkdf2() -> Value {
    json!({
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": "6087dab2f9fdbbfaddc31a909735c1e6" },
            "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "kdf": "pbkdf2",
            "kdfparams": {
                "c": 262_144,
                "dklen": 32,
                "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"
            },
            "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3
    })
}

fn scrypt() -> Value {
    json!({
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": "83dbcc02d8ccb40e466191a123791e0e" },
            "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
            "kdf": "scrypt",
            "kdfparams": {
                "dklen": 32,
                "n": 262_144,
                "p": 8,
                "r": 1,
                "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"
            },
            "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3
    })
}

/// A file whose key is cheap to derive.
fn cheap() -> (Key, Value) {
    let key = Key::new(SECRET).unwrap();
    let kdf = Kdf::Scrypt { log_n: 4, r: 8, p: 1 };
    let sealed = Keystore::seal(&key, PASSWORD, kdf, Format::Web3).unwrap();
    (key, serde_json::from_str(&sealed.text()).unwrap())
}

fn opened(document: &Value) -> Result<Key, KeystoreError> {
    Keystore::read(&document.to_string())?.open(PASSWORD)
}

#[test]
fn the_vectors_of_the_definition_open() {
    for document in [pbkdf2(), scrypt()] {
        assert_eq!(opened(&document).unwrap().secret(), SECRET, "{document}");
    }
}

#[test]
fn a_file_of_early_geth_opens() {
    let mut document = pbkdf2();
    let crypto = document.as_object_mut().unwrap().remove("crypto").unwrap();
    document["Crypto"] = crypto;
    assert_eq!(opened(&document).unwrap().secret(), SECRET);
}

#[test]
fn what_is_sealed_opens_with_its_password_alone() {
    let key = Key::new(SECRET).unwrap();
    for kdf in [Kdf::LIGHT, Kdf::Pbkdf2 { rounds: 10 }] {
        let sealed = Keystore::seal(&key, "Schlüssel".as_bytes(), kdf, Format::Web3).unwrap();
        let read = Keystore::read(&sealed.text()).unwrap();
        assert_eq!(read.address(), Some(key.address()));
        assert_eq!(read.open("Schlüssel".as_bytes()), Ok(key.clone()));
        assert_eq!(read.open(b"Schluessel"), Err(KeystoreError::Password));
        assert_eq!(read.open(b""), Err(KeystoreError::Password));
    }
}

#[test]
fn the_same_key_is_sealed_differently_each_time() {
    let ((_, first), (_, second)) = (cheap(), cheap());
    for pointer in [
        "/id",
        "/crypto/ciphertext",
        "/crypto/cipherparams/iv",
        "/crypto/kdfparams/salt",
    ] {
        assert_ne!(
            first.pointer(pointer).unwrap(),
            second.pointer(pointer).unwrap(),
            "{pointer}"
        );
    }
    let id = first["id"].as_str().unwrap();
    assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
}

#[test]
fn nothing_secret_stands_in_the_file() {
    let text = cheap().1.to_string();
    assert!(
        !text.contains(&hex(SECRET.as_slice())) && !text.contains("testpassword"),
        "{text}"
    );
}

#[test]
fn a_file_that_was_changed_does_not_open() {
    for pointer in ["/crypto/ciphertext", "/crypto/mac", "/crypto/kdfparams/salt"] {
        let (_, mut document) = cheap();
        let text = document.pointer(pointer).unwrap().as_str().unwrap();
        let first = if text.starts_with('0') { "1" } else { "0" };
        let other = format!("{first}{}", &text[1..]);
        *document.pointer_mut(pointer).unwrap() = other.into();
        assert_eq!(opened(&document), Err(KeystoreError::Password), "{pointer}");
    }
    // The vector is not under the MAC: another one gives another key, which is not the one of the address.
    let (key, mut document) = cheap();
    document["crypto"]["cipherparams"]["iv"] = "00".repeat(16).into();
    let found = opened(&document);
    assert!(
        matches!(&found, Err(KeystoreError::Address { said, .. }) if *said == key.address()),
        "{found:?}"
    );
}

#[test]
fn what_is_no_keystore_says_which_field() {
    for (pointer, value, words) in [
        ("/version", json!(5), "its version is 5"),
        (
            "/crypto/cipher",
            json!("aes-256-gcm"),
            "its cipher is aes-256-gcm",
        ),
        ("/crypto/kdf", json!("argon2"), "argon2"),
        (
            "/crypto/kdfparams/n",
            json!(17),
            "n is 17, and must be a power of two",
        ),
        ("/crypto/kdfparams/r", json!(0), "r and p must be 1 at least"),
        ("/crypto/kdfparams/dklen", json!(16), "dklen is 16"),
        ("/crypto/kdfparams/salt", json!("xy"), "salt is not hexadecimal"),
        (
            "/crypto/cipherparams/iv",
            json!("00"),
            "iv has 1 octets, and must have 16",
        ),
        ("/crypto/mac", json!("00"), "mac has 1 octets, and must have 32"),
        ("/crypto/ciphertext", json!(""), "ciphertext has 0 octets"),
    ] {
        let (_, mut document) = cheap();
        *document.pointer_mut(pointer).unwrap() = value;
        match opened(&document) {
            Err(KeystoreError::Form(said)) => assert!(said.contains(words), "{pointer}: {said}"),
            other => panic!("{pointer}: {other:?}"),
        }
    }
    let mut document = pbkdf2();
    document["crypto"]["kdfparams"]["prf"] = "hmac-md5".into();
    assert!(matches!(opened(&document), Err(KeystoreError::Form(_))));
    assert!(matches!(Keystore::read("[]"), Err(KeystoreError::Form(_))));
}

#[test]
fn a_strangers_file_does_not_take_the_machine() {
    for (field, value) in [
        ("n", json!(1_u64 << 40)),
        ("n", json!(1_u64 << 63)),
        ("r", json!(u32::MAX)),
        ("p", json!(u32::MAX)),
    ] {
        let (_, mut document) = cheap();
        document["crypto"]["kdfparams"][field] = value;
        let found = opened(&document);
        assert!(
            matches!(found, Err(KeystoreError::TooMuch(_))),
            "{field}: {found:?}"
        );
    }
    let mut document = pbkdf2();
    document["crypto"]["kdfparams"]["c"] = u32::MAX.into();
    assert!(matches!(opened(&document), Err(KeystoreError::TooMuch(_))));
}
