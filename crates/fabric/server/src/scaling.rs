//! `/api/v1/scaling`: load of the nodes, what is decided about their number and why, and what was done.

mod rehearsal;
mod schemas;

use crate::moves;
use crate::routes::Books;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::clock::rfc3339_millis;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::{Problem, Viewer, schema};
use purlin_fabric::scaling::{Averages, NodeLoad, averages};
use purlin_fabric_runtime::scaling::{Action, NodeInput, Policy, Verdict, View};
use rehearsal::Wish;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long a node that has just begun is waited for: its first rates need two looks.
const PATIENCE: Duration = Duration::from_secs(3);
/// Actions that are listed.
const ACTIONS: usize = 1000;

pub(crate) fn routes(books: &Books) -> Routes {
    schemas::components(Routes::new("scaling", books, drafts()))
}

fn drafts() -> [Draft<Books>; 4] {
    [
        route::get("/api/v1/scaling/metrics", metrics)
            .summary("Load of the nodes and what to do about their number")
            .description("Over all nodes, whichever is asked. Rates are those of the last look, one heartbeat interval long.")
            .answers(200, schema::reference("ScalingMetrics"))
            .errors(&[503]),
        route::get("/api/v1/scaling/decision", decision)
            .summary("What is decided about the number of nodes, and why")
            .description("The leader's decision with the load of every node that led to it. With any of the parameters it is a rehearsal: what would be decided if the load had been such for long enough; nothing is done.")
            .query("nodes", schema::whole(1, 1000, "So many nodes, instead of those there are."))
            .query("cpu", schema::number("Percent of the processors, of every node."))
            .query("memory", schema::number("Percent of the memory, of every node."))
            .query("requests", schema::number("Requests per second, of all nodes together."))
            .answers(200, schema::reference("ScalingDecision"))
            .errors(&[400, 503]),
        route::get("/api/v1/scaling/history", history)
            .summary("Lists decisions that were told or acted on, the newest first")
            .paged()
            .answers(200, schema::page_of("ScalingAction"))
            .errors(&[503]),
        route::get("/api/v1/scaling/settings", settings)
            .summary("The settings of the autoscaler that are in force")
            .description("They are dhcp.datacenter.scaling of the configuration; a change there is in effect at once.")
            .answers(200, schema::reference("ScalingSettings")),
    ]
}

async fn metrics(_: Viewer, State(books): State<Books>) -> Result<Json<Value>, Problem> {
    let view = measured(&books).await?;
    let policy = books.scaler.policy();
    let of = totals(&view.inputs);
    let percent = |value: Option<f64>| value.unwrap_or(0.0).clamp(0.0, 100.0).round() as u64;
    let bounds = (policy.scaling.min_nodes, policy.scaling.max_nodes);
    Ok(Json(json!({
        "nodes": view.inputs.len(),
        "target_nodes": view.verdict.target.clamp(bounds.0, bounds.1),
        "cpu_utilization": percent(of.cpu),
        "memory_utilization": percent(of.memory),
        "request_rate": of.request_rate.round() as u64,
        "scaling_recommendation": view.verdict.direction.as_str(),
    })))
}

/// Over all nodes that say anything, ready or not: those that drain still work.
fn totals(inputs: &[NodeInput]) -> Averages {
    let said = |input: &NodeInput| NodeLoad {
        ready: true,
        ..input.load()
    };
    averages(&inputs.iter().map(said).collect::<Vec<_>>())
}

/// What is known once this node has measured itself.
async fn measured(books: &Books) -> Result<Arc<View>, Problem> {
    let mut views = books.scaler.views();
    let whole = |view: &Arc<View>| totals(&view.inputs).cpu.is_some();
    let waited = tokio::time::timeout(PATIENCE, views.wait_for(whole)).await;
    match waited {
        Ok(Ok(view)) => Ok(Arc::clone(&view)),
        _ => Err(Problem::not_ready(
            "no node has measured its load yet; that takes seconds after the start",
        )),
    }
}

async fn decision(_: Viewer, State(books): State<Books>, asked: Asked) -> Result<Json<Value>, Problem> {
    let (view, policy) = (measured(&books).await?, books.scaler.policy());
    if let Some(wish) = Wish::of(&asked)? {
        return Ok(Json(rehearsed(&books, &policy, &view, &wish)));
    }
    let verdict = &view.verdict;
    let mut shown = of_verdict(verdict, &policy);
    shown["rehearsal"] = false.into();
    shown["decided_by"] = json!(verdict.by);
    shown["decided_at"] = json!(rfc3339_millis(verdict.at.0));
    shown["of_leader"] = view.of_leader.into();
    shown["loads"] = view.inputs.iter().map(|input| of_input(input, verdict)).collect();
    Ok(Json(shown))
}

