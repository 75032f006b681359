//! `dhcp.datacenter.scaling`: how addresses are shared out between nodes, and when there should be more or fewer nodes.
//!
//! The guide keeps these keys with DHCP; what they mean is the cluster's, so that this is only their checked shape.

use super::context::Context;
use super::keys;
use purlin_config::{Document, Fault, FromNode, Reader, codes as general};
use std::time::Duration;

const DISTRIBUTION: &str = "dhcp.datacenter.scaling.load_distribution";
const AUTO: &str = "dhcp.datacenter.scaling.auto_scaling";

/// What the keys say; what they do not say has its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaling {
    pub distribution: Distribution,
    pub auto: AutoScaling,
}

/// How shares of the addresses are given to nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distribution {
    pub method: Method,
    /// The owner and its standbys, 1 to 16; default 3.
    pub replication_factor: u8,
    /// The same where it was asked for: then nodes are not taken out below it.
    pub required_copies: Option<u8>,
    /// Points on the ring per node of usual weight, 1 to 100,000; default 100.
    pub virtual_nodes: u32,
}

/// How the node for a share is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A ring of points.
    ConsistentHashing,
    /// Each share draws its node by hash.
    Hash,
    /// As consistent hashing, but every node gets exactly its part.
    Even,
}

/// When nodes come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoScaling {
    /// Whether the driver acts. Recommendations are made in any case.
    pub enabled: bool,
    /// 1 or more; default 1.
    pub min_nodes: u16,
    /// Not below `min_nodes`; default 10.
    pub max_nodes: u16,
    /// Percent, 2 to 100; default 70.
    pub scale_up_threshold: u8,
    /// Percent, below the other; default 30.
    pub scale_down_threshold: u8,
    /// Default 300 s.
    pub cooldown: Duration,
    /// Load counts upward when it lasted so long; default 60 s.
    pub scale_up_after: Duration,
    /// And downward; default 300 s.
    pub scale_down_after: Duration,
    /// Requests per second that a node is meant for; `None` leaves them out.
    pub requests_per_node: Option<u32>,
    pub driver: Driver,
}

/// Who acts on a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// Nobody: whoever reads the recommendation does.
    Recommend,
    /// A program of the hooks directory, run by the leader.
    Exec { command: String, timeout: Duration },
}

/// What a document says. Types, ranges and what does not fit together were refused with the rest of `[dhcp]`.
#[must_use]
pub fn scaling(document: &Document) -> Scaling {
    let number = |path: &str, default: i64| value::<i64>(document, path).unwrap_or(default);
    let auto = |key: &str, default: i64| number(&format!("{AUTO}.{key}"), default);
    let seconds = |key: &str, default| value(document, &format!("{AUTO}.{key}")).unwrap_or(default);
    let driver: Option<String> = value(document, &format!("{AUTO}.driver"));
    let command: Option<String> = value(document, &format!("{AUTO}.command"));
    Scaling {
        distribution: Distribution {
            method: method(value::<String>(document, &format!("{DISTRIBUTION}.method")).as_deref()),
            replication_factor: number(&format!("{DISTRIBUTION}.replication_factor"), 3) as u8,
            required_copies: value::<i64>(document, &format!("{DISTRIBUTION}.replication_factor"))
                .map(|copies| copies as u8),
            virtual_nodes: number(&format!("{DISTRIBUTION}.virtual_nodes"), 100) as u32,
        },
        auto: AutoScaling {
            enabled: value(document, &format!("{AUTO}.enabled")).unwrap_or(false),
            min_nodes: auto("min_nodes", MIN_NODES) as u16,
            max_nodes: auto("max_nodes", MAX_NODES) as u16,
            scale_up_threshold: auto("scale_up_threshold", UP) as u8,
            scale_down_threshold: auto("scale_down_threshold", DOWN) as u8,
            cooldown: seconds("cooldown_period", Duration::from_secs(300)),
            scale_up_after: seconds("scale_up_after", Duration::from_secs(60)),
            scale_down_after: seconds("scale_down_after", Duration::from_secs(300)),
            requests_per_node: value::<i64>(document, &format!("{AUTO}.requests_per_node"))
                .map(|rate| rate as u32),
            driver: match (driver.as_deref(), command) {
                (Some("exec"), Some(command)) => Driver::Exec {
                    command,
                    timeout: seconds("command_timeout", Duration::from_secs(60)),
                },
                _ => Driver::Recommend,
            },
        },
    }
}

