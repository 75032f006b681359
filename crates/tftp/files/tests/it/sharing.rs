//! Two nodes with one tree and shared metadata.

use crate::support::{Differs, Rig, other_rig, until};
use purlin_tftp_core::plan::Plan;
use purlin_tftp_files::shared::{Metadata, Place};
use purlin_tftp_files::{FileError, LocalMetadata, SharedMetadata};
use std::sync::Arc;

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

#[test]
fn what_one_node_hears_of_the_other_forgets() {
    let (shared, one, other) = nodes();
    assert!(one.get("a").is_err() && other.get("a").is_err());
    one.write("a", "now");
    until("the notice", || other.recall("a").is_none());
    until("the notice", || one.recall("a").is_none());
    assert_eq!(other.text("a"), "now");
    let place = Place {
        root: one.root.to_str().unwrap().to_owned(),
        path: "a".to_owned(),
    };
    assert!(matches!(shared.get(&place), Some(Metadata::File { size: 3, .. })));
}
