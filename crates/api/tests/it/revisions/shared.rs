//! Two nodes over one store of revisions.

use super::Host;
use crate::support::Node;
use axum::http::StatusCode;
use purlin_api::revisions::{ConfigHost, Note, Own, Proposal, Revisions, Settled};
use purlin_api::tokens::{NewToken, Tokens};
use purlin_api::{Problem, Role};
use serde_json::{Value, json};
use std::sync::Arc;

const OWN: Own = Own(&["node", "port"]);

/// One node of several.
struct Peer {
    host: Arc<Host>,
    revisions: Revisions,
}

fn file(id: &str, shared: &Value) -> Value {
    let mut file = json!({ "node": id });
    file.as_object_mut()
        .unwrap()
        .extend(shared.as_object().unwrap().clone());
    file
}

async fn started(node: &Node, file: &Value) -> (Peer, Settled) {
    let host = Arc::new(Host::default());
    let meaning = host.clone() as Arc<dyn ConfigHost>;
    let id = file["node"].as_str().unwrap();
    let revisions = Revisions::open_shared(
        node.ledger.clone(),
        node.clock.clone(),
        meaning,
        None,
        (id, OWN, file),
    )
    .await
    .unwrap();
    let (_, settled) = revisions.settle(file, "file").await.unwrap();
    (Peer { host, revisions }, settled)
}

impl Peer {
    async fn apply(&self, config: Value) -> Result<u64, Problem> {
        let note = Note::api("tester", "", false);
        let change = self.revisions.apply(Proposal { config, note }).await?;
        Ok(change.revision)
    }

    fn at(&self) -> (u64, Value) {
        let current = self.revisions.current();
        (current.number, Value::clone(&current.config))
    }
}

#[tokio::test]
async fn nodes_with_one_file_make_one_revision_and_keep_their_own_part() {
    let node = Node::new().await;
    for (id, settled) in [("a", Settled::Made), ("b", Settled::Same), ("c", Settled::Same)] {
        let file = file(id, &json!({ "x": 1 }));
        let (peer, became) = started(&node, &file).await;
        assert_eq!((became, peer.at()), (settled, (1, file)), "{id}");
    }
}

#[tokio::test]
async fn two_first_starts_at_once_make_one_revision() {
    let node = Node::new().await;
    let files = ["a", "b", "c", "d"].map(|id| file(id, &json!({ "x": 1 })));
    let all = futures_util::future::join_all(files.iter().map(|file| started(&node, file))).await;
    assert_eq!(
        all.iter()
            .filter(|(_, settled)| *settled == Settled::Made)
            .count(),
        1
    );
    assert!(all.iter().all(|(peer, _)| peer.at().0 == 1));
}

#[tokio::test]
async fn a_change_at_one_node_is_followed_by_the_others() {
    let node = Node::new().await;
    let (a, _) = started(&node, &file("a", &json!({ "x": 1 }))).await;
    let (b, _) = started(&node, &file("b", &json!({ "x": 1 }))).await;
    assert_eq!(a.apply(file("a", &json!({ "x": 2 }))).await.unwrap(), 2);
    assert!(b.revisions.follow().await.unwrap().is_some());
    assert_eq!(b.at(), (2, file("b", &json!({ "x": 2 }))));
    assert_eq!(b.host.applied.lock().unwrap().as_slice(), [b.at().1]);
    assert!(b.revisions.follow().await.unwrap().is_none());
    // Whoever has not looked yet catches up before it changes anything.
    assert_eq!(b.apply(file("b", &json!({ "x": 3 }))).await.unwrap(), 3);
    assert_eq!(a.apply(file("a", &json!({ "y": 4 }))).await.unwrap(), 4);
    assert_eq!(a.at(), (4, file("a", &json!({ "y": 4 }))));
}

#[tokio::test]
async fn what_is_a_nodes_own_is_left_as_it_is_and_said() {
    let node = Node::new().await;
    let (a, _) = started(&node, &file("a", &json!({ "x": 1 }))).await;
    let (b, _) = started(&node, &file("b", &json!({ "x": 1, "port": 7 }))).await;
    let note = Note::api("tester", "", false);
    let config = file("b", &json!({ "x": 2, "port": 7 }));
    let change = a.revisions.apply(Proposal { config, note }).await.unwrap();
    let warned: Vec<&str> = change.warnings.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(warned, ["node", "port"]);
    assert_eq!(a.at(), (2, file("a", &json!({ "x": 2 }))));
    b.revisions.follow().await.unwrap();
    assert_eq!(b.at(), (2, file("b", &json!({ "x": 2, "port": 7 }))));
    // Nothing is said of what a configuration does not mention.
    let note = Note::api("tester", "", false);
    let config = json!({ "x": 3 });
    let change = b.revisions.apply(Proposal { config, note }).await.unwrap();
    assert!(change.warnings.is_empty(), "{:?}", change.warnings);
    assert_eq!(b.at().1["node"], "b");
}

