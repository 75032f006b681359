//! A service that forgets or vanishes: allowed, as long as nobody waits for ever.

use super::{HintsRig, LONG, PAUSE, TRIES};
use crate::port::{HintFault, SessionRow, Token};

fn session() -> SessionRow {
    SessionRow {
        id: "s".into(),
        node: "a".into(),
        user: "u".into(),
        generation: 5,
        cursor: 0,
        ttl: 0,
    }
}

pub(super) async fn an_emptied_service_works_on(rig: &dyn HintsRig) {
    let hints = rig.hints().await;
    hints.put_session(&session(), LONG).await.expect("it is new");
    assert!(hints.lock("l", Token(1), LONG).await.expect("it answers"));
    if !rig.flush().await {
        return;
    }
    assert_eq!(hints.session("s").await.expect("it answers"), None);
    assert_eq!(hints.sessions("", 10).await.expect("it answers"), []);
    assert!(hints.lock("l", Token(2), LONG).await.expect("it answers"));
    hints
        .put_session(&session(), LONG)
        .await
        .expect("whoever has it says so again");
    assert!(hints.session("s").await.expect("it answers").is_some());
}

/// Every call gives `Away` before a caller loses patience; later the same handle works again.
pub(super) async fn a_service_that_is_away_says_so_and_comes_back(rig: &dyn HintsRig) {
    let hints = rig.hints().await;
    hints.keep("k", b"v", LONG).await.expect("it answers");
    if !rig.away(true).await {
        return;
    }
    let faults = [
        hints.beats().await.err(),
        hints.put_session(&session(), LONG).await.err(),
        hints.session("s").await.err(),
        hints.lock("l", Token(1), LONG).await.err(),
        hints.unlock("l", Token(1)).await.err(),
        hints.publish("c", b"m").await.err(),
        hints.recall("k").await.err(),
        hints.forget("*").await.err(),
    ];
    for (n, fault) in faults.iter().enumerate() {
        assert!(matches!(fault, Some(HintFault::Away(_))), "call {n}: {fault:?}");
    }
    rig.away(false).await;
    for _ in 0..TRIES {
        if hints.keep("k", b"v", LONG).await.is_ok() {
            return;
        }
        rig.pass(PAUSE).await;
    }
    panic!("it has not come back");
}
