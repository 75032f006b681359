//! What the contract says, read from octets as Solidity writes them.

use super::*;
use purlin_chain_core::quorum::Change;

fn words(numbers: &[u64]) -> Vec<u8> {
    let words = numbers
        .iter()
        .map(|number| U256::from(*number).to_be_bytes::<32>());
    words.collect::<Vec<_>>().concat()
}

/// Version 3 from height 12 on: validators 1 and 2 with power 5 and 6, 500 ms, thirty million gas.
fn current() -> Vec<u8> {
    let head = [3, 12, 500, 30_000_000, 6 * 32, 9 * 32];
    [words(&head), words(&[2, 1, 2]), words(&[2, 5, 6])].concat()
}

fn read(octets: &[u8]) -> Option<Newest> {
    let told = currentCall::abi_decode_returns_validate(octets).ok()?;
    described(told).ok()
}

#[test]
fn the_newest_version_is_read() {
    let read = read(&current()).unwrap();
    let who = |n| Address::with_last_byte(n);
    assert_eq!((read.version, read.constitution.from), (3, 12));
    let members: Vec<_> = read.constitution.validators.members().collect();
    assert_eq!(members, [(who(1), 5), (who(2), 6)]);
    assert_eq!(read.constitution.period, Duration::from_millis(500));
    assert_eq!(read.constitution.gas_limit, 30_000_000);
}

#[test]
fn what_is_cut_off_or_points_nowhere_is_no_version() {
    let whole = current();
    for length in 0..whole.len() {
        assert_eq!(read(&whole[..length]), None, "{length}");
    }
    for word in [4, 5, 6, 9] {
        let mut wild = whole.clone();
        wild[word * 32..(word + 1) * 32].fill(0xff);
        assert_eq!(read(&wild), None, "{word}");
    }
}

fn log(event: B256, topic: u64, data: Vec<u8>) -> Log {
    Log {
        topics: vec![event, B256::from(U256::from(topic))],
        data: data.into(),
    }
}

fn voted(vote: &Vote, power: u64) -> Log {
    let call_data = vote.call_data();
    let mut data = words(&[96, power, 3, call_data.len() as u64]);
    data.extend(&call_data);
    data.resize(data.len().next_multiple_of(32), 0);
    log(Voted::SIGNATURE_HASH, 1, data)
}

#[test]
fn a_receipt_tells_the_count_and_what_it_decided() {
    let validator = Address::repeat_byte(9);
    let vote = Vote::Set(Change::Add { validator, power: 2 });
    let mut receipt = Receipt {
        block_number: U64::from(10),
        status: U64::from(1),
        logs: vec![voted(&vote, 2)],
    };
    let hash = B256::repeat_byte(1);
    let counted = told(hash, &receipt).unwrap();
    assert_eq!((counted.power, counted.quorum, counted.decided), (2, 3, None));
    receipt.logs.push(log(Changed::SIGNATURE_HASH, 4, words(&[12])));
    assert_eq!(told(hash, &receipt).unwrap().decided, Some((4, 12)));
    receipt.logs.clear();
    assert_eq!(told(hash, &receipt), None);
}

#[test]
fn a_refusal_is_the_contracts_words() {
    let of = |message: &str| {
        let message = message.to_owned();
        refused(RpcError::Refused { code: 3, message })
    };
    let words = |text: &str| VoteFault::Refused(text.to_owned());
    assert_eq!(
        of("execution reverted: it is no validator"),
        words("it is no validator")
    );
    assert_eq!(of("execution reverted"), words("it does not say why"));
    assert!(matches!(of("header not found"), VoteFault::Rpc(_)));
}
