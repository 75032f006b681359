//! Whether sessions stay where they are, and are where they should be.

use super::finding::Finding;
use super::others::Sessions;
use crate::routes::Books;

const NAME: &str = "cluster/sessions";
/// A node with so many times the mean, and so many more than it, has too many.
const SKEW: f64 = 2.0;
const SKEW_AT_LEAST: f64 = 20.0;

pub(super) fn look(books: &Books, nodes: &[(String, Sessions)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if books.coordination != "redis" && nodes.len() > 1 {
        findings.push(Finding::warn(
            NAME,
            "sessions do not move between nodes: without Redis they have no registry in common",
            "set coordination.engine to redis, or accept that clients of a node that ends log in anew",
        ));
    }
    findings.extend(odd(nodes));
    findings.extend(skewed(nodes));
    if findings.is_empty() {
        let open: usize = nodes.iter().map(|(_, sessions)| sessions.open).sum();
        findings.push(Finding::pass(NAME, format!("{open} sessions, each at its node")));
    }
    findings
}

fn odd(nodes: &[(String, Sessions)]) -> Vec<Finding> {
    let sum = |of: fn(&Sessions) -> u64| nodes.iter().map(|(_, sessions)| of(sessions)).sum::<u64>();
    let mut findings = Vec::new();
    let strays = sum(|sessions| sessions.strays);
    if strays > 0 {
        findings.push(Finding::warn(
            NAME,
            format!("{strays} times a client came back to another node although its own was there"),
            "let the balancer keep clients at their nodes (ip_hash in nginx, balance source in HAProxy, hash in purlin lb), with timeouts above sessions.ttl",
        ));
    }
    let strangers = sum(|sessions| sessions.strangers);
    if strangers > 0 {
        findings.push(Finding::warn(
            NAME,
            format!("{strangers} times somebody came with the session of another user"),
            "look in purlin audit for whose; those sessions were ended or refused",
        ));
    }
    findings
}

fn skewed(nodes: &[(String, Sessions)]) -> Option<Finding> {
    let open = |sessions: &Sessions| sessions.open as f64;
    let mean = nodes.iter().map(|(_, sessions)| open(sessions)).sum::<f64>() / nodes.len().max(1) as f64;
    let (most, sessions) = nodes.iter().max_by_key(|(_, sessions)| sessions.open)?;
    let skewed = open(sessions) > mean * SKEW && open(sessions) > mean + SKEW_AT_LEAST;
    skewed.then(|| {
        Finding::warn(
            NAME,
            format!("{most} has {} sessions, {mean:.0} are the mean", sessions.open),
            "see whether the balancer reaches all nodes; new clients even it out, or drain that node",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(node: &str, open: usize, strays: u64, strangers: u64) -> (String, Sessions) {
        let sessions = Sessions {
            open,
            strays,
            strangers,
        };
        (node.to_owned(), sessions)
    }

    #[test]
    fn only_a_node_far_above_the_mean_is_told_of() {
        assert!(skewed(&[at("a", 15, 0, 0), at("b", 0, 0, 0), at("c", 0, 0, 0)]).is_none());
        assert!(skewed(&[at("a", 500, 0, 0), at("b", 400, 0, 0)]).is_none());
        let found = skewed(&[at("a", 500, 0, 0), at("b", 10, 0, 0), at("c", 20, 0, 0)]);
        assert!(
            found.expect("it is told of").to_json()["detail"]
                .as_str()
                .is_some_and(|says| says.starts_with("a has 500"))
        );
    }

    #[test]
    fn strays_and_strangers_of_all_nodes_are_told_of() {
        assert!(odd(&[at("a", 1, 0, 0)]).is_empty());
        assert_eq!(odd(&[at("a", 1, 1, 0), at("b", 1, 2, 4)]).len(), 2);
    }
}
