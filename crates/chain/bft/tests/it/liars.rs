//! Validators and peers that lie.

use crate::random::Random;
use crate::world::{Key, Liar, NETWORK, World, app, ms};
use alloy_primitives::{Address, B256, Bytes};
use purlin_chain_bft::node::{Action, Event};
use purlin_chain_bft::{Ask, Message, Offered, Proposal, Signature, Signer, Status, Vote};
use purlin_chain_core::consensus::signed::{Network, VoteKind};
use purlin_chain_core::consensus::{Certificate, Commit, Decided};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// What the node of `key` says, with its lies: different halves hear different things.
fn two_faced(key: Key) -> Liar {
    Box::new(move |_, me, others, action| {
        let octets = match action {
            Action::Broadcast(octets) => octets,
            Action::Send { to, message } => return vec![(*to, message.clone())],
            _ => return Vec::new(),
        };
        let (left, right) = others.split_at(others.len() / 2);
        let other = other(&key, me, Message::decode(octets).unwrap());
        let to = |half: &[Address], octets: &Bytes| {
            half.iter().map(|to| (*to, octets.clone())).collect::<Vec<_>>()
        };
        let mut letters = to(left, octets);
        letters.extend(other.iter().flat_map(|octets| to(right, octets)));
        // Some hear both.
        letters.extend(other.iter().flat_map(|octets| to(&others[..1], octets)));
        letters
    })
}

/// The opposite of a message, well signed.
fn other(key: &Key, me: Address, message: Message) -> Vec<Bytes> {
    match message {
        Message::Vote(vote) if vote.validator == me => {
            let hash = vote.hash.map_or(Some(B256::repeat_byte(9)), |_| None);
            vec![Message::Vote(signed_vote(key, Vote { hash, ..vote })).encode()]
        }
        Message::Proposal(proposal) if proposal.proposer == me => {
            let block = app::block(proposal.height, B256::repeat_byte(3), me, 1);
            let hash = block.header.hash_slow();
            let proposal = signed_proposal(key, Proposal { hash, ..proposal });
            let offered = Offered {
                height: proposal.height,
                round: proposal.round,
                block,
            };
            vec![
                Message::Proposal(proposal).encode(),
                Message::Block(Box::new(offered)).encode(),
            ]
        }
        message => vec![message.encode()],
    }
}

fn signed_vote(key: &Key, vote: Vote) -> Vote {
    let signature = Signature::from(key.sign(vote.digest(Network(NETWORK))));
    Vote { signature, ..vote }
}

fn signed_proposal(key: &Key, proposal: Proposal) -> Proposal {
    let signature = Signature::from(key.sign(proposal.digest(Network(NETWORK))));
    Proposal {
        signature,
        ..proposal
    }
}

#[test]
fn a_two_faced_validator_splits_nobody_and_is_found_out() {
    for seed in 0..4 {
        let mut world = World::new(seed, 4, 0);
        world.liars.insert(3, two_faced(Key::new(3)));
        let mut world = world.up();
        world.until("twenty blocks", 10 * MINUTE, |world| world.have(0..3, 20));
        let liar = world.address(3);
        let seen = |index: usize| {
            let standing = world.hosts[index].node.as_ref().unwrap().standing();
            assert!(
                standing.equivocations.iter().all(|by| by.validator == liar),
                "{standing:?}"
            );
            standing.equivocations_total
        };
        assert!((0..3).map(seen).sum::<u64>() > 0, "its lies were seen");
    }
}

/// Junk of every kind, besides what its node says.
fn junk(key: Key) -> Liar {
    let mut height = 1;
    Box::new(move |random, me, others, action| {
        let octets = match action {
            Action::Broadcast(octets) => octets.clone(),
            Action::Send { to, message } => return vec![(*to, message.clone())],
            _ => return Vec::new(),
        };
        if let Ok(Message::Vote(vote)) = Message::decode(&octets) {
            height = vote.height;
        }
        let mut letters = Vec::new();
        for to in others {
            letters.push((*to, octets.clone()));
            for _ in 0..3 {
                letters.push((*to, trash(&key, random, me, height, &octets)));
            }
        }
        letters
    })
}

