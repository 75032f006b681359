use super::super::plan::tests::plan;
use super::super::sign::tests::requests;
use super::*;
use alloy_primitives::{B256, U64, U128};

/// A chain that never was: two blocks with all transactions of a plan, and accounts that fit.
struct Case {
    plan: Plan,
    requests: Requests,
    senders: Vec<Address>,
    promised: Vec<bool>,
    nonces: Vec<u64>,
    balances: Vec<U256>,
    facts: Facts,
}

fn block(number: u64, parent: B256, transactions: Vec<B256>) -> BlockFacts {
    BlockFacts {
        number: U64::from(number),
        hash: B256::repeat_byte(number as u8),
        parent_hash: parent,
        gas_limit: U64::from(1_000_000),
        gas_used: U64::from(transactions.len() * 21_000),
        timestamp: U64::from(number),
        base_fee_per_gas: None,
        transactions,
    }
}

impl Case {
    fn new(mix: &str) -> Self {
        let plan = plan(mix, 3, 8);
        let requests = requests(&plan, 1);
        let hashes: Vec<B256> = (0..8).map(|number| requests.hash(number)).collect();
        let first = block(5, B256::ZERO, hashes[..5].to_vec());
        let second = block(6, first.hash, hashes[5..].to_vec());
        let receipt = |number: usize| {
            let (block, index) = if number < 5 {
                (&first, number)
            } else {
                (&second, number - 5)
            };
            ReceiptFacts {
                transaction_hash: hashes[number],
                block_hash: block.hash,
                block_number: block.number,
                transaction_index: U64::from(index),
                status: U64::from(1),
                gas_used: U64::from(21_000),
                effective_gas_price: U128::from(7),
            }
        };
        let mut case = Self {
            senders: (1..=3).map(Address::repeat_byte).collect(),
            promised: vec![true; 8],
            nonces: vec![3; 3],
            balances: vec![U256::from(1_000_000_000_u64); 3],
            facts: Facts {
                receipts: (0..8).map(|number| Some(receipt(number))).collect(),
                blocks: vec![first, second],
                ..Facts::default()
            },
            plan,
            requests,
        };
        case.settle();
        case
    }

    fn expected(&self) -> Expected<'_> {
        Expected {
            plan: &self.plan,
            requests: &self.requests,
            senders: &self.senders,
            promised: self.promised.clone(),
            nonces: &self.nonces,
            balances: &self.balances,
        }
    }

    /// Accounts become what the receipts make of them.
    fn settle(&mut self) {
        let owned = Owned::after(&self.expected(), &self.facts.receipts);
        (self.facts.nonces, self.facts.balances) = (owned.nonces, owned.balances);
        self.facts.tokens = owned.tokens.into_iter().map(U256::from).collect();
        let writes = (0..8).filter(|number| self.plan.get(*number).kind == Kind::Storage);
        self.facts.slots = writes
            .map(|number| (number, U256::from(self.plan.get(number).amount)))
            .collect();
    }

    fn problems(&self) -> Vec<Problem> {
        verify(&self.expected(), &self.facts)
    }
}

fn check(change: impl FnOnce(&mut Case), expected: &[&str]) {
    let mut case = Case::new("mixed");
    assert_eq!(case.problems(), []);
    change(&mut case);
    let found: Vec<&str> = case.problems().iter().map(|problem| problem.what).collect();
    assert_eq!(found, expected, "{:?}", case.problems());
}

#[test]
fn a_right_chain_has_no_problems() {
    for mix in ["transfers", "erc20", "storage", "mixed"] {
        assert_eq!(Case::new(mix).problems(), [], "{mix}");
    }
}

#[test]
fn a_receipt_that_is_missing_is_found() {
    check(
        |case| {
            case.facts.receipts[4] = None;
            case.settle();
        },
        &[
            "a block's gas is not that of its receipts",
            "an accepted transaction has no receipt",
        ],
    );
}

