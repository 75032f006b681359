//! Hints through a service that others can read.

use purlin_fabric::port::contract::hints::{self, HintsRig};
use purlin_fabric::port::{Heartbeat, HintFault, Hints, Later, SessionRow};
use purlin_fabric_mesh::SealedHints;
use purlin_fabric_runtime::local::LocalHints;
use purlin_types::{BootTime, Now, WallTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SECRET: &[u8] = b"a secret of some length";
const LONG: Duration = Duration::from_secs(600);

/// A service within the process, and its clock.
struct Service {
    plain: Arc<LocalHints>,
    millis: Arc<AtomicU64>,
}

impl Service {
    fn new() -> Self {
        let millis = Arc::new(AtomicU64::new(1));
        let clock = Arc::clone(&millis);
        let now = move || Now {
            boot: BootTime(clock.load(Ordering::Relaxed) * 1_000_000),
            wall: WallTime(0),
        };
        Self {
            plain: Arc::new(LocalHints::new(Arc::new(now))),
            millis,
        }
    }

    fn with(&self, secret: &[u8]) -> SealedHints {
        SealedHints::new(secret, Arc::clone(&self.plain) as Arc<dyn Hints>)
    }
}

impl HintsRig for Service {
    fn hints(&self) -> Later<'_, Arc<dyn Hints>> {
        Box::pin(async { Arc::new(self.with(SECRET)) as Arc<dyn Hints> })
    }

    fn pass(&self, time: Duration) -> Later<'_, ()> {
        Box::pin(async move {
            let millis = u64::try_from(time.as_millis()).expect("a short time");
            self.millis.fetch_add(millis, Ordering::Relaxed);
            tokio::task::yield_now().await;
        })
    }

    fn cut(&self) -> Later<'_, bool> {
        Box::pin(async {
            self.plain.cut();
            true
        })
    }

    fn flush(&self) -> Later<'_, bool> {
        Box::pin(async {
            self.plain.flush();
            true
        })
    }

    fn away(&self, away: bool) -> Later<'_, bool> {
        Box::pin(async move {
            self.plain.away(away);
            true
        })
    }
}

fn session(user: &str) -> SessionRow {
    SessionRow {
        id: "s".into(),
        node: "a".into(),
        user: user.into(),
        generation: 1,
        cursor: 0,
        ttl: 0,
    }
}

fn beat(body: &str) -> Heartbeat {
    Heartbeat {
        node: "a".into(),
        incarnation: 1,
        body: body.into(),
    }
}

#[tokio::test]
async fn sealed_hints_keep_the_contract() {
    hints::all(async || Service::new()).await;
}

#[tokio::test]
async fn s4_145_s4_146_what_the_service_has_tells_nothing_of_what_was_said() {
    let service = Service::new();
    let (sealed, plain) = (service.with(SECRET), &service.plain);
    let mut heard = plain.subscribe(&["news"]).await.expect("it answers");
    sealed.put_session(&session("alice"), LONG).await.expect("new");
    sealed
        .beat(&beat("{\"load\":7}"), LONG)
        .await
        .expect("it answers");
    sealed
        .keep("k", b"a note of alice", LONG)
        .await
        .expect("it answers");
    sealed.publish("news", b"alice came").await.expect("it answers");
    let seen = [
        plain
            .session("s")
            .await
            .expect("it answers")
            .expect("known")
            .user
            .into_bytes(),
        plain
            .beats()
            .await
            .expect("it answers")
            .remove(0)
            .body
            .into_bytes(),
        plain.recall("k").await.expect("it answers").expect("kept"),
        heard.next().await.expect("heard").body,
    ];
    for (seen, said) in seen.iter().zip(["alice", "load", "alice", "alice"]) {
        assert!(
            !seen.windows(said.len()).any(|part| part == said.as_bytes()),
            "{said}"
        );
    }
    assert_ne!(seen[0], seen[2], "no two look alike");
}

#[tokio::test]
async fn what_another_secret_has_sealed_is_not_there_and_is_counted() {
    let service = Service::new();
    let (ours, theirs) = (service.with(SECRET), service.with(b"another secret of length"));
    let mut heard = ours.subscribe(&["news"]).await.expect("it answers");
    theirs.put_session(&session("mallory"), LONG).await.expect("new");
    theirs.beat(&beat("{}"), LONG).await.expect("it answers");
    theirs.keep("k", b"v", LONG).await.expect("it answers");
    theirs.publish("news", b"false").await.expect("it answers");
    // Somebody who knows nothing of sealing at all, too.
    service.plain.publish("news", b"false").await.expect("it answers");
    ours.publish("news", b"true").await.expect("it answers");
    assert_eq!(heard.next().await.expect("heard").body, b"true");
    assert_eq!(ours.session("s").await.expect("it answers"), None);
    assert_eq!(ours.beats().await.expect("it answers"), []);
    assert_eq!(ours.recall("k").await.expect("it answers"), None);
    assert_eq!(ours.sessions("", 9).await.expect("it answers")[0].user, "");
    let node = purlin_types::NodeId::parse("b").expect("a good name");
    let moved = ours.move_session("s", 1, &node, "t", LONG).await;
    assert!(matches!(moved, Err(HintFault::Conflict)), "{moved:?}");
    assert_eq!((ours.strange(), theirs.strange()), (7, 0));
}

#[tokio::test]
async fn a_value_under_another_key_and_a_message_in_another_channel_do_not_open() {
    let service = Service::new();
    let (ours, plain) = (service.with(SECRET), &service.plain);
    ours.keep("one", b"v", LONG).await.expect("it answers");
    let sealed = plain.recall("one").await.expect("it answers").expect("kept");
    plain.keep("two", &sealed, LONG).await.expect("it answers");
    assert_eq!(ours.recall("two").await.expect("it answers"), None);
    assert_eq!(ours.recall("one").await.expect("it answers"), Some(b"v".to_vec()));
}