fn trash(key: &Key, random: &mut Random, me: Address, height: u64, octets: &Bytes) -> Bytes {
    let round = [0, 1, 9, 10, 11, 1_000, u32::MAX][random.below(7) as usize];
    let heights = [0, height - 1, height, height + 1, height + 2, u64::MAX];
    let height = heights[random.below(6) as usize];
    let kind = [VoteKind::Prevote, VoteKind::Precommit][random.below(2) as usize];
    let hash = B256::from([random.below(256) as u8; 32]);
    let vote = Vote {
        kind,
        height,
        round,
        validator: me,
        signature: Signature::ZERO,
        hash: Some(hash),
    };
    let stranger = Key::new(1_000);
    match random.below(9) {
        0 => Message::Vote(signed_vote(key, vote)).encode(),
        1 => {
            let validator = stranger.address();
            Message::Vote(signed_vote(&stranger, Vote { validator, ..vote })).encode()
        }
        // Somebody else's name under it.
        2 => {
            let validator = Key::new(0).address;
            Message::Vote(signed_vote(key, Vote { validator, ..vote })).encode()
        }
        3 => {
            let polka = Some(round);
            let (proposer, signature) = (me, Signature::ZERO);
            let proposal = Proposal {
                height,
                round,
                hash,
                proposer,
                signature,
                polka,
            };
            Message::Proposal(signed_proposal(key, proposal)).encode()
        }
        4 => Message::Status(Status {
            height: u64::MAX,
            hash: B256::ZERO,
        })
        .encode(),
        5 => Message::Ask(Ask {
            from: height,
            count: u64::MAX,
        })
        .encode(),
        6 => {
            let block = app::block(height, B256::ZERO, me, 1);
            let certificate = Certificate {
                height,
                round,
                hash: block.header.hash_slow(),
                commits: Vec::new(),
            };
            Message::Decided(vec![Decided { block, certificate }]).encode()
        }
        7 => {
            let block = app::block(height, B256::ZERO, me, 1);
            Message::Block(Box::new(Offered { height, round, block })).encode()
        }
        _ => {
            let mut octets = octets.to_vec();
            let at = random.below(octets.len() as u64) as usize;
            octets[at] ^= 1 << random.below(8);
            octets.truncate(1 + random.below(octets.len() as u64) as usize);
            octets.into()
        }
    }
}

#[test]
fn junk_from_a_validator_stops_nobody() {
    for seed in 0..4 {
        let mut world = World::new(seed, 4, 1);
        world.liars.insert(3, junk(Key::new(3)));
        let mut world = world.up();
        world.until("twenty blocks", 10 * MINUTE, |world| world.have([0, 1, 2, 4], 20));
        assert!(
            world.hosts[0]
                .node
                .as_ref()
                .unwrap()
                .standing()
                .bad_messages_total
                > 0
        );
    }
}

/// A body that does not belong to its header must not make the right block invalid.
#[test]
fn an_exchanged_body_is_dropped_and_the_right_block_is_still_decided() {
    let mut world = World::new(1, 4, 1);
    // A follower sends every block on, first, with a body of its own.
    world.wires.delay_max = 1;
    let forged = |octets: &Bytes| match Message::decode(octets) {
        Ok(Message::Block(mut offered)) => {
            offered.block.body.withdrawals = Some(Default::default());
            Some(Message::Block(offered).encode())
        }
        _ => None,
    };
    world.liars.insert(
        3,
        Box::new(move |_, _, others, action| match action {
            Action::Broadcast(octets) => {
                let mut letters = Vec::new();
                for to in others {
                    letters.extend(forged(octets).map(|forged| (*to, forged)));
                    letters.push((*to, octets.clone()));
                }
                letters
            }
            Action::Send { to, message } => vec![(*to, message.clone())],
            _ => Vec::new(),
        }),
    );
    let mut world = world.up();
    world.until("twenty blocks", 10 * MINUTE, |world| world.have(0..4, 20));
    let standing = world.hosts[0].node.as_ref().unwrap().standing();
    assert!(standing.bad_messages_total > 3, "{standing:?}");
    assert!(standing.rounds_total <= 23, "no round was lost: {standing:?}");
}

