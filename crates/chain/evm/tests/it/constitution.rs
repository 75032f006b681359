//! Who decides at a height is what validators have voted for, on every node, after a restart, and where nobody can vote.

use crate::{
    governed::{Governed, account, certificate, genesis, numbers},
    signed::{chain, development, next, settings, signers},
};
use alloy_primitives::keccak256;
use purlin_chain_core::{
    constitution::{ADDRESS, Constitution, GAS_LIMIT, Vote},
    quorum::{POWER_MAX, ValidatorSet},
};
use purlin_chain_evm::Chain;
use purlin_chain_proto::{Address, B256, Bytes, ChainSpec, Genesis, U256};
use std::time::Duration;

const FAST: Vote = Vote::Period(Duration::from_millis(100));

#[test]
fn a_quorum_of_votes_changes_the_set_two_blocks_later() {
    let chain = Governed::new(5, &[1; 4]);
    let add = chain.add(4, 1);
    assert_eq!(chain.block(&[(0, add), (1, add)]), [true, true]);
    assert_eq!(
        (chain.set(1).len(), chain.set(3).len(), chain.one.constitution(4)),
        (4, 4, None),
        "two of three votes change nothing, and height 4 is not fixed"
    );
    assert_eq!(chain.block(&[(2, add)]), [true]);
    let lengths = [0, 2, 3, 4].map(|height| chain.set(height).len());
    assert_eq!(lengths, [4, 4, 4, 5]);
    assert_eq!(chain.set(4).power(&chain.address(4)), Some(1));
    assert_eq!(chain.one.constitution(5), None);
    assert_eq!(chain.at(4).period, chain.at(3).period);
    chain.go_on(4);
    assert_eq!(
        chain.block(&[(4, FAST)]),
        [true],
        "the fifth votes as soon as it counts"
    );
}

#[test]
fn both_ways_of_a_vote_are_in_the_log_of_its_block() {
    let chain = Governed::new(5, &[2, 1]);
    let receipts = chain.receipts(&[(0, FAST), (1, FAST)]);
    let (voted, changed) = (
        keccak256("Voted(address,bytes,uint64,uint64)"),
        keccak256("Changed(uint256,uint64)"),
    );
    let topics: Vec<Vec<B256>> = receipts
        .iter()
        .flat_map(|receipt| receipt.logs().iter().map(|log| log.topics().to_vec()))
        .collect();
    let by = |n: usize| chain.address(n).into_word();
    let version = B256::from(U256::ONE);
    assert_eq!(
        topics,
        [vec![voted, by(0)], vec![voted, by(1)], vec![changed, version]]
    );
    let said = numbers(&receipts[1].logs()[0].data.data);
    assert_eq!(said[1..3], [U256::from(3), U256::from(3)], "power and quorum");
    assert_eq!(numbers(&receipts[1].logs()[1].data.data), [U256::from(3)]);
}

#[test]
fn what_cannot_be_voted_for_is_refused_with_what_would_be_right() {
    let chain = Governed::new(6, &[2, 1, 1, 1]);
    let check = |who: usize, input: Bytes, said: &str| {
        let refusal = chain.ask(who, input).expect_err(said);
        assert!(refusal.contains(said), "{refusal}");
    };
    let refused = |vote: Vote, said: &str| check(0, vote.call_data(), said);
    check(5, FAST.call_data(), "only validators vote");
    refused(chain.add(1, 1), "is a validator already: voteWeight");
    refused(chain.add(5, 0), "a power of 1 at least");
    refused(chain.add(5, 3), "less than two thirds");
    refused(chain.add(5, POWER_MAX), "at most 1152921504606846975");
    refused(chain.add(5, u64::MAX), "at most 1152921504606846975");
    refused(chain.remove(5), "is no validator");
    refused(chain.remove(0), "less than two thirds");
    refused(chain.weigh(5, 1), "is no validator");
    refused(chain.weigh(1, 1), "that power already");
    refused(chain.weigh(1, 0), "voteRemove removes it");
    refused(chain.weigh(1, 4), "less than two thirds");
    for ms in [0, 49, 3_600_001, u64::MAX] {
        refused(Vote::Period(Duration::from_millis(ms)), "from 50 to 3600000 ms");
    }
    refused(Vote::Period(Duration::from_millis(250)), "is that already");
    for gas in [0, *GAS_LIMIT.start() - 1, *GAS_LIMIT.end() + 1, u64::MAX] {
        refused(Vote::GasLimit(gas), "from 5000000");
    }
    refused(Vote::GasLimit(chain.at(0).gas_limit), "is that already");
    let longer = [&FAST.call_data()[..], &[0]].concat();
    check(0, longer.into(), "longer than its arguments");
    let nobody = Vote::Set(purlin_chain_core::quorum::Change::Add {
        validator: Address::ZERO,
        power: 1,
    });
    refused(nobody, "nobody signs for address 0");
    assert_eq!(chain.block(&[(0, FAST), (0, FAST)]), [true, false]);
    refused(FAST, "voted for this already");
    assert_eq!(chain.votes(&FAST), (2, 4, vec![chain.address(0)]));
    assert_eq!(
        chain.block(&[(5, FAST), (1, FAST), (2, FAST)]),
        [false, true, true]
    );
    refused(Vote::GasLimit(6_000_000), "a change is on its way already");
}

