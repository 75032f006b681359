//! The network as a graph: what a picture needs, and ways through it.

use crate::graph::Shown;
use crate::platform::Platform;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema;
use purlin_api::{Problem, Viewer};
use purlin_ovn_core::topology::{Detail, Graph, Layout, Link, Node, NodeKind, Selection};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Nodes of an answer: by default, and at most.
const NODES: usize = 2_000;
const NODES_MAX: usize = 100_000;
/// Nodes of a picture that a browser draws by itself.
const SVG_NODES: usize = 500;
/// Links from the node that a picture is around.
const DEPTH_MAX: usize = 64;

pub(crate) const FORMATS: [&str; 6] = ["json", "dot", "cytoscape", "d3", "graphml", "svg"];
pub(crate) const LAYOUTS: [&str; 4] = ["hierarchical", "force", "circular", "grid"];

pub(super) fn drafts() -> [Draft<Platform>; 3] {
    [
        drawn(
            filtered(route::get("/api/v1/ovn/topology", topology))
                .query("around", schema::word("Only what is around this node: a UUID or a name."))
                .query(
                    "depth",
                    schema::whole(1, DEPTH_MAX as u64, "How many links around it; 1 when absent."),
                )
                .summary("The network as a graph: switches, routers, ports and what joins them")
                .description("Nodes have a layer and a place in it, so that every picture of the same network looks the same. What is more than `max_nodes` is cut, ports before networks, far before near; `truncated` and `total` say so. The ETag changes with the database.")
                .errors(&[404, 503]),
        ),
        route::get("/api/v1/ovn/topology/path", path)
            .required_query("from", schema::word("A node: UUID or name."))
            .required_query("to", schema::word("Another one."))
            .summary("A shortest way between two nodes")
            .answers(200, schema::reference("OvnPath"))
            .errors(&[404, 503]),
        route::get("/api/v1/ovn/topology/{node}", node)
            .summary("One node, by UUID or name, with its neighbours")
            .answers(200, schema::reference("OvnNeighbourhood"))
            .errors(&[404, 503]),
    ]
}

/// The parameters that choose.
fn filtered(draft: Draft<Platform>) -> Draft<Platform> {
    let kinds = "^(outer|router|switch|port)(,(outer|router|switch|port))*$";
    draft
        .query(
            "detail",
            schema::one_of(
                &["networks", "ports"],
                "Switches and routers only, or their ports too; networks when absent, unless kinds names ports.",
            ),
        )
        .query("kinds", schema::matching(kinds, "Only nodes of these kinds, between commas."))
        .query("owner", schema::word("Only nodes of this owner; nobody for those without a mark."))
        .query("tenant", schema::word("Only nodes of this tenant."))
        .query("name", schema::word("Only nodes with this in their name, capitals or not."))
        .query(
            "max_nodes",
            schema::whole(1, NODES_MAX as u64, "Nodes at most; 2000 when absent, 500 in a picture."),
        )
}

/// The parameters that say how, and what is answered.
fn drawn(draft: Draft<Platform>) -> Draft<Platform> {
    draft
        .query("format", schema::one_of(&FORMATS, "json when absent."))
        .query(
            "layout",
            schema::one_of(
                &LAYOUTS,
                "Where nodes are placed in cytoscape and svg; hierarchical when absent.",
            ),
        )
        .answers(
            200,
            schema::anything("The graph: OvnGraph, or elements for cytoscape and d3."),
        )
        .answers_as(200, "text/vnd.graphviz", schema::string("For Graphviz."))
        .answers_as(
            200,
            "application/graphml+xml",
            schema::string("For yEd, Gephi and NetworkX."),
        )
        .answers_as(200, "image/svg+xml", schema::string("A picture."))
}