#[test]
fn what_was_never_accepted_may_be_missing() {
    check(
        |case| {
            case.facts.receipts[7] = None;
            case.promised[7] = false;
            case.facts.blocks[1] = block(
                6,
                case.facts.blocks[0].hash,
                vec![case.requests.hash(5), case.requests.hash(6)],
            );
            case.settle();
            case.facts.slots.retain(|(number, _)| *number != 7);
        },
        &[],
    );
}

#[test]
fn a_balance_that_is_wrong_by_a_wei_is_found() {
    check(
        |case| case.facts.balances[1] += U256::from(1),
        &["a balance is wrong"],
    );
    check(
        |case| case.facts.tokens[0] -= U256::from(1),
        &["a balance of the token is wrong"],
    );
}

#[test]
fn a_transaction_in_two_blocks_is_found() {
    let twice = |case: &mut Case| {
        let hash = case.requests.hash(0);
        case.facts.blocks[1].transactions.push(hash);
    };
    check(twice, &["a transaction is twice in the chain"]);
    let again = |case: &mut Case| {
        let hash = case.requests.hash(1);
        case.facts.blocks[0].transactions.push(hash);
    };
    check(again, &["a transaction is twice in the chain"]);
}

#[test]
fn a_lost_or_repeated_nonce_is_found() {
    check(|case| case.facts.nonces[2] -= 1, &["a sender's nonce is wrong"]);
}

#[test]
fn a_failed_transaction_moves_nothing_but_is_paid() {
    let mut case = Case::new("transfers");
    let before = case.facts.balances.clone();
    case.facts.receipts[0].as_mut().unwrap().status = U64::ZERO;
    case.settle();
    let (one, paid) = (case.plan.get(0), U256::from(case.plan.get(0).amount));
    assert_eq!(
        case.facts.balances[one.from as usize],
        before[one.from as usize] + paid
    );
    let problems = case.problems();
    assert_eq!((problems.len(), problems[0].what), (1, "a transaction failed"));
}

#[test]
fn a_receipt_that_names_another_place_is_found() {
    let what = "a receipt names a place where its transaction is not";
    let receipt = |case: &mut Case, change: fn(&mut ReceiptFacts)| {
        change(case.facts.receipts[2].as_mut().unwrap());
    };
    check(
        |case| receipt(case, |r| r.transaction_index = U64::from(3)),
        &[what],
    );
    check(|case| receipt(case, |r| r.block_hash = B256::ZERO), &[what]);
    // Far outside of what was asked about.
    let gas = "a block's gas is not that of its receipts";
    check(
        |case| receipt(case, |r| r.block_number = U64::from(1)),
        &[gas, what],
    );
}

#[test]
fn blocks_that_break_their_own_rules_are_found() {
    check(
        |case| case.facts.blocks[0].gas_limit = U64::from(1),
        &["a block used more gas than its limit"],
    );
    check(
        |case| case.facts.blocks[1].parent_hash = B256::ZERO,
        &["a block does not follow the one before"],
    );
    check(
        |case| case.facts.blocks[0].gas_used += U64::from(1),
        &["a block's gas is not that of its receipts"],
    );
}

#[test]
fn a_slot_that_was_not_written_is_found() {
    let mut case = Case::new("storage");
    case.facts.slots[3].1 = U256::ZERO;
    let problems = case.problems();
    assert_eq!((problems.len(), problems[0].what), (1, "a slot is wrong"));
}

#[test]
fn many_cases_of_one_problem_are_counted_and_a_few_are_shown() {
    let mut case = Case::new("transfers");
    for receipt in case.facts.receipts.iter_mut().flatten() {
        receipt.effective_gas_price = U128::from(11);
    }
    case.settle();
    let problems = case.problems();
    assert_eq!(problems[0].what, "a transaction cost more than it offered");
    assert_eq!((problems[0].count, problems[0].examples.len()), (8, EXAMPLES_MAX));
}