#[test]
fn the_last_validator_stays() {
    let chain = Governed::new(2, &[1]);
    let refusal = chain.ask(0, chain.remove(0).call_data()).expect_err("the last");
    assert!(refusal.contains("no block is ever decided"), "{refusal}");
    assert_eq!(
        chain.block(&[(0, chain.add(1, 1))]),
        [true],
        "one may grow into two"
    );
    assert_eq!(chain.set(3).len(), 2);
}

#[test]
fn changes_go_one_at_a_time_and_open_votes_lapse() {
    let chain = Governed::new(5, &[1; 5]);
    let [slow, gas] = [Vote::Period(Duration::from_secs(1)), Vote::GasLimit(40_000_000)];
    let gone = chain.remove(4);
    assert_eq!(chain.block(&[(4, slow), (4, gas), (0, gas)]), [true; 3]);
    assert_eq!(chain.votes(&gas).0, 2);
    // The fourth vote decides; what follows in the same block comes too late.
    let votes = [(0, gone), (1, gone), (2, gone), (3, gone), (1, gas)];
    assert_eq!(chain.block(&votes), [true, true, true, true, false]);
    assert_eq!(
        chain.votes(&gas),
        (0, 3, vec![]),
        "of who is left, nobody has voted"
    );
    assert_eq!(chain.block(&[(1, gas)]), [false], "not before the change counts");
    assert_eq!(chain.block(&[(4, gas), (0, gas), (1, gas)]), [false, true, true]);
    assert_eq!(chain.head(), 4, "which is when the new set counts");
    assert_eq!(chain.votes(&gas).0, 2);
    assert_eq!(chain.block(&[(3, gas)]), [true]);
    assert_eq!(
        (chain.at(6).gas_limit, chain.at(7).gas_limit),
        (chain.at(0).gas_limit, 40_000_000)
    );
    assert_eq!(chain.set(7), chain.set(4));
}

#[test]
fn the_contract_tells_every_tool_what_counts() {
    let chain = Governed::new(3, &[5, 3]);
    assert_eq!(chain.block(&[(0, FAST), (1, FAST)]), [true, true]);
    let selector = |signature: &str| keccak256(signature)[..4].to_vec();
    let check = |input: Vec<u8>, number: u64| {
        let wanted = chain.one.constitutions().expect("validators decide");
        let wanted = wanted.iter().nth(number as usize).expect("a version");
        let said = numbers(&chain.ask(2, input.into()).expect("an answer"));
        let head = [
            number,
            wanted.from,
            wanted.period.as_millis() as u64,
            wanted.gas_limit,
        ];
        assert_eq!(said[..4], head.map(U256::from));
        let members: Vec<(Address, u64)> = wanted.validators.members().collect();
        assert_eq!(said[6], U256::from(members.len()));
        let who = said[7..7 + members.len()].iter();
        let power = said[8 + members.len()..].iter();
        let found: Vec<(Address, u64)> = who
            .zip(power)
            .map(|(who, power)| (Address::from_word((*who).into()), power.to()))
            .collect();
        assert_eq!(found, members);
    };
    let version = |n: u64| [selector("version(uint256)"), U256::from(n).to_be_bytes_vec()].concat();
    check(version(0), 0);
    check(version(1), 1);
    check(selector("current()"), 1);
    let count = chain.ask(2, selector("count()").into()).expect("an answer");
    assert_eq!(numbers(&count), [U256::from(2)]);
    let refusal = chain.ask(2, version(2).into()).expect_err("no such version");
    assert!(refusal.contains("no such version"), "{refusal}");
}

#[test]
fn the_gas_limit_walks_to_the_new_one_from_its_height_on() {
    let chain = Governed::new(1, &[1]);
    let before = chain.at(0).gas_limit;
    let wanted = before + before / 1024 + 1_000;
    assert_eq!(chain.block(&[(0, Vote::GasLimit(wanted))]), [true]);
    let mut limits = Vec::new();
    for _ in 0..4 {
        chain.block(&[]);
        limits.push(chain.one.head().header.gas_limit);
    }
    assert_eq!(limits, [before, before + before / 1024 - 1, wanted, wanted]);
    let (prepared, _) = chain
        .one
        .prepare(next(&chain.one), std::iter::empty())
        .expect("a block");
    let mut other = prepared.block().clone();
    other.header.gas_limit -= 1;
    let error = chain.one.check(other, |_| None).expect_err("another gas limit");
    assert_eq!(error.field(), Some("gasLimit"), "{error}");
}

