use super::*;
use purlin_chain_core::constitution::Constitution;
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_proto::B256;

fn who(n: u8) -> Address {
    Address::repeat_byte(n)
}

fn newest(from: u64) -> Newest {
    Newest {
        version: 1,
        constitution: Constitution {
            from,
            validators: ValidatorSet::new((1..=4).map(|n| (who(n), 1))).unwrap(),
            period: Duration::from_secs(1),
            gas_limit: 30_000_000,
        },
    }
}

#[test]
fn who_is_none_does_not_vote_and_nobody_while_a_change_is_on_its_way() {
    assert!(sensible(&newest(10), who(1), 10).is_ok());
    assert_eq!(sensible(&newest(10), who(9), 10).unwrap_err().exit, Exit::Denied);
    let failure = sensible(&newest(11), who(1), 10).unwrap_err();
    assert!(failure.what.contains("counts from height 11"), "{failure}");
}

#[test]
fn who_is_far_behind_is_not_up() {
    let one = |n, head: Value| json!({ "address": who(n), "head": head });
    let told = json!({ "height": 100, "seen": [one(1, json!(99)), one(2, json!(94)), one(3, json!(93)), one(4, Value::Null)] });
    assert_eq!(seen(&told), BTreeSet::from([who(1), who(2)]));
    assert_eq!(seen(&json!({})), BTreeSet::new());
}

#[test]
fn a_counted_vote_says_what_is_missing_or_when_it_is_in_force() {
    let vote = Vote::Period(Duration::from_millis(500));
    let mut counted = Counted {
        transaction: B256::ZERO,
        block: 5,
        power: 2,
        quorum: 3,
        decided: None,
    };
    assert_eq!(says(&vote, &counted), "2 of 3 needed to make a block every 500ms");
    (counted.power, counted.decided) = (3, Some((1, 7)));
    let text = says(&vote, &counted);
    assert!(text.ends_with("in force from block 7"), "{text}");
    assert_eq!(shown(&vote, &counted)["in_force_from"], 7);
}
