//! Octets of blocks: round trips, files, damage.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_primitives::Signature;
use proptest::prelude::*;
use purlin_chain_proto::{
    Address, B256, Block, Body, Header, Transaction, TxKind, U256, Withdrawal, Withdrawals, codec,
};

fn transaction() -> impl Strategy<Value = Transaction> {
    let parts = (
        0u8..5,
        any::<u64>(),
        any::<u64>(),
        any::<[u8; 20]>(),
        any::<u128>(),
        prop::collection::vec(any::<u8>(), 0..80),
    );
    parts.prop_map(|(kind, nonce, gas_limit, to, value, input)| {
        let (to, value, input) = (Address::from(to), U256::from(value), input.into());
        let (chain_id, signature) = (7, Signature::test_signature());
        let kind_to = TxKind::Call(to);
        match kind {
            0 => TxLegacy {
                chain_id: None,
                nonce,
                gas_limit,
                to: TxKind::Create,
                value,
                input,
                gas_price: 1,
            }
            .into_signed(signature)
            .into(),
            1 => TxEip2930 {
                chain_id,
                nonce,
                gas_limit,
                to: kind_to,
                value,
                input,
                ..Default::default()
            }
            .into_signed(signature)
            .into(),
            2 => TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                to: kind_to,
                value,
                input,
                ..Default::default()
            }
            .into_signed(signature)
            .into(),
            3 => TxEip4844 {
                chain_id,
                nonce,
                gas_limit,
                to,
                value,
                input,
                ..Default::default()
            }
            .into_signed(signature)
            .into(),
            _ => TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                to,
                value,
                input,
                ..Default::default()
            }
            .into_signed(signature)
            .into(),
        }
    })
}

/// Fields that forks brought stand one behind the other: `depth` of them are there.
fn header() -> impl Strategy<Value = Header> {
    (
        any::<u64>(),
        any::<u64>(),
        any::<[u8; 32]>(),
        prop::collection::vec(any::<u8>(), 0..33),
        0u8..5,
    )
        .prop_map(|(number, timestamp, root, extra, depth)| Header {
            number,
            timestamp,
            state_root: B256::from(root),
            extra_data: extra.into(),
            base_fee_per_gas: (depth > 0).then_some(number),
            withdrawals_root: (depth > 1).then_some(B256::from(root)),
            blob_gas_used: (depth > 2).then_some(timestamp),
            excess_blob_gas: (depth > 2).then_some(number),
            parent_beacon_block_root: (depth > 2).then_some(B256::ZERO),
            requests_hash: (depth > 3).then_some(B256::from(root)),
            ..Header::default()
        })
}

fn block() -> impl Strategy<Value = Block> {
    let lists = (
        prop::collection::vec(transaction(), 0..6),
        prop::collection::vec(header(), 0..2),
        any::<Option<u64>>(),
    );
    (header(), lists).prop_map(|(header, (transactions, ommers, withdrawal))| {
        let withdrawals = withdrawal.map(|amount| {
            Withdrawals::new(vec![Withdrawal {
                amount,
                ..Withdrawal::default()
            }])
        });
        Block {
            header,
            body: Body {
                transactions,
                ommers,
                withdrawals,
            },
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(block in block()) {
        prop_assert_eq!(codec::decode(&codec::encode(&block)), Ok(block));
    }

    #[test]
    fn a_file_gives_its_blocks_in_order(all in prop::collection::vec(block(), 0..5)) {
        let octets: Vec<u8> = all.iter().flat_map(codec::encode).collect();
        let read: Result<Vec<Block>, _> = codec::blocks(&octets[..]).collect();
        prop_assert_eq!(read.expect("blocks"), all);
    }

    #[test]
    fn a_file_that_ends_early_names_the_block_and_its_octet(one in block(), two in block(), cut in 1usize..100) {
        let (first, second) = (codec::encode(&one), codec::encode(&two));
        let octets = [first.clone(), second.clone()].concat();
        let cut = cut.min(second.len() - 1);
        let read: Vec<_> = codec::blocks(&octets[..octets.len() - cut]).collect();
        prop_assert_eq!(read.len(), 2);
        let error = read[1].as_ref().expect_err("cut off");
        prop_assert_eq!((error.index, error.octet), (1, first.len() as u64));
    }

    #[test]
    fn octets_from_anywhere_make_no_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = codec::decode(&octets);
        prop_assert!(codec::blocks(&octets[..]).count() <= octets.len());
    }

    #[test]
    fn a_damaged_block_makes_no_panic(block in block(), at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut octets = codec::encode(&block);
        let at = at.index(octets.len());
        octets[at] = octet;
        if let Ok(read) = codec::decode(&octets) {
            prop_assert_eq!(codec::encode(&read), octets);
        }
    }
}

#[test]
fn octets_behind_a_block_are_no_part_of_it() {
    let mut octets = codec::encode(&Block::default());
    octets.push(0);
    assert_eq!(codec::decode(&octets), Err(alloy_rlp::Error::UnexpectedLength));
}

#[test]
fn an_envelope_of_another_length_than_it_says_is_refused() {
    let transaction = TxEip1559::default().into_signed(Signature::test_signature());
    let block = Block {
        body: Body {
            transactions: vec![transaction.into()],
            ..Body::default()
        },
        ..Block::default()
    };
    let mut octets = codec::encode(&block);
    assert_eq!(codec::decode(&octets).as_ref(), Ok(&block));
    // The string with the envelope: 0xb8, its length, then the type and a list.
    let at = octets
        .windows(4)
        .position(|run| matches!(run, [0xb8, _, 2, 0xf8]));
    octets[at.expect("an envelope") + 1] -= 1;
    assert_eq!(codec::decode(&octets), Err(alloy_rlp::Error::UnexpectedLength));
}

#[test]
fn what_a_block_says_of_its_length_takes_no_memory() {
    let said = |octets: &[u8]| {
        let error = codec::blocks(octets)
            .next()
            .expect("something")
            .expect_err("no block");
        error.to_string()
    };
    let begin = "block 0 of the file, at octet 0: ";
    assert_eq!(
        said(&[0xfb, 0x10, 0, 0, 1]),
        format!("{begin}it says that it has 268435457 octets, and 268435456 are the most")
    );
    assert_eq!(
        said(&[0xfb, 0x10, 0, 0, 0, 1, 2]),
        format!("{begin}the file ends within it")
    );
    assert_eq!(said(&[0xff, 0, 0]), format!("{begin}the file ends within it"));
    assert!(said(&[0x80]).starts_with(begin));
}
