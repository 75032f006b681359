//! ovncp's pictures of the network, as it documents them, with the connections that it never had.
//!
//! ```text
//!   GET  /api/v1/topology                                  {switches, routers, ports, router_ports, acls, connections}
//!   GET  /api/v1/visualization/topology?format=...         {nodes, edges, groups, layout, properties}
//!   GET  /api/v1/visualization/topology/export?format=...  the same as a file
//!   POST /api/v1/visualization/topology/custom             the same, its options in a body
//!   GET  /api/v1/visualization/topology/node/ID            one node with what belongs to it
//!   GET  /api/v1/visualization/topology/path/FROM/TO       {source, target, path, hops}
//! ```
//!
//! Ids are `switch:UUID`, `router:UUID`, `port:UUID`; a UUID alone and a name are understood too.

mod graph;
mod options;

use crate::ovncp::path;
use crate::platform::Platform;
use crate::routes::topology::{Format, href};
use crate::typed::kinds::ovncp::{ACL, PORT, ROUTER, SWITCH};
use crate::typed::{Kind, read};
use crate::{routes::topology, shown};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use graph::{bare, id};
use options::Options;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::clock::rfc3339_millis;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema;
use purlin_api::{Problem, Viewer};
use purlin_ovn_core::model::State as Rows;
use purlin_ovn_core::topology::{Detail, NodeKind};
use serde_json::{Value, json};
use std::time::SystemTime;

/// Rows of each kind in one answer: the paths of lists have pages.
const ROWS_MAX: usize = 100_000;

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    let graph = || schema::reference("OvncpGraph");
    let drafts = [
        route::get("/api/v1/topology", topology)
            .summary("Switches, routers, ports and ACLs, and what joins them")
            .answers(
                200,
                schema::open_object(
                    &[
                        "switches",
                        "routers",
                        "ports",
                        "router_ports",
                        "acls",
                        "connections",
                        "timestamp",
                    ],
                    &[],
                ),
            )
            .errors(&[409, 503]),
        options::asked(route::get("/api/v1/visualization/topology", picture))
            .summary("The network as a graph with places and styles")
            .answers(200, graph())
            .errors(&[503]),
        options::asked(route::get("/api/v1/visualization/topology/export", export))
            .summary("The network as a file for other programs")
            .answers(200, schema::anything("The document."))
            .errors(&[503]),
        route::post("/api/v1/visualization/topology/custom", custom)
            .read_only()
            .summary("The network as a graph, its options in the body")
            .body(options::body())
            .answers(200, graph())
            .errors(&[503]),
        route::get("/api/v1/visualization/topology/node/{id}", node)
            .summary("One node with what belongs to it")
            .answers(200, schema::open_object(&["id", "type", "name"], &[]))
            .errors(&[404, 503]),
        route::get("/api/v1/visualization/topology/path/{source}/{target}", way)
            .summary("A shortest way between two nodes")
            .answers(
                200,
                schema::open_object(&["source", "target", "path", "hops"], &[]),
            )
            .errors(&[404, 503]),
    ];
    drafts.into_iter().map(path).map(Draft::tenants).collect()
}

pub(super) fn components(routes: Routes) -> Routes {
    let list = |words: &str| schema::array(schema::anything(words));
    let graph = schema::open_object(
        &["nodes", "edges", "groups", "layout", "properties"],
        &[
            (
                "nodes",
                list("{id, label, type, group, properties, position, style}"),
            ),
            (
                "edges",
                list("{id, source, target, label, type, properties, style}"),
            ),
            ("groups", list("{id, label, nodes, style}")),
            ("layout", schema::string("How nodes are placed.")),
        ],
    );
    routes.component("OvncpGraph", graph)
}

async fn topology(_: Viewer, State(platform): State<Platform>) -> Result<Json<Value>, Problem> {
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    let all = |kind: &'static Kind| -> Result<Vec<Value>, Problem> {
        let uuids = state.uuids(kind.table);
        if uuids.len() > ROWS_MAX {
            let detail = format!(
                "{} {}: read them in pages from /api/v1/{}",
                uuids.len(),
                kind.noun,
                kind.noun
            );
            return Err(Problem::not_possible(detail));
        }
        Ok(uuids
            .into_iter()
            .filter_map(|uuid| read::object(&state, kind, uuid))
            .collect())
    };
    let router_ports = state.uuids("Logical_Router_Port").into_iter();
    let router_ports = router_ports.filter_map(|uuid| {
        let mut row = shown::row(&state, "Logical_Router_Port", uuid)?;
        let members = row.as_object_mut()?;
        let parent = members.get("_parent").map(|parent| parent["uuid"].clone());
        members.retain(|name, _| !name.starts_with('_'));
        members.insert("uuid".to_owned(), json!(uuid.to_string()));
        members.insert("router_id".to_owned(), parent.unwrap_or_default());
        Some(row)
    });
    let graph = platform.graph(Detail::Ports).await?.graph;
    Ok(Json(json!({
        "switches": all(&SWITCH)?,
        "routers": all(&ROUTER)?,
        "ports": all(&PORT)?,
        "router_ports": router_ports.collect::<Vec<_>>(),
        "acls": all(&ACL)?,
        "connections": graph::connections(&graph),
        "timestamp": now(),
    })))
}

