//! Two nodes with one tree and shared metadata.

use crate::support::{Differs, Rig, other_rig, until};
use purlin_tftp_core::plan::Plan;
use purlin_tftp_files::metadata::{Away, Forgotten, Metadata, Place};
use purlin_tftp_files::{Clock, FallbackMetadata, FileError, LocalMetadata, MetadataCache};
use std::sync::Arc;
use std::time::Duration;

fn nodes() -> (Arc<LocalMetadata>, Rig, Rig) {
    let shared = Arc::new(LocalMetadata::new(1_000, Arc::new(|| purlin_types::BootTime(1))));
    let node = || {
        other_rig(
            Differs {
                shared: Some(Arc::clone(&shared) as _),
                ..Differs::default()
            },
            |_| {},
        )
    };
    let (one, other) = (node(), node());
    let mut settings = one.settings.clone();
    settings.files.root = Some(one.root.clone());
    other.tree.apply(&Plan::compile(&settings));
    (shared, one, other)
}

#[test]
fn a_miss_is_looked_up_once_for_all_nodes() {
    let (_, one, other) = nodes();
    assert_eq!(one.get("none").err(), Some(FileError::NotFound));
    assert_eq!(other.get("none").err(), Some(FileError::NotFound));
    assert_eq!(
        other.tree.stats().stat_calls,
        0,
        "the other node's word was enough"
    );
}

/// Nobody else is there to tell it when the file comes.
#[test]
fn who_took_a_nodes_word_for_a_miss_needs_it_no_longer() {
    let (_, one, other) = nodes();
    assert!(one.get("none").is_err() && other.get("none").is_err());
    drop(one.tree);
    std::fs::write(one.root.join("none"), "came").unwrap();
    until("the notice", || other.get("none").is_ok());
    assert_eq!(other.text("none"), "came");
}

#[test]
fn what_one_node_hears_of_the_other_forgets() {
    let (shared, one, other) = nodes();
    assert!(one.get("a").is_err() && other.get("a").is_err());
    one.write("a", "now");
    until("the notice", || other.recall("a").is_none());
    until("the notice", || one.recall("a").is_none());
    // Notices of one writing come in several pieces, and each makes the others forget.
    let place = place(&one, "a");
    until("the last of the notices", || {
        other.tree.drop_all();
        assert_eq!(other.text("a"), "now");
        matches!(
            shared.recall(&place),
            Ok(Some(Metadata::File {
                size: 3,
                hash: Some(_),
                ..
            }))
        )
    });
}

fn place(node: &Rig, path: &str) -> Place {
    Place {
        root: node.root.to_str().unwrap().to_owned(),
        path: path.to_owned(),
    }
}

#[test]
fn nodes_whose_trees_differ_count_it() {
    let (shared, one, _other) = nodes();
    one.write("same", "text");
    one.write("other", "text");
    assert_eq!(
        (one.text("same"), one.text("other")),
        ("text".into(), "text".into())
    );
    assert_eq!(one.tree.stats().metadata_differs, 0);
    let told = shared.recall(&place(&one, "same")).unwrap().unwrap();
    let Metadata::File { size, hash, .. } = told else {
        panic!("a file: {told:?}")
    };
    let modified = purlin_types::WallTime(7);
    for (path, hash) in [("same", hash), ("other", hash.map(|hash| hash + 1))] {
        let found = Metadata::File { size, modified, hash };
        shared
            .keep(&place(&one, path), found, purlin_tftp_files::metadata::TTL)
            .unwrap();
    }
    one.tree.drop_all();
    assert_eq!(
        (one.text("same"), one.text("other")),
        ("text".into(), "text".into())
    );
    assert_eq!(one.tree.stats().metadata_differs, 1, "the octets, not the time");
}

/// An engine that nobody can reach.
struct Gone;

impl MetadataCache for Gone {
    fn recall(&self, _: &Place) -> Result<Option<Metadata>, Away> {
        Err(Away)
    }
    fn keep(&self, _: &Place, _: Metadata, _: Duration) -> Result<(), Away> {
        Err(Away)
    }
    fn forget(&self, _: &Place) -> Result<(), Away> {
        Err(Away)
    }
    fn listen(&self, _: Forgotten) {}
}

#[test]
fn without_its_engine_a_node_serves_as_if_alone() {
    let clock: Clock = Arc::new(|| purlin_types::BootTime(1));
    let near = LocalMetadata::new(1_000, Arc::clone(&clock));
    let engines: [Arc<dyn MetadataCache>; 2] = [
        Arc::new(Gone),
        Arc::new(FallbackMetadata::new(Arc::new(Gone), near, clock)),
    ];
    for (shared, away) in engines.into_iter().zip([0, 1]) {
        let differs = Differs {
            shared: Some(shared),
            ..Differs::default()
        };
        let node = other_rig(differs, |_| {});
        node.write("a", "text");
        assert_eq!(node.text("a"), "text");
        assert_eq!(node.get("none").err(), Some(FileError::NotFound));
        node.write("none", "now");
        until("the notice", || node.get("none").is_ok());
        assert_eq!(
            node.tree.stats().metadata_away,
            away,
            "asked once, then left alone"
        );
    }
}