const MIN_NODES: i64 = 1;
const MAX_NODES: i64 = 10;
const UP: i64 = 70;
const DOWN: i64 = 30;

fn method(word: Option<&str>) -> Method {
    match word {
        Some("ip_hash") => Method::Hash,
        Some("round_robin" | "weighted_round_robin") => Method::Even,
        _ => Method::ConsistentHashing,
    }
}

fn value<T: FromNode>(document: &Document, path: &str) -> Option<T> {
    T::from_node(document.get(path)?)
}

/// What the schema alone cannot see.
pub(super) fn check(context: &mut Context<'_>) {
    let document = context.document;
    if let Some(node) = document.get(AUTO).filter(|node| node.as_table().is_some()) {
        let reader = Reader::table(node, &[keys::AUTO_SCALING], AUTO.to_owned());
        bounds(&reader, context);
        driver(&reader, context);
    }
    let path = format!("{DISTRIBUTION}.method");
    if let Some(node) = document.get(&path)
        && let Some(word @ ("least_connections" | "least_load")) = node.as_str()
    {
        let message =
            format!("`{word}` cannot say whose an address is: it belongs to one node whatever the load");
        let help = "planned by consistent hashing; a balancer in front of the nodes can choose by load";
        let fault = Fault::error(general::MAPPED, path, node.span, message);
        context.faults.push(fault.as_warning().help(help));
    }
}

/// Values that contradict each other, or the default of one that is not there.
fn bounds(reader: &Reader<'_>, context: &mut Context<'_>) {
    let pairs = [
        ("min_nodes", MIN_NODES, "max_nodes", MAX_NODES, true),
        ("scale_down_threshold", DOWN, "scale_up_threshold", UP, false),
    ];
    for (low, low_default, high, high_default, equal) in pairs {
        let (below, above) = (reader.opt::<i64>(low), reader.opt::<i64>(high));
        let (a, b) = (below.unwrap_or(low_default), above.unwrap_or(high_default));
        if (below.is_none() && above.is_none()) || a < b || (a == b && equal) {
            continue;
        }
        let than = if equal { "above" } else { "not below" };
        let by_default = |given: Option<i64>| if given.is_none() { ", by default" } else { "" };
        let message = format!(
            "{low} ({a}{}) is {than} {high} ({b}{})",
            by_default(below),
            by_default(above)
        );
        let at = if below.is_some() { low } else { high };
        let mut fault = Fault::error(
            general::CONTRADICTION,
            reader.path_of(at),
            reader.span_of(at),
            message,
        );
        if below.is_some() && above.is_some() {
            fault = fault.related(reader.span_of(high), format!("{high} is set here"));
        }
        context.faults.push(fault);
    }
}

