//! What ovncp lets people choose of a picture, in a query and in a body.

use crate::platform::Platform;
use crate::routes::topology::{Format, LAYOUTS};
use purlin_api::Problem;
use purlin_api::asked::Asked;
use purlin_api::route::Draft;
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::topology::{Detail, Layout, NodeKind, Selection};
use serde::Deserialize;
use std::collections::BTreeMap;

const NODES: usize = 1_000;
const NODES_MAX: usize = 100_000;
const FORMATS: [&str; 7] = ["json", "dot", "graphviz", "cytoscape", "d3", "graphml", "svg"];
const DETAILS: [&str; 3] = ["minimal", "medium", "full"];
/// Words for yes and no.
const TRUTHS: [&str; 6] = ["true", "false", "1", "0", "yes", "no"];

/// Options, with ovncp's defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Options {
    layout: String,
    detail_level: u8,
    include_switches: bool,
    include_routers: bool,
    include_ports: bool,
    pub(super) include_load_balancers: bool,
    #[serde(rename = "includeACLs")]
    pub(super) include_acls: bool,
    #[serde(rename = "includeNAT")]
    pub(super) include_nat: bool,
    pub(super) show_labels: bool,
    pub(super) show_icons: bool,
    pub(super) animate_traffic: bool,
    pub(super) group_nodes: bool,
    filter_by_name: Option<String>,
    filter_by_type: Vec<String>,
    pub(super) filter_by_property: BTreeMap<String, String>,
    max_nodes: Option<usize>,
    simplify_ports: bool,
    #[serde(rename = "aggregateACLs")]
    pub(super) aggregate_acls: bool,
    format: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            layout: "hierarchical".to_owned(),
            detail_level: 1,
            include_switches: true,
            include_routers: true,
            include_ports: true,
            include_load_balancers: true,
            include_acls: false,
            include_nat: false,
            show_labels: true,
            show_icons: true,
            animate_traffic: false,
            group_nodes: true,
            filter_by_name: None,
            filter_by_type: Vec::new(),
            filter_by_property: BTreeMap::new(),
            max_nodes: None,
            simplify_ports: false,
            aggregate_acls: true,
            format: "json".to_owned(),
        }
    }
}

/// The parameters of a query.
pub(super) fn asked(draft: Draft<Platform>) -> Draft<Platform> {
    let truth = |words: &str| schema::one_of(&TRUTHS, words);
    draft
        .query("format", schema::one_of(&FORMATS, "json when absent."))
        .query("layout", schema::one_of(&LAYOUTS, "hierarchical when absent."))
        .query(
            "detail",
            schema::one_of(&DETAILS, "minimal leaves ports out; full says all of each node."),
        )
        .query("switches", truth("Switches are shown."))
        .query("routers", truth("Routers are shown."))
        .query("ports", truth("Ports are shown."))
        .query("loadbalancers", truth("Load balancers are shown."))
        .query("acls", truth("ACLs are shown; not when absent."))
        .query(
            "nat",
            truth("Translations of addresses are shown; not when absent."),
        )
        .query("labels", truth("Nodes have labels."))
        .query("icons", truth("Nodes have icons."))
        .query("animate", truth("Edges are animated; not when absent."))
        .query("group", truth("Ports are grouped by their switch."))
        .query(
            "simplifyPorts",
            truth("Ports without an address are left out; not when absent."),
        )
        .query("aggregateACLs", truth("The ACLs of a switch are one node."))
        .query(
            "maxNodes",
            schema::whole(1, NODES_MAX as u64, "Nodes at most; 1000 when absent."),
        )
        .query("name", schema::word("Only nodes with this in their name."))
}

/// The members of a body.
pub(super) fn body() -> Schema {
    let truth = || schema::boolean("As the parameter.");
    schema::object(&[
        ("layout?", schema::one_of(&LAYOUTS, "How nodes are placed.")),
        (
            "detailLevel?",
            schema::whole(0, 2, "0 minimal, 1 medium, 2 full."),
        ),
        ("includeSwitches?", truth()),
        ("includeRouters?", truth()),
        ("includePorts?", truth()),
        ("includeLoadBalancers?", truth()),
        ("includeACLs?", truth()),
        ("includeNAT?", truth()),
        ("showLabels?", truth()),
        ("showIcons?", truth()),
        ("animateTraffic?", truth()),
        ("groupNodes?", truth()),
        (
            "filterByName?",
            schema::string("Only nodes with this in their name."),
        ),
        (
            "filterByType?",
            schema::array(schema::one_of(
                &["switch", "router", "port"],
                "Only nodes of these types.",
            )),
        ),
        (
            "filterByProperty?",
            schema::anything("Only nodes whose external_ids have these: `{\"env\": \"prod\"}`."),
        ),
        (
            "maxNodes?",
            schema::whole(0, NODES_MAX as u64, "Nodes at most; 0 for 1000."),
        ),
        ("simplifyPorts?", truth()),
        ("aggregateACLs?", truth()),
        ("format?", schema::one_of(&FORMATS, "json when absent.")),
    ])
}

