//! What becomes of a packet.

use crate::matrix::{self, CELLS, Wanted};
use crate::platform::Platform;
use crate::trace::{self, Around, CONNTRACK, PROTOCOLS, Question};
use axum::Json;
use axum::extract::State;
use futures_util::{StreamExt, TryStreamExt, stream};
use purlin_api::asked::Input;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Problem, Viewer};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn drafts() -> [Draft<Platform>; 3] {
    [
        route::post("/api/v1/ovn/trace", ask)
            .read_only()
            .summary("Follows a packet through the logical network, hop by hop, and says which row ends it")
            .description("`from` is the switch port where the packet enters, `to` a port, a router's port or an address. Addresses that are not given are those of the rows. With `microflow` the packet is written out in OVN's expression language. The way is found by the packaged `ovn-trace` over the southbound: nothing is sent. Within a tenant a packet goes from one of its ports to another, and rows of others on the way are told as `another tenant's`.")
            .body(question())
            .answers(200, schema::reference("OvnTrace"))
            .tenants()
            .errors(&[422, 502, 503, 504]),
        route::post("/api/v1/ovn/trace/paths", paths)
            .read_only()
            .summary("Follows one packet for each of several protocols and ports")
            .description("The question of `/api/v1/ovn/trace` with `protocols` and `ports` in place of `protocol` and `destination_port`: each of tcp, udp and sctp is asked for each port. Hops are told with `hops: true`.")
            .body(many())
            .answers(200, schema::open_object(&["paths", "counts"], &[("paths", schema::array(schema::open_object(&["protocol", "port", "reached", "summary"], &[])))]))
            .tenants()
            .errors(&[422, 502, 503, 504]),
        route::post("/api/v1/ovn/matrix", matrix)
            .read_only()
            .summary("Who reaches whom: pairs of ports for every protocol, in pages")
            .description("Ports are named by themselves, by their groups and by their switches; without `to` each is asked against each. `method` says how a cell was found: `acl`, by the ACLs of both ends, which is exact where `exact` says so, or `ovn-trace`. A page has 1000 cells, and no more traces than 64: go on with `next_cursor`.")
            .body(pairs())
            .answers(200, schema::reference("OvnMatrix"))
            .tenants()
            .errors(&[422, 502, 503, 504]),
    ]
}

fn many() -> Schema {
    let mut all: Vec<(&str, Schema)> = members()
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "protocol?" | "destination_port?" | "microflow?"))
        .collect();
    all.extend([
        (
            "protocols",
            schema::array(schema::one_of(&PROTOCOLS, "A protocol.")),
        ),
        (
            "ports?",
            schema::array(schema::whole(0, 65_535, "A port of the destination.")),
        ),
        ("hops?", schema::boolean("Whether hops are told.")),
    ]);
    schema::object(&all)
}

fn pairs() -> Schema {
    let mut all = ends();
    all.extend([
        (
            "confirm?",
            schema::one_of(
                &["auto", "all", "never"],
                "Whether ovn-trace is asked: where the ACLs do not say all, for every cell, or never.",
            ),
        ),
        ("limit?", schema::whole(1, CELLS as u64, "Cells of the page.")),
        ("cursor?", schema::string("next_cursor of the page before.")),
    ]);
    schema::object(&all)
}

/// Who is asked against whom, and how.
pub(super) fn ends() -> Vec<(&'static str, Schema)> {
    let names = |words: &str| schema::array(schema::word(words));
    let ends = schema::object(&[
        ("ports?", names("Name or UUID of a switch port.")),
        ("groups?", names("Name or UUID of a port group.")),
        ("switches?", names("Name or UUID of a switch: all its ports.")),
    ]);
    vec![
        ("from", ends.clone()),
        ("to?", ends),
        (
            "protocols?",
            schema::array(schema::matching(
                "^(icmp|(tcp|udp|sctp)(/[0-9]{1,5})?)$",
                "icmp, tcp/22; icmp alone when absent.",
            )),
        ),
    ]
}

/// The members of a question.
pub(super) fn members() -> Vec<(&'static str, Schema)> {
    let text = schema::string;
    let port = |words: &str| schema::whole(0, 65_535, words);
    let mac = |words: &str| schema::matching("^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$", words);
    vec![
        (
            "from",
            schema::word("Switch port where the packet enters: a name or a UUID."),
        ),
        (
            "to?",
            schema::word("Where it is to go: a switch port, a router's port, or an address."),
        ),
        (
            "protocol?",
            schema::one_of(&PROTOCOLS, "icmp (an echo request) when absent."),
        ),
        ("source_port?", port("40000 when absent.")),
        ("destination_port?", port("80 when absent.")),
        ("source_mac?", mac("Instead of the port's own.")),
        ("source_ip?", text("Instead of the port's own.")),
        (
            "destination_mac?",
            mac("Instead of the target's or the router's."),
        ),
        ("destination_ip?", text("Instead of the target's.")),
        (
            "conntrack?",
            schema::array(schema::one_of(
                &CONNTRACK,
                "What connection tracking says, look after look; new when absent.",
            )),
        ),
        (
            "microflow?",
            schema::word("The packet in OVN's expression language, instead of all of this but from."),
        ),
        (
            "raw?",
            schema::boolean("Whether the words of ovn-trace are wanted too."),
        ),
    ]
}

fn question() -> Schema {
    schema::object(&members())
}