/// A driver that there is, with what it needs.
fn driver(reader: &Reader<'_>, context: &mut Context<'_>) {
    let (word, command) = (reader.opt::<String>("driver"), reader.opt::<String>("command"));
    let mut refuse = |key: &str, at: &str, code, message: String, help: &str| {
        let fault = Fault::error(code, reader.path_of(key), reader.span_of(at), message);
        context.faults.push(fault.help(help));
    };
    match word.as_deref() {
        Some(later @ ("local" | "docker" | "kubernetes")) => refuse(
            "driver",
            "driver",
            general::BAD_VALUE,
            format!("the driver \"{later}\" is not in this version"),
            "\"recommend\", or \"exec\" with a command that starts and ends nodes there",
        ),
        Some("exec") if command.is_none() => refuse(
            "command",
            "driver",
            general::MISSING_KEY,
            "the driver \"exec\" needs `command`".to_owned(),
            "command = \"scale\" runs /etc/purlin/hooks/scale",
        ),
        _ => {}
    }
    let odd = |name: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        name.starts_with('.') || name.is_empty() || !name.chars().all(plain)
    };
    if let Some(name) = command.filter(odd) {
        refuse(
            "command",
            "command",
            general::BAD_VALUE,
            format!("\"{name}\" is not the plain name of a file"),
            "the program lies in /etc/purlin/hooks, so that nobody can run another one through the API",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_config::{Faults, Input};

    fn read(text: &str) -> (Scaling, String) {
        let mut faults = Faults::new();
        let text = format!("[dhcp.datacenter.scaling.{text}\n");
        let document = Document::parse([Input::file("a.toml", text)], &mut faults);
        let _ = super::super::read(&document, &mut faults);
        let said: Vec<String> = faults
            .in_text_order()
            .into_iter()
            .map(|fault| format!("{} {}", fault.path, fault.message))
            .collect();
        (scaling(&document), said.join("\n"))
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let (scaling, _) = read("auto_scaling]");
        assert_eq!(scaling.distribution.method, Method::ConsistentHashing);
        assert_eq!(
            (
                scaling.distribution.replication_factor,
                scaling.distribution.virtual_nodes
            ),
            (3, 100)
        );
        let auto = scaling.auto;
        assert!(!auto.enabled && auto.driver == Driver::Recommend);
        assert_eq!((auto.min_nodes, auto.max_nodes), (1, 10));
        assert_eq!((auto.scale_up_threshold, auto.scale_down_threshold), (70, 30));
        assert_eq!(auto.cooldown, Duration::from_secs(300));
        let windows = (auto.scale_up_after, auto.scale_down_after);
        assert_eq!(windows, (Duration::from_secs(60), Duration::from_secs(300)));
        assert_eq!(scaling.distribution.required_copies, None);
        let asked = read("load_distribution]\nreplication_factor = 3").0;
        assert_eq!(asked.distribution.required_copies, Some(3));
    }

    #[test]
    fn the_guides_words_are_methods() {
        let of = |word: &str| {
            read(&format!("load_distribution]\nmethod = \"{word}\""))
                .0
                .distribution
                .method
        };
        assert_eq!(of("ip_hash"), Method::Hash);
        assert_eq!(of("weighted_round_robin"), Method::Even);
        assert_eq!(of("consistent_hashing"), Method::ConsistentHashing);
        let (scaling, said) = read("load_distribution]\nmethod = \"least_load\"");
        assert_eq!(scaling.distribution.method, Method::ConsistentHashing);
        assert!(said.contains("belongs to one node whatever the load"), "{said}");
    }

    #[test]
    fn a_value_that_contradicts_a_default_is_refused() {
        let said = read("auto_scaling]\nmin_nodes = 12").1;
        assert!(
            said.contains("min_nodes (12) is above max_nodes (10, by default)"),
            "{said}"
        );
        let said = read("auto_scaling]\nscale_up_threshold = 20").1;
        assert!(
            said.contains("scale_down_threshold (30, by default) is not below"),
            "{said}"
        );
    }

    #[test]
    fn drivers_that_are_not_there_are_refused_by_name() {
        for word in ["local", "docker", "kubernetes"] {
            let said = read(&format!("auto_scaling]\ndriver = \"{word}\"")).1;
            assert!(
                said.contains(&format!("\"{word}\" is not in this version")),
                "{said}"
            );
        }
        let said = read("auto_scaling]\ndriver = \"exec\"").1;
        assert!(said.contains("needs `command`"), "{said}");
        let good = read("auto_scaling]\ndriver = \"exec\"\ncommand = \"scale.sh\"\ncommand_timeout = 5").0;
        let exec = Driver::Exec {
            command: "scale.sh".to_owned(),
            timeout: Duration::from_secs(5),
        };
        assert_eq!(good.auto.driver, exec);
    }

    #[test]
    fn a_command_cannot_leave_the_hooks_directory() {
        for name in ["/bin/sh", "../sh", "a b", ".", ""] {
            let said = read(&format!("auto_scaling]\ndriver = \"exec\"\ncommand = \"{name}\"")).1;
            assert!(said.contains("is not the plain name of a file"), "{name}: {said}");
        }
    }
}
