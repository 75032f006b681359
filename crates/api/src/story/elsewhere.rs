//! The parts of a story that other nodes have on record: a packet may have been decided about at any of them.

use super::{Chapter, Subject};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What one service of a node has to tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub service: String,
    pub chapter: Chapter,
}

/// What came from one node.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub node: String,
    /// Or why nothing came.
    pub parts: Result<Vec<Part>, String>,
}

/// The other nodes.
pub trait Elsewhere: Send + Sync {
    /// Asks all of them at once, and waits no longer than a person would.
    fn ask<'a>(&'a self, subject: &'a Subject, limit: usize) -> BoxFuture<'a, Vec<Heard>>;
}

/// Chapters of all nodes by service, each decision with its node; the newest `limit` of each service. Nodes that said
/// nothing go to `missing`, with the reason.
pub(super) fn unite(
    (here, mut chapters): (&str, Vec<(&'static str, Chapter)>),
    heard: Vec<Heard>,
    limit: usize,
    missing: &mut Vec<(String, String)>,
) -> Vec<(&'static str, Chapter)> {
    for (_, chapter) in &mut chapters {
        place(here, &mut chapter.decisions);
    }
    for Heard { node, parts } in heard {
        match parts {
            Err(why) => missing.push((node, why)),
            Ok(parts) => {
                for (service, chapter) in &mut chapters {
                    let theirs = parts.iter().find(|part| part.service == *service);
                    if let Some(theirs) = theirs {
                        add(chapter, &node, &theirs.chapter);
                    }
                }
            }
        }
    }
    for (_, chapter) in &mut chapters {
        // The same order whoever is asked.
        let order =
            |step: &Value| ["at", "node"].map(|key| step[key].as_str().unwrap_or_default().to_owned());
        chapter.decisions.sort_by_cached_key(order);
        let older = chapter.decisions.len().saturating_sub(limit);
        chapter.decisions.drain(..older);
    }
    chapters
}

/// Who has seen the subject knows how things stand.
fn add(chapter: &mut Chapter, node: &str, theirs: &Chapter) {
    let mut decisions = theirs.decisions.clone();
    place(node, &mut decisions);
    chapter.decisions.extend(decisions);
    if theirs.seen && !chapter.seen {
        chapter.seen = true;
        chapter.summary.clone_from(&theirs.summary);
        chapter.checks.clone_from(&theirs.checks);
        chapter.more.clone_from(&theirs.more);
    }
}

fn place(node: &str, decisions: &mut [Value]) {
    for decision in decisions {
        decision["node"] = node.into();
    }
}

/// A story that lacks a node's part says so.
pub(super) fn name_missing(story: &mut Value, missing: &[(String, String)]) {
    let named = missing
        .iter()
        .map(|(node, why)| json!({ "node": node, "why": why }));
    story["missing"] = named.collect();
    if let Some(checks) = story["checks"].as_array_mut() {
        let told = missing
            .iter()
            .map(|(node, why)| Value::from(format!("what {node} decided is missing here: {why}")));
        checks.extend(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(seen: bool, at: &[&str]) -> Chapter {
        Chapter {
            seen,
            summary: if seen { "seen" } else { "nothing" }.to_owned(),
            decisions: at.iter().map(|at| json!({ "at": at })).collect(),
            ..Chapter::default()
        }
    }

    fn heard(node: &str, parts: Result<Chapter, &str>) -> Heard {
        let part = |chapter| Part {
            service: "dhcp".to_owned(),
            chapter,
        };
        Heard {
            node: node.to_owned(),
            parts: parts.map(|chapter| vec![part(chapter)]).map_err(str::to_owned),
        }
    }

    #[test]
    fn a_step_at_another_node_has_its_place_and_its_name() {
        let mut missing = Vec::new();
        let own = vec![("dhcp", chapter(true, &["1", "3"]))];
        let others = vec![
            heard("b", Ok(chapter(true, &["2"]))),
            heard("c", Err("it is silent")),
        ];
        let told = unite(("a", own), others, 10, &mut missing);
        let nodes: Vec<_> = told[0]
            .1
            .decisions
            .iter()
            .map(|d| d["node"].as_str().unwrap())
            .collect();
        assert_eq!(nodes, ["a", "b", "a"]);
        assert_eq!(missing, [("c".to_owned(), "it is silent".to_owned())]);
        let mut story = json!({ "checks": [] });
        name_missing(&mut story, &missing);
        assert_eq!(story["missing"][0]["node"], "c");
        assert_eq!(story["checks"][0], "what c decided is missing here: it is silent");
    }

    #[test]
    fn who_has_seen_the_machine_tells_how_things_stand() {
        let own = vec![("dhcp", chapter(false, &[]))];
        let told = unite(
            ("a", own),
            vec![heard("b", Ok(chapter(true, &["2"])))],
            10,
            &mut Vec::new(),
        );
        assert!(told[0].1.seen);
        assert_eq!(told[0].1.summary, "seen");
    }

    #[test]
    fn the_newest_of_all_nodes_are_told() {
        let own = vec![("dhcp", chapter(true, &["1", "2"]))];
        let told = unite(
            ("a", own),
            vec![heard("b", Ok(chapter(true, &["3", "0"])))],
            2,
            &mut Vec::new(),
        );
        let at: Vec<_> = told[0]
            .1
            .decisions
            .iter()
            .map(|d| d["at"].as_str().unwrap())
            .collect();
        assert_eq!(at, ["2", "3"]);
    }
}