/// RFC 3339.
fn now() -> String {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    rfc3339_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

async fn picture(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Response, Problem> {
    let (options, format) = (Options::of(&asked)?, options::format(&asked)?);
    drawn(&platform, &options, format, None).await
}

async fn export(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Response, Problem> {
    let (options, format) = (Options::of(&asked)?, options::format(&asked)?);
    let ending = match format {
        Format::Json | Format::Cytoscape | Format::D3 => "json",
        Format::Dot => "dot",
        Format::GraphMl => "graphml",
        Format::Svg => "svg",
    };
    drawn(&platform, &options, format, Some(ending)).await
}

async fn custom(
    _: Viewer,
    State(platform): State<Platform>,
    Input(options): Input<Options>,
) -> Result<Response, Problem> {
    let format = options.format()?;
    drawn(&platform, &options, format, None).await
}

async fn drawn(
    platform: &Platform,
    options: &Options,
    format: Format,
    file: Option<&str>,
) -> Result<Response, Problem> {
    let layout = options.layout()?;
    let whole = platform.graph(options.detail()).await?.graph;
    let part = whole.select(&options.selection()?).unwrap_or_default();
    let text = match format {
        Format::Json => {
            let (schema, rows) = platform.north().read().await?;
            let state = Rows::new(&schema, &rows.database);
            graph::shown(&state, &part, options, layout).to_string()
        }
        other => other.write(&part, layout),
    };
    let mut response = Body::from(text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media()));
    if let Some(ending) = file
        && let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=topology.{ending}"))
    {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

async fn node(_: Viewer, State(platform): State<Platform>, name: Name) -> Result<Json<Value>, Problem> {
    let graph = platform.graph(Detail::Ports).await?.graph;
    let node = topology::find(&graph, bare(&name.0))?;
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    let kind = match node.kind {
        NodeKind::Router => &ROUTER,
        NodeKind::Port => &PORT,
        NodeKind::Switch | NodeKind::Outer => &SWITCH,
    };
    let uuid = purlin_ovsdb::Uuid::parse(&node.id);
    let object = uuid
        .and_then(|uuid| read::object(&state, kind, uuid))
        .unwrap_or_default();
    let mut told = json!({
        "id": node.id,
        "type": graph::kind(node.kind),
        "name": node.label,
        "metadata": object["external_ids"],
        "neighbours": graph.around(&node.id, 1).map(|(part, _)| {
            part.nodes.iter().filter(|other| other.id != node.id).map(id).collect::<Vec<_>>()
        }),
        "href": href(node),
    });
    let more: &[(&str, &str)] = match node.kind {
        NodeKind::Router => &[
            ("description", "description"),
            ("ports", "ports"),
            ("nat", "nat"),
            ("staticRoutes", "static_routes"),
            ("policies", "policies"),
        ],
        NodeKind::Port => &[
            ("addresses", "addresses"),
            ("up", "up"),
            ("parentID", "switch_id"),
            ("portType", "type"),
        ],
        NodeKind::Switch | NodeKind::Outer => &[
            ("description", "description"),
            ("ports", "ports"),
            ("acls", "acls"),
        ],
    };
    for (name, member) in more {
        told[*name] = object[*member].clone();
    }
    if let (NodeKind::Port, Some(uuid)) = (node.kind, uuid)
        && let Some((table, _, parent)) = state.parent(PORT.table, uuid)
    {
        told["parentType"] = json!("switch");
        told["parentName"] = json!(state.label(table, parent));
    }
    Ok(Json(told))
}

async fn way(
    _: Viewer,
    State(platform): State<Platform>,
    Path((source, target)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let graph = platform.graph(Detail::Ports).await?.graph;
    let (from, to) = (
        topology::find(&graph, bare(&source))?,
        topology::find(&graph, bare(&target))?,
    );
    let (nodes, _) = topology::way(&graph, from, to)
        .ok_or_else(|| Problem::no_such("path", &format!("{source} to {target}")))?;
    let ids: Vec<String> = nodes.iter().map(|node| id(node)).collect();
    let names: Vec<&str> = nodes.iter().map(|node| node.label.as_str()).collect();
    Ok(Json(json!({
        "source": source,
        "target": target,
        "path": ids,
        "names": names,
        "hops": nodes.len() - 1,
    })))
}
