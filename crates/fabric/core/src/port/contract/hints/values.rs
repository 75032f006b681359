//! Kept values, and globs that name them.

use super::{HintsRig, LONG, LONGER, SHORT};
use crate::port::{Heartbeat, Hints, SessionRow, Token};

async fn keep(hints: &dyn Hints, keys: &[&str]) {
    for key in keys {
        hints.keep(key, key.as_bytes(), LONG).await.expect("it answers");
    }
}

pub(super) async fn a_value_is_recalled_until_it_lapses(rig: &dyn HintsRig) {
    let (one, two) = (rig.hints().await, rig.hints().await);
    assert_eq!(two.recall("k").await.expect("it answers"), None);
    one.keep("k", &[0, 255, 1], LONG).await.expect("it answers");
    assert_eq!(two.recall("k").await.expect("it answers"), Some(vec![0, 255, 1]));
    one.keep("k", b"", LONG).await.expect("it answers");
    assert_eq!(two.recall("k").await.expect("it answers"), Some(Vec::new()));
    two.keep("k", b"short", SHORT).await.expect("it answers");
    one.keep("long", b"long", LONG).await.expect("it answers");
    rig.pass(LONGER).await;
    assert_eq!(one.recall("k").await.expect("it answers"), None);
    assert!(one.recall("long").await.expect("it answers").is_some());
}

/// Patterns as Redis has them: `*`, `?`, `[abc]`, `[a-z]`, `[^a]`, and a backslash for the character itself.
pub(super) async fn patterns_name_keys_as_globs(rig: &dyn HintsRig) {
    let keys = [
        "switch:1",
        "switch:22",
        "switch",
        "topology:switch:1",
        "hello",
        "hallo",
        "hxllo",
        "h*llo",
        "hllo",
    ];
    let cases: [(&str, &[&str]); 10] = [
        ("switch:*", &["switch:1", "switch:22"]),
        ("switch:?", &["switch:1"]),
        (
            "*switch*",
            &["switch:1", "switch:22", "switch", "topology:switch:1"],
        ),
        ("h[ae]llo", &["hello", "hallo"]),
        ("h[^e]llo", &["hallo", "hxllo", "h*llo"]),
        ("h[a-f]llo", &["hello", "hallo"]),
        (r"h\*llo", &["h*llo"]),
        ("h*llo", &["hello", "hallo", "hxllo", "h*llo", "hllo"]),
        ("nothing", &[]),
        ("", &[]),
    ];
    let hints = rig.hints().await;
    for (pattern, named) in cases {
        keep(hints.as_ref(), &keys).await;
        let forgotten = hints.forget(pattern).await.expect("it answers");
        assert_eq!(forgotten, named.len() as u64, "{pattern}");
        for key in keys {
            let kept = hints.recall(key).await.expect("it answers").is_some();
            assert_eq!(kept, !named.contains(&key), "{key} under {pattern}");
        }
    }
    let many: Vec<String> = (0..1500).map(|n| format!("many:{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    keep(hints.as_ref(), &many).await;
    assert_eq!(hints.forget("many:*").await.expect("it answers"), 1500);
    assert_eq!(hints.forget("many:*").await.expect("it answers"), 0);
}

pub(super) async fn forgetting_all_values_leaves_all_else(rig: &dyn HintsRig) {
    let hints = rig.hints().await;
    let beat = Heartbeat {
        node: "a".into(),
        incarnation: 1,
        body: "{}".into(),
    };
    let session = SessionRow {
        id: "s".into(),
        node: "a".into(),
        user: "u".into(),
        generation: 1,
        cursor: 0,
        ttl: 0,
    };
    hints.beat(&beat, LONG).await.expect("it answers");
    hints.put_session(&session, LONG).await.expect("it is new");
    assert!(hints.lock("l", Token(1), LONG).await.expect("it answers"));
    keep(hints.as_ref(), &["a", "s", "l"]).await;
    assert_eq!(hints.forget("*").await.expect("it answers"), 3);
    assert_eq!(hints.beats().await.expect("it answers"), [beat]);
    assert!(hints.session("s").await.expect("it answers").is_some());
    hints.extend("l", Token(1), LONG).await.expect("it is ours");
}
