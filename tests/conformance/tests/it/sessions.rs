//! Sessions, locks and caches over several nodes: what their clients are promised.

mod caching;
mod doctoring;
mod following;
mod lasting;
mod locking;
mod measuring;
mod moving;
mod platform;
mod revoking;
mod shipped;

use purlin_conformance::Member;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Scope;

/// The topic of numbered events.
const NUMBERED: &str = "cache.invalidate";

/// Lets something numbered happen at a node: every node forgets what `number:N` names.
fn happen(node: &Member, number: u64) -> bool {
    let order = json!({ "patterns": [format!("number:{number}")] });
    let answered = node.ask("POST", "/api/v1/cluster/invalidations", Some(&order));
    answered.is_some_and(|(status, _)| status == 202)
}

/// Numbered events that happen one after another, until they are stopped.
#[derive(Default)]
struct Happening {
    over: AtomicBool,
    count: AtomicU64,
}

impl Happening {
    /// Begins; the count tells what has happened for certain. It ends with what is given, also when the test fails.
    fn begin<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, node: &'scope Member) -> Ending<'scope> {
        scope.spawn(move || {
            while !self.over.load(Ordering::Relaxed) {
                let number = self.count() + 1;
                assert!(happen(node, number), "{number} was refused");
                self.count.store(number, Ordering::Relaxed);
            }
        });
        Ending(self)
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Ends what happens when it is dropped.
#[must_use]
struct Ending<'a>(&'a Happening);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// `number:1` to `number:count`.
fn numbers(count: u64) -> Vec<String> {
    (1..=count).map(|number| format!("number:{number}")).collect()
}

/// All sessions as a node lists them.
fn sessions(node: &Member) -> Vec<Value> {
    let (_, page) = node.get("/api/v1/cluster/sessions").expect("it answers");
    page["items"].as_array().cloned().unwrap_or_default()
}

/// The value of a series in a node's metrics, by its beginning; 0 without one.
fn metric(node: &Member, series: &str) -> f64 {
    let text = node.scrape();
    let line = text.lines().find(|line| line.starts_with(series));
    let value = line.and_then(|line| line.rsplit_once(' '));
    value.map_or(0.0, |(_, value)| value.parse().expect("a number"))
}