fn of_verdict(verdict: &Verdict, policy: &Policy) -> Value {
    json!({
        "recommendation": verdict.direction.as_str(),
        "reason": verdict.reason,
        "nodes": verdict.nodes,
        "target_nodes": verdict.target,
        "desired_nodes": verdict.desired,
        "acts": verdict.acts,
        "hold": verdict.hold,
        "shortage": verdict.shortage,
        "cooldown_up_seconds": verdict.up_left,
        "cooldown_down_seconds": verdict.down_left,
        "driver": driver(policy),
    })
}

fn driver(policy: &Policy) -> &'static str {
    policy.driver.as_ref().map_or("recommend", |driver| driver.name())
}

fn of_input(input: &NodeInput, verdict: &Verdict) -> Value {
    let pulse = input.pulse.clone().unwrap_or_default();
    let age = input
        .pulse
        .as_ref()
        .map(|pulse| verdict.at.0.saturating_sub(pulse.at.0) as f64 / 1000.0);
    json!({
        "node": input.id.as_str(),
        "ready": input.ready,
        "slots": input.slots,
        "cpu": pulse.cpu,
        "memory": pulse.memory,
        "requests": pulse.requests,
        "leases": pulse.leases,
        "sessions": pulse.sessions,
        "source": input.source.as_str(),
        "age_seconds": age,
    })
}

fn rehearsed(books: &Books, policy: &Policy, view: &View, wish: &Wish) -> Value {
    let (nodes, said) = rehearsal::rehearse(&policy.scaling, &view.inputs, wish);
    let verdict = Verdict {
        by: books.fabric.me().id.to_string(),
        direction: said.direction,
        nodes,
        target: said.target_nodes,
        desired: said.desired,
        reason: said.reason.to_string(),
        acts: said.acts && policy.driver.is_some(),
        ..Verdict::default()
    };
    let mut shown = of_verdict(&verdict, policy);
    shown["rehearsal"] = true.into();
    shown["decided_by"] = json!(verdict.by);
    shown["decided_at"] = Value::Null;
    shown["of_leader"] = false.into();
    shown["loads"] = json!([]);
    if wish.nodes.is_none()
        && let Some(preview) = moves::Preview::resized(books, said.target_nodes)
    {
        shown["moves"] = moves::shown(&preview);
    }
    shown
}

async fn history(_: Viewer, State(books): State<Books>, asked: Asked) -> Result<Json<Value>, Problem> {
    let actions = books.scaler.actions(ACTIONS).await;
    let actions = actions.map_err(|fault| Problem::not_ready(fault.to_string()))?;
    asked
        .page_of_all(actions.iter().map(of_action).collect())
        .map(Json)
}

fn of_action(action: &Action) -> Value {
    json!({
        "number": action.number,
        "at": rfc3339_millis(action.at.0),
        "leader": action.leader,
        "direction": action.direction.as_str(),
        "from": action.from,
        "to": action.to,
        "reason": action.reason,
        "driver": action.driver,
        "state": action.state.as_str(),
        "output": action.output,
        "took_seconds": action.took_ms as f64 / 1000.0,
    })
}

async fn settings(_: Viewer, State(books): State<Books>) -> Json<Value> {
    let policy = books.scaler.policy();
    let (scaling, planning) = (policy.scaling, policy.planning);
    Json(json!({
        "enabled": scaling.enabled,
        "driver": driver(&policy),
        "min_nodes": scaling.min_nodes,
        "max_nodes": scaling.max_nodes,
        "scale_up_threshold": scaling.scale_up_threshold,
        "scale_down_threshold": scaling.scale_down_threshold,
        "target_utilization": scaling.target(),
        "cooldown_seconds": scaling.cooldown.as_secs_f64(),
        "scale_up_after_seconds": scaling.sustain.as_secs_f64(),
        "scale_down_after_seconds": scaling.stabilisation.as_secs_f64(),
        "requests_per_node": scaling.requests_per_node,
        "method": planning.method.as_str(),
        "virtual_nodes": planning.virtual_nodes,
        "replication_factor": planning.replication_factor,
        "required_copies": policy.required_copies,
    }))
}