pub(super) fn format(asked: &Asked) -> Result<Format, Problem> {
    let word = asked.word_of("format", &FORMATS)?.unwrap_or("json");
    parsed(word)
}

fn parsed(word: &str) -> Result<Format, Problem> {
    let word = if word == "graphviz" { "dot" } else { word };
    Format::parse(word).ok_or_else(|| {
        Problem::parameter(format!(
            "format: {word:?} is not valid; expected {}",
            FORMATS.join(", ")
        ))
    })
}

impl Options {
    pub(super) fn of(asked: &Asked) -> Result<Self, Problem> {
        let truth = |name: &str, absent: bool| {
            let word = asked.word_of(name, &TRUTHS)?;
            Ok::<_, Problem>(word.map_or(absent, |word| matches!(word, "true" | "1" | "yes")))
        };
        let detail = asked.word_of("detail", &DETAILS)?;
        let detail_level = match detail {
            Some("minimal") => 0,
            Some("full") => 2,
            _ => 1,
        };
        Ok(Self {
            layout: asked.text("layout").unwrap_or("hierarchical").to_owned(),
            detail_level,
            include_switches: truth("switches", true)?,
            include_routers: truth("routers", true)?,
            include_ports: truth("ports", detail_level > 0)?,
            include_load_balancers: truth("loadbalancers", detail_level > 0)?,
            include_acls: truth("acls", false)?,
            include_nat: truth("nat", false)?,
            show_labels: truth("labels", true)?,
            show_icons: truth("icons", true)?,
            animate_traffic: truth("animate", false)?,
            group_nodes: truth("group", true)?,
            filter_by_name: asked.text("name").map(str::to_owned),
            max_nodes: asked.parsed("maxNodes", "a number")?,
            simplify_ports: truth("simplifyPorts", false)?,
            aggregate_acls: truth("aggregateACLs", true)?,
            ..Self::default()
        })
    }

    pub(super) fn format(&self) -> Result<Format, Problem> {
        parsed(&self.format)
    }

    pub(super) fn layout(&self) -> Result<Layout, Problem> {
        Layout::parse(&self.layout).ok_or_else(|| {
            Problem::parameter(format!(
                "layout: {:?} is not valid; expected {}",
                self.layout,
                LAYOUTS.join(", ")
            ))
        })
    }

    pub(super) fn layout_name(&self) -> &str {
        &self.layout
    }

    /// Whether everything is told of each node.
    pub(super) const fn full(&self) -> bool {
        self.detail_level > 1
    }

    pub(super) const fn detail(&self) -> Detail {
        match self.include_ports {
            true => Detail::Ports,
            false => Detail::Networks,
        }
    }

    pub(super) fn selection(&self) -> Result<Selection, Problem> {
        let mut kinds = Vec::new();
        if self.include_switches {
            kinds.extend([NodeKind::Outer, NodeKind::Switch]);
        }
        if self.include_routers {
            kinds.push(NodeKind::Router);
        }
        if self.include_ports {
            kinds.push(NodeKind::Port);
        }
        if !self.filter_by_type.is_empty() {
            let wanted = |kind: &NodeKind| {
                let word = super::graph::kind(*kind);
                self.filter_by_type.iter().any(|wanted| wanted == word)
            };
            kinds.retain(wanted);
        }
        if kinds.is_empty() {
            return Err(Problem::parameter("no kind of node is left to show"));
        }
        let max = self.max_nodes.filter(|max| *max > 0).unwrap_or(NODES);
        Ok(Selection {
            kinds: kinds.into_iter().collect(),
            name: self.filter_by_name.clone().filter(|name| !name.is_empty()),
            nodes_max: Some(max.min(NODES_MAX)),
            ..Selection::default()
        })
    }

    /// Whether a node is shown, by what its row says.
    pub(super) fn shows(
        &self,
        node: &purlin_ovn_core::topology::Node,
        ids: &BTreeMap<String, String>,
    ) -> bool {
        let bare = self.simplify_ports && node.kind == NodeKind::Port && node.addresses.is_empty();
        !bare
            && self
                .filter_by_property
                .iter()
                .all(|(key, value)| ids.get(key) == Some(value))
    }
}