#[tokio::test]
async fn a_stale_file_never_takes_the_cluster_back() {
    let node = Node::new().await;
    let old = json!({ "x": 1 });
    let (a, _) = started(&node, &file("a", &old)).await;
    let (_, _) = started(&node, &file("b", &old)).await;
    a.apply(file("a", &json!({ "x": 2 }))).await.unwrap();
    // Started again with the file it always had.
    let (b, settled) = started(&node, &file("b", &old)).await;
    assert_eq!((settled, b.at().0), (Settled::Same, 2));
    // A changed file is new, at the first node that has it only.
    let new = json!({ "x": 5 });
    assert_eq!(started(&node, &file("b", &new)).await.1, Settled::Made);
    assert_eq!(started(&node, &file("a", &new)).await.1, Settled::Same);
    // A file from before that, put back by hand or with an old disk.
    let (b, settled) = started(&node, &file("b", &old)).await;
    assert_eq!((settled, b.at()), (Settled::Old(1), (3, file("b", &new))));
    // A node that was never here takes what there is.
    let (c, settled) = started(&node, &file("c", &json!({ "x": 9 }))).await;
    assert_eq!((settled, c.at()), (Settled::Joined, (3, file("c", &new))));
    let again = started(&node, &file("c", &json!({ "x": 9 }))).await.1;
    assert_eq!(again, Settled::Same, "nor at its next start");
}

#[tokio::test]
async fn a_file_read_again_changes_the_own_part_here_and_the_rest_everywhere() {
    let node = Node::new().await;
    let (a, _) = started(&node, &file("a", &json!({ "x": 1 }))).await;
    let (b, _) = started(&node, &file("b", &json!({ "x": 1 }))).await;
    let moved = file("a", &json!({ "x": 1, "port": 8 }));
    let (_, settled) = a.revisions.reread_file(&moved, "file").await.unwrap();
    assert_eq!((settled, a.at()), (Settled::Same, (1, moved.clone())));
    assert_eq!(a.host.applied.lock().unwrap().last(), Some(&moved));
    let changed = file("a", &json!({ "x": 2, "port": 8 }));
    let (_, settled) = a.revisions.reread_file(&changed, "file").await.unwrap();
    assert_eq!((settled, a.at()), (Settled::Made, (2, changed)));
    b.revisions.follow().await.unwrap();
    assert_eq!(b.at(), (2, file("b", &json!({ "x": 2 }))));
    let bad = file("a", &json!({ "x": 3, "bad": 1 }));
    let refused = a.revisions.reread_file(&bad, "file").await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(a.at().0, 2);
}

#[tokio::test]
async fn a_node_that_cannot_take_a_revision_over_says_so_until_it_can() {
    let node = Node::new().await;
    let (a, _) = started(&node, &file("a", &json!({ "x": 1 }))).await;
    let (b, _) = started(&node, &file("b", &json!({ "x": 1 }))).await;
    *b.host.refuses.lock().unwrap() = true;
    a.apply(json!({ "x": 2 })).await.unwrap();
    b.revisions.follow().await.unwrap_err();
    let standing = b.revisions.standing();
    let why = standing.trouble.unwrap_or_default();
    assert_eq!(standing.revision, 1);
    assert!(why.contains("revision 2") && why.contains("not today"), "{why}");
    b.apply(json!({ "x": 3 })).await.unwrap_err();
    *b.host.refuses.lock().unwrap() = false;
    b.revisions.follow().await.unwrap();
    let standing = b.revisions.standing();
    assert_eq!((standing.revision, standing.trouble), (2, None));
}

#[tokio::test]
async fn tokens_of_one_node_are_known_and_revoked_at_the_others() {
    let node = Node::new().await;
    let open = async || {
        Tokens::open(node.ledger.clone(), node.clock.clone())
            .await
            .unwrap()
    };
    let (a, b) = (open().await, open().await);
    let new = |role| NewToken {
        name: "made at a".into(),
        role,
        expires: None,
    };
    let (_, admin) = a.create(new(Role::Admin)).await.unwrap();
    let (view, text) = a.create(new(Role::Viewer)).await.unwrap();
    b.refresh().await.unwrap();
    assert!(b.verify(admin.reveal()).await.unwrap().is_some() && b.has_admin());
    assert!(b.verify(text.reveal()).await.unwrap().is_some());
    b.refresh().await.unwrap();
    assert!(
        b.recognise(text.reveal()).is_some(),
        "who was verified needs not be again"
    );
    a.refresh().await.unwrap();
    a.revoke(&view.id, false).await.unwrap();
    b.refresh().await.unwrap();
    assert!(b.recognise(text.reveal()).is_none() && b.verify(text.reveal()).await.unwrap().is_none());
}