pub(super) fn components(routes: Routes) -> Routes {
    let text = schema::string;
    let by = schema::open_object(&["table", "uuid", "name", "owner", "href"], &[]);
    let trace = schema::open_object(
        &["delivered", "ports", "dropped", "summary", "hops"],
        &[
            ("delivered", schema::boolean("Whether it leaves by any port.")),
            (
                "reached",
                schema::nullable(schema::boolean(
                    "Whether it comes to where it was to go; null when nobody said where.",
                )),
            ),
            ("ports", schema::array(text("Name of a port that it leaves by."))),
            (
                "dropped",
                schema::nullable(schema::open_object(
                    &["at", "stage", "reason", "by"],
                    &[
                        ("at", text("Switch or router where it ends.")),
                        ("stage", text("Stage of the pipeline.")),
                        ("reason", text("Why, in words.")),
                        ("by", schema::nullable(by)),
                    ],
                )),
            ),
            ("summary", text("The same in one sentence.")),
            ("microflow", text("The packet that was asked about.")),
            (
                "hops",
                schema::array(schema::open_object(&["kind", "name", "decisions"], &[])),
            ),
            ("raw", schema::nullable(text("The words of ovn-trace."))),
            (
                "behind",
                schema::boolean("Whether ovn-northd has not made flows of the newest rows yet."),
            ),
        ],
    );
    let cell = schema::open_object(
        &["from", "to", "protocol", "allowed", "method", "exact", "reason"],
        &[
            (
                "allowed",
                schema::nullable(schema::boolean("null where no packet can be made.")),
            ),
            (
                "method",
                schema::one_of(&["acl", "ovn-trace", "none"], "How it was found."),
            ),
            ("exact", schema::boolean("Whether OVN is sure to do the same.")),
            ("reason", text("Why, in words.")),
            ("inexact", schema::nullable(text("What the ACLs do not say."))),
        ],
    );
    let matrix = schema::open_object(
        &["cells", "next_cursor", "done", "total", "counts"],
        &[
            ("cells", schema::array(cell)),
            (
                "next_cursor",
                schema::nullable(text("For the next page; null after the last.")),
            ),
            ("done", schema::count("Pairs that were gone through so far.")),
            (
                "total",
                schema::count("Pairs in all, those of a port with itself included."),
            ),
        ],
    );
    routes.component("OvnTrace", trace).component("OvnMatrix", matrix)
}

/// One packet for each protocol and port.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    from: String,
    to: Option<String>,
    protocols: Vec<String>,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    hops: bool,
    #[serde(default)]
    raw: bool,
    source_port: Option<u16>,
    source_mac: Option<String>,
    source_ip: Option<std::net::IpAddr>,
    destination_mac: Option<String>,
    destination_ip: Option<std::net::IpAddr>,
    #[serde(default)]
    conntrack: Vec<String>,
}

/// Packets of one request.
const PATHS: usize = 64;
/// Traces at the same time.
const AT_ONCE: usize = 4;

impl Several {
    fn questions(&self) -> Result<Vec<Question>, Problem> {
        let question = |protocol: &String, port: Option<u16>| Question {
            from: self.from.clone(),
            to: self.to.clone(),
            protocol: Some(protocol.clone()),
            source_port: self.source_port.filter(|_| protocol != "icmp"),
            destination_port: port,
            source_mac: self.source_mac.clone(),
            source_ip: self.source_ip,
            destination_mac: self.destination_mac.clone(),
            destination_ip: self.destination_ip,
            conntrack: self.conntrack.clone(),
            microflow: None,
            raw: self.raw,
        };
        let mut questions = Vec::new();
        for protocol in &self.protocols {
            match (protocol.as_str(), self.ports.as_slice()) {
                ("icmp", _) | (_, []) => questions.push(question(protocol, None)),
                (_, ports) => questions.extend(ports.iter().map(|port| question(protocol, Some(*port)))),
            }
        }
        match questions.len() {
            0 => Err(trace::refused("protocols: say one at least")),
            1..=PATHS => Ok(questions),
            many => Err(trace::refused(format!(
                "{many} packets; one request asks for {PATHS} at most"
            ))),
        }
    }
}

async fn paths(
    _: Viewer,
    State(platform): State<Platform>,
    Input(several): Input<Several>,
) -> Result<Json<Value>, Problem> {
    let mut paths = self::several(&platform, several.questions()?).await?;
    for path in paths.iter_mut().filter_map(Value::as_object_mut) {
        if !several.hops {
            path.remove("hops");
        }
    }
    let reached = paths.iter().filter(|path| path["reached"] == true).count();
    Ok(Json(json!({
        "counts": { "asked": paths.len(), "reached": reached },
        "paths": paths,
    })))
}

/// Answers several questions, a few at a time.
pub(super) async fn several(platform: &Platform, questions: Vec<Question>) -> Result<Vec<Value>, Problem> {
    let around = &Around::of(platform).await?;
    let told = stream::iter(questions).map(|question| async move {
        let mut shown = around.answer(&question).await?;
        shown["protocol"] = json!(question.protocol);
        shown["port"] = json!(question.destination_port);
        Ok::<_, Problem>(shown)
    });
    told.buffered(AT_ONCE).try_collect().await
}

async fn matrix(
    _: Viewer,
    State(platform): State<Platform>,
    Input(wanted): Input<Wanted>,
) -> Result<Json<Value>, Problem> {
    let around = Around::rows_of(&platform).await?;
    let matrix = wanted.checked(&around.seen())?;
    around.own_ports(matrix.from.iter().chain(&matrix.to).map(String::as_str))?;
    let mut page = matrix::page(&around.platform, &around.all(), &matrix, &wanted).await?;
    around.hush(&mut page);
    Ok(Json(page))
}

async fn ask(
    _: Viewer,
    State(platform): State<Platform>,
    Input(question): Input<Question>,
) -> Result<Json<Value>, Problem> {
    let around = Around::of(&platform).await?;
    around.answer(&question).await.map(Json)
}
