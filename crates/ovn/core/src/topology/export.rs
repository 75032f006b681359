//! The graph in the words of other programs. Names are data there too: each form escapes them by its own rules.

use super::{Graph, Layout, Link, Node, NodeKind};
use serde_json::{Value, json};
use std::fmt::Write;

impl Graph {
    /// Graphviz.
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("graph network {\n  node [shape=box];\n");
        for node in &self.nodes {
            let shape = match node.kind {
                NodeKind::Router => "ellipse",
                NodeKind::Outer => "doubleoctagon",
                NodeKind::Switch => "box",
                NodeKind::Port => "plaintext",
            };
            writeln!(
                dot,
                "  {} [label={} shape={shape}];",
                dotted(&node.id),
                dotted(&node.label)
            )
            .expect("a text takes all");
        }
        for link in &self.links {
            let label = link.addresses.join(" ");
            writeln!(
                dot,
                "  {} -- {} [label={}];",
                dotted(&link.from),
                dotted(&link.to),
                dotted(&label)
            )
            .expect("a text takes all");
        }
        dot.push_str("}\n");
        dot
    }

    /// GraphML, for yEd, Gephi and NetworkX.
    ///
    /// Source: GraphML specification 1.0, sections 1 and 2.
    pub fn to_graphml(&self) -> String {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n  \
             <key id=\"label\" for=\"all\" attr.name=\"label\" attr.type=\"string\"/>\n  \
             <key id=\"kind\" for=\"node\" attr.name=\"kind\" attr.type=\"string\"/>\n  \
             <graph id=\"network\" edgedefault=\"undirected\">\n",
        );
        for node in &self.nodes {
            let (id, label, kind) = (escaped(&node.id), escaped(&node.label), node.kind.word());
            writeln!(
                xml,
                "    <node id=\"{id}\"><data key=\"label\">{label}</data><data key=\"kind\">{kind}</data></node>"
            )
            .expect("a text takes all");
        }
        for link in &self.links {
            let (from, to) = (escaped(&link.from), escaped(&link.to));
            let label = escaped(&link.addresses.join(" "));
            writeln!(
                xml,
                "    <edge source=\"{from}\" target=\"{to}\"><data key=\"label\">{label}</data></edge>"
            )
            .expect("a text takes all");
        }
        xml.push_str("  </graph>\n</graphml>\n");
        xml
    }

    /// Elements of Cytoscape.js, with places by this layout.
    pub fn to_cytoscape(&self, layout: Layout) -> Value {
        let node = |(node, place): (&Node, &(u32, u32))| {
            json!({
                "data": {
                    "id": node.id,
                    "label": node.label,
                    "kind": node.kind.word(),
                    "owner": node.owner.to_string(),
                    "addresses": node.addresses,
                    "up": node.up,
                },
                "position": {"x": place.0, "y": place.1},
            })
        };
        let edge = |(at, link): (usize, &Link)| {
            let label = link.addresses.join(" ");
            json!({"data": {"id": format!("link-{at}"), "source": link.from, "target": link.to, "label": label}})
        };
        json!({
            "elements": {
                "nodes": self.nodes.iter().zip(&self.places(layout)).map(node).collect::<Vec<_>>(),
                "edges": self.links.iter().enumerate().map(edge).collect::<Vec<_>>(),
            }
        })
    }

    /// Nodes and links as d3-force takes them.
    pub fn to_d3(&self) -> Value {
        let node = |node: &Node| json!({"id": node.id, "name": node.label, "group": node.kind.word(), "layer": node.layer, "order": node.order});
        let link =
            |link: &Link| json!({"source": link.from, "target": link.to, "label": link.addresses.join(" ")});
        json!({
            "nodes": self.nodes.iter().map(node).collect::<Vec<_>>(),
            "links": self.links.iter().map(link).collect::<Vec<_>>(),
        })
    }
}

impl NodeKind {
    /// A kind by its word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Outer, Self::Router, Self::Switch, Self::Port]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Outer => "outer",
            Self::Router => "router",
            Self::Switch => "switch",
            Self::Port => "port",
        }
    }
}

/// A quoted id of Graphviz: a quote is escaped, and a backslash would be read together with what follows.
fn dotted(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace(['\n', '\r'], " ");
    format!("\"{text}\"")
}

/// Text and attribute values of XML; characters that XML 1.0 does not have at all become a space.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            c if c < ' ' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
