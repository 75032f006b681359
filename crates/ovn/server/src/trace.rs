//! Traces: a question made into a packet, `ovn-trace` run over the southbound, its answer told with rows of the
//! northbound.

mod around;
mod ask;
mod tell;

pub(crate) use around::Around;
pub(crate) use ask::{Asking, CONNTRACK, PROTOCOLS, Question, port_name, protocol, refused};
pub(crate) use tell::{Told, links};

use crate::platform::Platform;
use crate::programs::{Printed, Programs};
use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovn_core::model::State;
use purlin_ovn_core::trace::{TraceError, read, story};
use purlin_ovsdb::client::Snapshot;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The longest trace.
const LIMIT: Duration = Duration::from_secs(20);

/// Where traces are asked: a southbound, and its rows as they are there.
#[derive(Debug)]
pub(crate) struct Flows {
    /// What `--db` of `ovn-trace` takes.
    pub(crate) southbound: String,
    pub(crate) rows: Snapshot,
}

impl Flows {
    /// Those of a platform's southbound.
    ///
    /// # Errors
    /// 503 without one, or when it is not read.
    pub(crate) async fn of(platform: &Platform) -> Result<Self, Problem> {
        let southbound = platform.southbound_endpoints()?;
        let (_, rows) = platform.south()?.read().await?;
        Ok(Self { southbound, rows })
    }
}

/// Asks for one packet; `state` is the northbound that the flows were made of.
///
/// # Errors
/// What keeps `ovn-trace` from answering.
pub(crate) async fn trace(
    programs: &Programs,
    flows: &Flows,
    state: &State<'_>,
    asking: &Asking,
) -> Result<Told, Problem> {
    let began = Instant::now();
    let mut arguments = programs.tls_arguments();
    arguments.push(format!("--db={}", flows.southbound));
    arguments.extend(["--detailed", "-vconsole:warn", "-vsyslog:off"].map(str::to_owned));
    arguments.extend(asking.arguments());
    let printed = programs.run("ovn-trace", &arguments, LIMIT).await?;
    let trace = read(&printed.text).map_err(|error| untold(&printed, &error, asking))?;
    if !printed.success {
        let detail = format!("ovn-trace ended before its time: {}", printed.complaints);
        return Err(Problem::new(
            StatusCode::BAD_GATEWAY,
            &reasons::TOOL_FAILED,
            detail,
        ));
    }
    let steps = trace.sections.iter().flat_map(|section| &section.steps);
    let crossed = steps.filter_map(|step| Some(step.flow.as_ref()?.uuid.as_str()));
    let hints = hints(&flows.rows, crossed);
    let story = story(&trace, state, &|flow| hints.get(flow).cloned());
    Ok(Told {
        reached: tell::reached(state, asking, &story),
        story,
        raw: printed.text,
        milliseconds: began.elapsed().as_secs_f64() * 1e3,
    })
}

/// Why there is no trace: the packet is none, its switch has no flows yet, or what the program says itself.
fn untold(printed: &Printed, error: &TraceError, asking: &Asking) -> Problem {
    if let Some(why) = error.said.strip_prefix("error parsing flow: ") {
        return refused(format!("microflow: {why}"));
    }
    let mut said = error.to_string();
    if error.said.starts_with("unknown datapath") {
        said = format!("ovn-northd has made no flows of switch {} yet", asking.switch);
    }
    if !printed.complaints.is_empty() {
        said = format!("{said}; {}", printed.complaints);
    }
    Problem::new(StatusCode::BAD_GATEWAY, &reasons::TOOL_FAILED, said)
}

/// Whether somebody counts changes and ovn-northd is behind the count.
pub(crate) fn behind(state: &State<'_>) -> bool {
    let globals = state.uuids("NB_Global");
    let count = |column| {
        let value = state.value("NB_Global", *globals.first()?, column)?;
        value.one()?.as_integer()
    };
    matches!((count("nb_cfg"), count("sb_cfg")), (Some(wanted), Some(made)) if wanted > made)
}

/// From which row of the northbound each of these flows was made, by the first digits of the flow's UUID. One look at
/// all flows, however many are asked for.
fn hints<'f>(rows: &Snapshot, flows: impl Iterator<Item = &'f str>) -> HashMap<String, String> {
    let wanted: HashMap<u32, &str> = flows
        .filter_map(|flow| Some((u32::from_str_radix(flow, 16).ok()?, flow)))
        .collect();
    let rows = rows
        .table("Logical_Flow")
        .into_iter()
        .flat_map(|table| table.rows());
    let hint = rows.filter_map(|row| {
        let bytes = row.uuid();
        let bytes = bytes.as_bytes();
        let start = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let flow = wanted.get(&start)?;
        let hint = row.get("external_ids")?.get_str("stage-hint")?;
        Some(((*flow).to_owned(), hint.to_owned()))
    });
    hint.collect()
}

impl Platform {
    /// Where the platform's own southbound is asked.
    ///
    /// # Errors
    /// 503 without one.
    pub(crate) fn southbound_endpoints(&self) -> Result<String, Problem> {
        let missing = || {
            let detail = "a trace follows the flows of the southbound, and this node has none";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::NO_SOUTHBOUND, detail)
        };
        let south = self.south().map_err(|_| missing())?;
        let endpoints = south.client.members();
        let endpoints: Vec<String> = endpoints
            .iter()
            .map(|(endpoint, _)| endpoint.to_string())
            .collect();
        Ok(endpoints.join(","))
    }
}
