//! Advisory locks.

use super::super::together;
use super::{HintsRig, LONG, LONGER, SHORT, conflict};
use crate::port::{HintFault, Later, Token};

const MINE: Token = Token(u128::MAX);
const THEIRS: Token = Token(1);
const NAME: &str = "switch:update:6f1c";

pub(super) async fn a_lock_is_held_by_one_and_lapses(rig: &dyn HintsRig) {
    let (one, two) = (rig.hints().await, rig.hints().await);
    assert!(one.lock(NAME, MINE, SHORT).await.expect("it answers"));
    assert!(!two.lock(NAME, THEIRS, LONG).await.expect("it answers"));
    let again = one.lock(NAME, MINE, SHORT).await;
    assert!(again.expect("it answers"), "the first answer may have been lost");
    let another = two.lock("switch:update", THEIRS, LONG).await;
    assert!(another.expect("it answers"), "names are apart");
    let held = two.locks().await.expect("it answers");
    let mut names: Vec<&str> = held.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["switch:update", NAME]);
    for (name, left) in &held {
        let given = if name == NAME { SHORT } else { LONG };
        assert!(*left <= given, "{name} has {left:?}");
    }
    rig.pass(LONGER).await;
    assert_eq!(one.locks().await.expect("it answers").len(), 1);
    assert!(two.lock(NAME, THEIRS, LONG).await.expect("it answers"));
    conflict(one.extend(NAME, MINE, LONG).await);
    conflict(one.unlock(NAME, MINE).await);
    assert!(!one.lock(NAME, MINE, LONG).await.expect("it answers"));
}

pub(super) async fn one_of_many_gets_a_lock(rig: &dyn HintsRig) {
    let mut hints = Vec::new();
    for _ in 0..6 {
        hints.push(rig.hints().await);
    }
    for round in 0..4 {
        let tries = (0_u128..)
            .zip(&hints)
            .map(|(n, hints)| hints.lock(NAME, Token(n), LONG) as Later<'_, _>);
        let outcomes: Vec<Result<bool, HintFault>> = together::all(tries.collect()).await;
        let got: Vec<u128> = (0_u128..)
            .zip(outcomes)
            .filter_map(|(n, got)| got.expect("it answers").then_some(n))
            .collect();
        let [winner] = got[..] else {
            panic!("round {round}: held by {got:?}");
        };
        hints[0]
            .unlock(NAME, Token(winner))
            .await
            .expect("it is that one's");
    }
}

pub(super) async fn only_the_token_extends_and_unlocks(rig: &dyn HintsRig) {
    let (one, two) = (rig.hints().await, rig.hints().await);
    conflict(one.extend(NAME, MINE, LONG).await);
    conflict(one.unlock(NAME, MINE).await);
    assert!(one.lock(NAME, MINE, SHORT).await.expect("it answers"));
    conflict(two.extend(NAME, THEIRS, LONG).await);
    conflict(two.unlock(NAME, THEIRS).await);
    one.extend(NAME, MINE, LONG).await.expect("it is ours");
    rig.pass(LONGER).await;
    assert!(
        !two.lock(NAME, THEIRS, LONG).await.expect("it answers"),
        "it was extended"
    );
    one.unlock(NAME, MINE).await.expect("it is ours");
    conflict(one.unlock(NAME, MINE).await);
    assert!(two.lock(NAME, THEIRS, LONG).await.expect("it answers"));
    conflict(one.unlock(NAME, MINE).await);
    assert_eq!(two.locks().await.expect("it answers").len(), 1);
}