#[test]
fn the_biggest_set_can_vote_within_the_least_gas_limit() {
    let mut powers = vec![5; 99];
    powers[0] = 1_000;
    let chain = Governed::new(101, &powers);
    let decide = |vote: Vote| {
        chain.go_on(chain.one.constitutions().expect("governed").newest().from);
        let receipts = chain.receipts(&[(0, vote)]);
        assert!(receipts[0].status(), "{vote}");
        let used = receipts[0].cumulative_gas_used();
        assert!(used < *GAS_LIMIT.start() * 9 / 10, "{vote} costs {used} gas");
        chain.set(chain.head() + 2).len()
    };
    assert_eq!(decide(chain.add(99, 1)), 100);
    let at = chain.one.constitutions().expect("governed").newest().from;
    chain.go_on(at);
    let refusal = chain.ask(0, chain.add(100, 1).call_data()).expect_err("the most");
    assert!(refusal.contains("100 validators already"), "{refusal}");
    assert_eq!(decide(FAST), 100);
    assert_eq!(decide(chain.weigh(99, 2)), 100);
    assert_eq!(decide(chain.remove(50)), 99);
}

#[test]
fn a_restart_reads_what_was_there_also_what_is_on_its_way() {
    let all = signers(5);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chain.redb");
    let spec = ChainSpec::from_genesis(genesis(&all, &[1; 4], true)).expect("a chain");
    let open = || Chain::open(&path, spec.clone(), settings()).expect("the same chain");
    let file = Chain::create(Some(&path), spec.clone(), settings()).expect("a chain");
    let mut chain = Governed::new(5, &[1; 4]).with(file);
    let add = chain.add(4, 2);
    for (votes, versions) in [
        (&[(0, add), (1, add)][..], 1),
        (&[(2, add)], 2),
        (&[], 2),
        (&[], 2),
        (&[(0, FAST), (1, FAST), (2, FAST), (4, FAST)], 3),
    ] {
        assert!(chain.block(votes).iter().all(|counted| *counted));
        let before = chain.one.constitutions().expect("validators decide");
        assert_eq!(before.len(), versions);
        // One process has the file: the old one goes first.
        let aside = Chain::create(None, spec.clone(), settings()).expect("a chain");
        drop(std::mem::replace(&mut chain.one, aside));
        chain = chain.with(open());
        assert_eq!(chain.one.constitutions(), Some(before));
        assert_eq!(chain.one.constitution(chain.head() + 3), None);
    }
    assert_eq!(chain.at(7).period, Duration::from_millis(100));
}

#[test]
fn a_chain_without_the_contract_stays_as_its_document_says() {
    let all = signers(4);
    let spec = ChainSpec::from_genesis(genesis(&all, &[1; 4], false)).expect("a chain");
    let old = chain(spec);
    let vote = all[0].call(0, purlin_chain_proto::TxKind::Call(ADDRESS), 5, FAST.call_data());
    let (prepared, refused) = old.prepare(next(&old), [vote].into_iter()).expect("a block");
    assert!(refused.is_empty() && prepared.receipts()[0].status());
    old.commit(prepared, Some(certificate())).expect("decided");
    assert!(!old.governed());
    let first = old.constitution(0).expect("for ever");
    assert_eq!(old.constitution(u64::MAX), Some(first.clone()));
    assert_eq!(old.constitutions().expect("validators decide").len(), 1);
    assert_eq!((first.validators.len(), first.from), (4, 0));

    let free = chain(development(&all));
    assert_eq!(
        (free.constitution(0), free.constitutions(), free.governed()),
        (None, None, false)
    );
}

#[test]
fn a_genesis_that_contradicts_itself_is_refused() {
    let all = signers(4);
    let check = |change: &dyn Fn(&mut Genesis), said: &str| {
        let mut genesis = genesis(&all, &[1; 4], true);
        change(&mut genesis);
        let spec = ChainSpec::from_genesis(genesis).expect("a document");
        let error = Chain::create(None, spec, settings()).expect_err(said);
        assert!(error.to_string().contains(said), "{error}");
    };
    check(
        &|genesis| genesis.alloc.get_mut(&ADDRESS).expect("held").code = Some(Bytes::from_static(&[0])),
        "other code",
    );
    check(
        &|genesis| genesis.alloc.get_mut(&ADDRESS).expect("held").storage = None,
        "the genesis document's is missing",
    );
    let first = Constitution {
        from: 0,
        validators: ValidatorSet::new([(all[0].address, 1)]).expect("a set"),
        period: Duration::from_secs(1),
        gas_limit: 30_000_000,
    };
    check(
        &|genesis| drop(genesis.alloc.insert(ADDRESS, account(&first))),
        "from height 0 on: 1 validator with power 1",
    );
    let many = signers(101);
    let spec = ChainSpec::from_genesis(genesis(&many, &[1; 101], true)).expect("a document");
    let error = Chain::create(None, spec, settings()).expect_err("too many");
    assert!(error.to_string().contains("has 101 validators"), "{error}");
}
