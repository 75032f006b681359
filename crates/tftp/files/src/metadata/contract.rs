//! What every engine for shared metadata must do.

use super::{Metadata, MetadataCache, Place};
use purlin_types::WallTime;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Runs the whole contract on an empty engine. `pass` lets that much time pass for it.
///
/// # Panics
/// With a sentence, where the engine does otherwise.
pub fn check(engine: &dyn MetadataCache, pass: &dyn Fn(Duration)) {
    what_is_put_is_found(engine);
    places_are_kept_apart(engine);
    nothing_is_believed_past_its_time(engine, pass);
    what_is_forgotten_is_gone_and_heard(engine);
}

const LONG: Duration = Duration::from_secs(60);

fn place(root: &str, path: &str) -> Place {
    Place {
        root: root.to_owned(),
        path: path.to_owned(),
    }
}

fn recall(engine: &dyn MetadataCache, place: &Place) -> Option<Metadata> {
    engine.recall(place).expect("the engine is there")
}

fn keep(engine: &dyn MetadataCache, place: &Place, found: Metadata, ttl: Duration) {
    engine.keep(place, found, ttl).expect("the engine is there");
}

fn what_is_put_is_found(engine: &dyn MetadataCache) {
    let here = place("/a", "found");
    assert_eq!(recall(engine, &here), None, "an empty engine knows nothing");
    let file = Metadata::File {
        size: u64::MAX,
        modified: WallTime(1),
        hash: Some(u128::MAX),
    };
    keep(engine, &here, file, LONG);
    assert_eq!(recall(engine, &here), Some(file), "what was put is found");
    keep(engine, &here, Metadata::Missing, LONG);
    assert_eq!(
        recall(engine, &here),
        Some(Metadata::Missing),
        "the last word counts"
    );
}

fn places_are_kept_apart(engine: &dyn MetadataCache) {
    keep(engine, &place("/a", "b/c"), Metadata::Missing, LONG);
    assert_eq!(
        recall(engine, &place("/a/b", "c")),
        None,
        "the root is part of the place"
    );
    assert_eq!(
        recall(engine, &place("/a", "B/c")),
        None,
        "letters are what they are"
    );
}

fn nothing_is_believed_past_its_time(engine: &dyn MetadataCache, pass: &dyn Fn(Duration)) {
    let here = place("/a", "short");
    keep(engine, &here, Metadata::Missing, Duration::from_secs(2));
    pass(Duration::from_secs(1));
    assert_eq!(
        recall(engine, &here),
        Some(Metadata::Missing),
        "half of the time is left"
    );
    pass(Duration::from_secs(2));
    assert_eq!(recall(engine, &here), None, "its time is over");
    keep(engine, &here, Metadata::Missing, Duration::ZERO);
    assert_eq!(recall(engine, &here), None, "no time is no time");
}

fn what_is_forgotten_is_gone_and_heard(engine: &dyn MetadataCache) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    engine.listen(Arc::new(move |place| {
        ear.lock().expect("no panic").push(place.clone());
    }));
    let (here, unknown) = (place("/a", "x"), place("/a", "y"));
    keep(engine, &here, Metadata::Missing, LONG);
    for place in [&here, &unknown] {
        engine.forget(place).expect("the engine is there");
    }
    assert_eq!(recall(engine, &here), None, "what is forgotten is gone");
    let heard = heard.lock().expect("no panic");
    assert_eq!(
        *heard,
        [here, unknown],
        "listeners hear of known and unknown places"
    );
}
