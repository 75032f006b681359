use super::*;
use crate::testing::Key;

const NETWORK: Network = Network {
    genesis: B256::repeat_byte(9),
    chain_id: 31_337,
};
const SESSION: Session = Session {
    exporter: B256::repeat_byte(3),
    direction: Direction::Outbound,
};

fn hello(key: &Key) -> Hello {
    Hello {
        id: key.address(),
        instance: 5,
        port: Some(30_400),
        role: 2,
        name: "purlin/test".to_owned(),
    }
}

fn refused(octets: &[u8], network: Network, session: Session) -> String {
    Hello::verify(octets, network, session).unwrap_err()
}

#[test]
fn a_hello_is_read_as_it_was_said() {
    let key = Key::new(1);
    let octets = hello(&key).sign(NETWORK, SESSION, &key);
    assert_eq!(Hello::verify(&octets, NETWORK, SESSION), Ok(hello(&key)));
    let silent = Hello {
        port: None,
        name: String::new(),
        ..hello(&key)
    };
    let octets = silent.sign(NETWORK, SESSION, &key);
    assert_eq!(Hello::verify(&octets, NETWORK, SESSION), Ok(silent));
}

#[test]
fn a_hello_is_worth_nothing_in_another_session_or_from_the_other_side() {
    let key = Key::new(1);
    let octets = hello(&key).sign(NETWORK, SESSION, &key);
    let elsewhere = Session {
        exporter: B256::repeat_byte(4),
        ..SESSION
    };
    for session in [elsewhere, SESSION.other()] {
        assert!(
            refused(&octets, NETWORK, session).contains("not signed"),
            "{session:?}"
        );
    }
}

#[test]
fn nobody_signs_for_another() {
    let (key, other) = (Key::new(1), Key::new(2));
    let octets = hello(&key).sign(NETWORK, SESSION, &other);
    assert!(refused(&octets, NETWORK, SESSION).contains("not signed"));
}

#[test]
fn every_octet_is_signed() {
    let key = Key::new(1);
    let octets = hello(&key).sign(NETWORK, SESSION, &key);
    for place in 0..octets.len() {
        let mut changed = octets.to_vec();
        changed[place] ^= 1;
        refused(&changed, NETWORK, SESSION);
    }
    for length in 0..octets.len() {
        refused(&octets[..length], NETWORK, SESSION);
    }
}

#[test]
fn another_chain_or_version_is_named() {
    let key = Key::new(1);
    let octets = hello(&key).sign(NETWORK, SESSION, &key);
    let genesis = Network {
        genesis: B256::ZERO,
        ..NETWORK
    };
    let said = refused(&octets, genesis, SESSION);
    assert!(
        said.starts_with("different chains: genesis 0x00") && said.contains("0x0909"),
        "{said}"
    );
    let number = Network {
        chain_id: 1,
        ..NETWORK
    };
    assert_eq!(
        refused(&octets, number, SESSION),
        "different chain ids: 1 and 31337"
    );
    let mut later = octets.to_vec();
    later[1] = 2;
    assert_eq!(
        refused(&later, NETWORK, SESSION),
        "different versions of the protocol: 1 and 2"
    );
}

#[test]
fn a_later_minor_version_may_say_more() {
    let key = Key::new(1);
    let octets = hello(&key).sign(NETWORK, SESSION, &key);
    let mut longer = octets[..octets.len() - SIGNATURE].to_vec();
    longer.extend(b"more");
    let signature = key.sign(SESSION.digest(&longer));
    longer.extend(signature);
    assert_eq!(Hello::verify(&longer, NETWORK, SESSION), Ok(hello(&key)));
}

#[test]
fn a_name_comes_without_control_characters() {
    let key = Key::new(1);
    let said = Hello {
        name: "a\nb\u{e9}".to_owned(),
        ..hello(&key)
    };
    let octets = said.sign(NETWORK, SESSION, &key);
    assert_eq!(Hello::verify(&octets, NETWORK, SESSION).unwrap().name, "a?b??");
}