/// A peer whose head is a lie, and who answers with the blocks of another chain.
#[test]
fn a_peer_that_lies_about_its_head_holds_nobody_up() {
    let mut world = World::new(1, 4, 2);
    world.liars.insert(
        5,
        Box::new(|_, _, others, action| match action {
            Action::Send { to, message } if matches!(Message::decode(message), Ok(Message::Decided(_))) => {
                let block = app::block(999_999, B256::ZERO, Address::ZERO, 1);
                let certificate = Certificate {
                    height: 999_999,
                    round: 0,
                    hash: block.header.hash_slow(),
                    commits: Vec::new(),
                };
                vec![(
                    *to,
                    Message::Decided(vec![Decided { block, certificate }]).encode(),
                )]
            }
            Action::Broadcast(_) | Action::Send { .. } => {
                let head = Message::Status(Status {
                    height: 1_000_000,
                    hash: B256::ZERO,
                });
                others.iter().map(|to| (*to, head.encode())).collect()
            }
            Action::Serve { to, ask } => {
                let block = app::block(ask.from, B256::ZERO, Address::ZERO, 1);
                let certificate = Certificate {
                    height: ask.from,
                    round: 0,
                    hash: block.header.hash_slow(),
                    commits: Vec::new(),
                };
                vec![(
                    *to,
                    Message::Decided(vec![Decided { block, certificate }]).encode(),
                )]
            }
            _ => Vec::new(),
        }),
    );
    let mut world = world.up();
    world.until("forty blocks", MINUTE, |world| world.have(0..5, 40));
    assert!(world.now < Duration::from_secs(50), "{:?}", world.now);
    let standing = world.hosts[4].node.as_ref().unwrap().standing();
    assert!(
        standing.bad_messages_total > 0 && standing.behind.is_none(),
        "{standing:?}"
    );
    world.run(ms(1));
}

/// The right height and the right block, and signatures of half of the validators.
#[test]
fn nothing_is_taken_without_the_signatures_of_a_quorum() {
    let mut world = World::new(1, 4, 2);
    let block = app::block(1, B256::ZERO, Address::ZERO, 1);
    let hash = block.header.hash_slow();
    let commits = [0, 1].map(Key::new).map(|key| {
        let digest = Network(NETWORK).vote(VoteKind::Precommit, 1, 0, Some(hash));
        Commit {
            validator: key.address,
            signature: key.sign(digest).to_vec().into(),
        }
    });
    let certificate = Certificate {
        height: 1,
        round: 0,
        hash,
        commits: commits.to_vec(),
    };
    let forged = Message::Decided(vec![Decided { block, certificate }]).encode();
    let head = Message::Status(Status { height: 9, hash }).encode();
    world.liars.insert(
        5,
        Box::new(move |_, _, others, action| match action {
            Action::Send { to, message } if matches!(Message::decode(message), Ok(Message::Decided(_))) => {
                vec![(*to, forged.clone())]
            }
            Action::Broadcast(_) | Action::Send { .. } => {
                others.iter().map(|to| (*to, head.clone())).collect()
            }
            _ => Vec::new(),
        }),
    );
    world.start(4);
    world.start(5);
    world.run(MINUTE);
    let standing = world.hosts[4].node.as_ref().unwrap().standing();
    assert_eq!(world.head(4), 0);
    assert!(
        standing.bad_messages_total > 1,
        "it was asked and answered: {standing:?}"
    );
}

/// A guest that asks for blocks as fast as it can.
#[test]
fn who_asks_all_the_time_is_told_to_look_elsewhere() {
    let mut world = World::new(1, 4, 1).up();
    world.until("five blocks", MINUTE, |world| world.have(0..5, 5));
    let (now, guest) = (world.now, world.address(4));
    let node = world.hosts[0].node.as_mut().unwrap();
    let ask = Message::Ask(Ask { from: 1, count: 64 }).encode();
    let mut served = 0;
    for _ in 0..1_000 {
        let asked = Event::Message {
            from: guest,
            octets: ask.clone(),
        };
        let actions = node.step(now, asked).unwrap();
        let serves = |action: &Action| matches!(action, Action::Serve { to, .. } if *to == guest);
        let declines = |action: &Action| {
            matches!(action, Action::Send { to, message }
                if *to == guest && Message::decode(message) == Ok(Message::Decided(Vec::new())))
        };
        assert!(actions.iter().any(|action| serves(action) || declines(action)));
        served += usize::from(actions.iter().any(serves));
    }
    assert!((1..=32).contains(&served), "{served} of 1,000");
}