pub(super) fn components(routes: Routes) -> Routes {
    let text = schema::string;
    let node = schema::open_object(
        &["id", "kind", "label", "owner", "layer", "order"],
        &[
            ("id", text("UUID of the row.")),
            (
                "kind",
                schema::one_of(
                    &["outer", "router", "switch", "port"],
                    "outer is a switch with a way to a physical network.",
                ),
            ),
            ("label", text("Its name.")),
            ("layer", schema::count("Layer from above.")),
            ("order", schema::count("Place in the layer, from the left.")),
            ("ports", schema::count("Ports that it has.")),
            (
                "addresses",
                schema::array(text("Networks of a switch, addresses of a port.")),
            ),
        ],
    );
    let link = schema::open_object(
        &["from", "to", "ports"],
        &[
            ("from", text("Id of a node.")),
            ("to", text("Id of another.")),
            ("ports", schema::array(text("Names of the ports at both ends."))),
        ],
    );
    let graph = schema::open_object(
        &["nodes", "links", "truncated", "total"],
        &[
            ("nodes", schema::array(schema::reference("OvnNode"))),
            ("links", schema::array(schema::reference("OvnLink"))),
            (
                "truncated",
                schema::boolean("Whether there are more nodes than these."),
            ),
            ("total", schema::count("How many there are.")),
        ],
    );
    let way = schema::object(&[
        ("from", schema::reference("OvnNode")),
        ("to", schema::reference("OvnNode")),
        ("connected", schema::boolean("Whether there is a way at all.")),
        ("hops", schema::count("Links on it.")),
        ("nodes", schema::array(schema::reference("OvnNode"))),
        ("links", schema::array(schema::reference("OvnLink"))),
    ]);
    let near = schema::object(&[
        ("node", schema::reference("OvnNode")),
        ("href", text("Where its row can be read.")),
        ("neighbours", schema::array(schema::reference("OvnNode"))),
        ("links", schema::array(schema::reference("OvnLink"))),
        (
            "truncated",
            schema::boolean("Whether it has more neighbours than these."),
        ),
        ("total", schema::count("How many it has.")),
    ]);
    routes
        .component("OvnNode", node)
        .component("OvnLink", link)
        .component("OvnGraph", graph)
        .component("OvnPath", way)
        .component("OvnNeighbourhood", near)
}

/// A graph in one of the forms that people ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Json,
    Dot,
    Cytoscape,
    D3,
    GraphMl,
    Svg,
}

impl Format {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "json" => Self::Json,
            "dot" => Self::Dot,
            "cytoscape" => Self::Cytoscape,
            "d3" => Self::D3,
            "graphml" => Self::GraphMl,
            "svg" => Self::Svg,
            _ => return None,
        })
    }

    pub(crate) const fn media(self) -> &'static str {
        match self {
            Self::Json | Self::Cytoscape | Self::D3 => "application/json",
            Self::Dot => "text/vnd.graphviz",
            Self::GraphMl => "application/graphml+xml",
            Self::Svg => "image/svg+xml",
        }
    }

    pub(crate) fn of(asked: &Asked) -> Result<Self, Problem> {
        let word = asked.word_of("format", &FORMATS)?;
        Ok(word.and_then(Self::parse).unwrap_or(Self::Json))
    }

    /// The document.
    pub(crate) fn write(self, graph: &Graph, layout: Layout) -> String {
        match self {
            Self::Json => json!(graph).to_string(),
            Self::Dot => graph.to_dot(),
            Self::Cytoscape => graph.to_cytoscape(layout).to_string(),
            Self::D3 => graph.to_d3().to_string(),
            Self::GraphMl => graph.to_graphml(),
            Self::Svg => graph.to_svg(layout),
        }
    }
}

pub(crate) fn layout_of(asked: &Asked) -> Result<Layout, Problem> {
    let word = asked.word_of("layout", &LAYOUTS)?;
    Ok(word.and_then(Layout::parse).unwrap_or_default())
}

/// What of the graph is wanted, and in which detail it must be drawn for that.
fn selection(asked: &Asked, format: Format) -> Result<(Detail, Selection), Problem> {
    let kinds = asked.text("kinds").unwrap_or_default().split(',');
    let kinds: std::collections::BTreeSet<NodeKind> = kinds.filter_map(NodeKind::parse).collect();
    let detail = match asked.word_of("detail", &["networks", "ports"])? {
        Some("ports") => Detail::Ports,
        None if kinds.contains(&NodeKind::Port) => Detail::Ports,
        _ => Detail::Networks,
    };
    let bounded = |name: &str, most: usize| {
        let found: Option<usize> = asked.parsed(name, &format!("a number from 1 to {most}"))?;
        match found {
            Some(found) if !(1..=most).contains(&found) => Err(Problem::parameter(format!(
                "{name}={found} is out of range; expected a number from 1 to {most}"
            ))),
            found => Ok(found),
        }
    };
    let depth = bounded("depth", DEPTH_MAX)?;
    let around = asked
        .text("around")
        .map(|node| (node.to_owned(), depth.unwrap_or(1)));
    if depth.is_some() && around.is_none() {
        return Err(Problem::parameter(
            "depth says how far around a node: say which with around",
        ));
    }
    let most = if format == Format::Svg { SVG_NODES } else { NODES };
    let text = |name: &str| asked.text(name).map(str::to_owned);
    let selection = Selection {
        around,
        kinds,
        owner: text("owner"),
        tenant: text("tenant"),
        name: text("name"),
        nodes_max: Some(bounded("max_nodes", NODES_MAX)?.unwrap_or(most)),
    };
    Ok((detail, selection))
}

async fn topology(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Response, Problem> {
    let format = Format::of(&asked)?;
    let layout = layout_of(&asked)?;
    let (detail, selection) = selection(&asked, format)?;
    let shown = platform.graph(detail).await?;
    let missing = || Problem::no_such("node", asked.text("around").unwrap_or_default());
    let part = shown.graph.select(&selection).ok_or_else(missing)?;
    Ok(document(&shown, format.write(&part, layout), format, &asked))
}

/// A document with the ETag of what it shows and how.
fn document(shown: &Shown, text: String, format: Format, asked: &Asked) -> Response {
    let mut hasher = DefaultHasher::new();
    format!("{asked:?}").hash(&mut hasher);
    let tag = format!("\"{}-{:016x}\"", shown.version, hasher.finish());
    let mut response = Body::from(text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media()));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

async fn path(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Json<Value>, Problem> {
    let graph = platform.graph(Detail::Ports).await?.graph;
    let end = |name: &str| find(&graph, asked.text(name).unwrap_or_default());
    let (from, to) = (end("from")?, end("to")?);
    let way = way(&graph, from, to);
    Ok(Json(json!({
        "from": from,
        "to": to,
        "connected": way.is_some(),
        "hops": way.as_ref().map_or(0, |(_, links)| links.len()),
        "nodes": way.as_ref().map(|(nodes, _)| nodes).unwrap_or(&Vec::new()),
        "links": way.as_ref().map(|(_, links)| links).unwrap_or(&Vec::new()),
    })))
}

pub(crate) fn find<'g>(graph: &'g Graph, word: &str) -> Result<&'g Node, Problem> {
    graph.find(word).ok_or_else(|| Problem::no_such("node", word))
}

/// A shortest way, with one link for each step.
pub(crate) fn way<'g>(graph: &'g Graph, from: &Node, to: &Node) -> Option<(Vec<&'g Node>, Vec<&'g Link>)> {
    let ids = graph.path(&from.id, &to.id)?;
    let nodes: Vec<&Node> = ids.iter().filter_map(|id| graph.find(id)).collect();
    let joins =
        |link: &&Link, a: &str, b: &str| (link.from == a && link.to == b) || (link.from == b && link.to == a);
    let links = ids
        .windows(2)
        .filter_map(|pair| graph.links.iter().find(|link| joins(link, &pair[0], &pair[1])));
    Some((nodes, links.collect()))
}

async fn node(_: Viewer, State(platform): State<Platform>, name: Name) -> Result<Json<Value>, Problem> {
    let graph = platform.graph(Detail::Ports).await?.graph;
    let node = find(&graph, &name.0)?;
    let near = Selection {
        around: Some((node.id.clone(), 1)),
        nodes_max: Some(NODES),
        ..Selection::default()
    };
    let near = graph.select(&near).unwrap_or_default();
    let neighbours: Vec<&Node> = near.nodes.iter().filter(|other| other.id != node.id).collect();
    Ok(Json(json!({
        "node": node,
        "href": href(node),
        "neighbours": neighbours,
        "links": near.links,
        "truncated": near.truncated,
        "total": near.total.saturating_sub(1),
    })))
}

/// Where a node's row can be read.
pub(crate) fn href(node: &Node) -> String {
    let table = match node.kind {
        NodeKind::Outer | NodeKind::Switch => "Logical_Switch",
        NodeKind::Router => "Logical_Router",
        NodeKind::Port => "Logical_Switch_Port",
    };
    format!("/api/v1/ovn/nb/{table}/{}", node.id)
}
