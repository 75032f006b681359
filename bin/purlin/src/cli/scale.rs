//! `purlin scale`: how many nodes there should be, why, and what was done about it.

use super::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the load of the nodes and what is recommended about their number.
    #[command(after_help = "Examples:
  purlin scale status
  purlin scale status --watch
  purlin scale status -o json")]
    Status(ListArgs),
    /// Show what is decided and why; or, with a load, what would be decided under it.
    #[command(after_help = "Examples:
  purlin scale recommend                        the decision of now, with its reason
  purlin scale recommend --cpu 85               if every node's processors were at 85 %
  purlin scale recommend --requests 60000       if there were 60,000 requests a second
  purlin scale recommend --nodes 5 --cpu 20     if there were five nodes that do little
  purlin scale recommend -o json

A load that is asked about is taken to have lasted: nothing is done, and no cooldown stands in its way.")]
    Recommend(Load),
    /// List decisions that were told or acted on, the newest first.
    #[command(after_help = "Examples:
  purlin scale history
  purlin scale history --filter state=failed
  purlin scale history -o json")]
    History(ListArgs),
    /// Show the settings in force: dhcp.datacenter.scaling of the configuration.
    #[command(after_help = "Examples:
  purlin scale settings
  purlin scale settings -o json")]
    Settings,
}

/// A load to be asked about.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// So many nodes, instead of those there are.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    nodes: Option<u16>,
    /// Percent of the processors, of every node.
    #[arg(long, value_name = "PERCENT")]
    cpu: Option<f64>,
    /// Percent of the memory, of every node.
    #[arg(long, value_name = "PERCENT")]
    memory: Option<f64>,
    /// Requests per second, of all nodes together.
    #[arg(long, value_name = "RATE")]
    requests: Option<f64>,
}

const LOADS: Kind = Kind {
    plural: "nodes",
    name: "node",
    columns: &[
        Column::new("NODE", "node", Show::Text),
        Column::new("READY", "ready", Show::Text),
        Column::new("CPU", "cpu_share", Show::Percent),
        Column::new("MEMORY", "memory_share", Show::Percent),
        Column::new("REQUESTS/S", "requests", Show::Number),
        Column::new("SLOTS", "slots", Show::Number),
        Column::new("LEASES", "leases", Show::Number),
        Column::wide("SESSIONS", "sessions", Show::Number),
        Column::wide("SOURCE", "source", Show::Text),
        Column::wide("AGE", "age_seconds", Show::Number),
    ],
};

const DECISION: Kind = Kind {
    plural: "decisions",
    name: "recommendation",
    columns: &[
        Column::new("RECOMMENDATION", "recommendation", Show::Text),
        Column::new("NODES", "nodes", Show::Number),
        Column::new("TARGET", "target_nodes", Show::Number),
        Column::new("REASON", "reason", Show::Text),
    ],
};

const ACTIONS: Kind = Kind {
    plural: "decisions",
    name: "number",
    columns: &[
        Column::new("NUMBER", "number", Show::Number),
        Column::new("AT", "at", Show::Time),
        Column::new("DIRECTION", "direction", Show::Text),
        Column::new("FROM", "from", Show::Number),
        Column::new("TO", "to", Show::Number),
        Column::new("STATE", "state", Show::Text),
        Column::new("REASON", "reason", Show::Text),
        Column::wide("DRIVER", "driver", Show::Text),
        Column::wide("LEADER", "leader", Show::Text),
        Column::wide("TOOK", "took_seconds", Show::Number),
        Column::wide("OUTPUT", "output", Show::Text),
    ],
};

const SETTINGS: Kind = Kind {
    plural: "settings",
    name: "driver",
    columns: &[
        Column::new("ENABLED", "enabled", Show::Text),
        Column::new("DRIVER", "driver", Show::Text),
        Column::new("MIN", "min_nodes", Show::Number),
        Column::new("MAX", "max_nodes", Show::Number),
        Column::new("UP", "scale_up_threshold", Show::Number),
        Column::new("DOWN", "scale_down_threshold", Show::Number),
        Column::new("COOLDOWN", "cooldown_seconds", Show::Number),
    ],
};

const BASE: &str = "/api/v1/scaling";

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::Status(args) => {
            watched(args, async || {
                let metrics = client.value(Ask::get(format!("{BASE}/metrics"))).await?;
                let decision = client.value(Ask::get(format!("{BASE}/decision"))).await?;
                status(context, args, &metrics, &decision)
            })
            .await
        }
        Command::Recommend(load) => {
            let decision = client.value(Ask::get(asked(load))).await?;
            recommend(context, &decision)?;
            Ok(Exit::Ok)
        }
        Command::History(args) => {
            let (view, path) = (context.list_view(args), format!("{BASE}/history"));
            watched(args, async || {
                paging::list(&mut client, &path, &[], usize::MAX, view.clone(), ACTIONS).await
            })
            .await
        }
        Command::Settings => {
            let settings = client.value(Ask::get(format!("{BASE}/settings"))).await?;
            output::one(&context.view(), SETTINGS, &settings)?;
            Ok(Exit::Ok)
        }
    }
}

fn asked(load: &Load) -> String {
    let text = |value: Option<f64>| value.map_or_else(String::new, |n| n.to_string());
    let nodes = load.nodes.map_or_else(String::new, |n| n.to_string());
    let (cpu, memory, requests) = (text(load.cpu), text(load.memory), text(load.requests));
    let pairs = [
        ("nodes", nodes.as_str()),
        ("cpu", &cpu),
        ("memory", &memory),
        ("requests", &requests),
    ];
    with_query(&format!("{BASE}/decision"), &pairs)
}

fn status(context: &Context, args: &ListArgs, metrics: &Value, decision: &Value) -> Result<(), Failure> {
    if matches!(context.form(), Form::Json | Form::Yaml) {
        let whole = json!({ "metrics": metrics, "decision": decision });
        return output::document(context.form(), &whole);
    }
    let rows = decision["loads"].as_array().cloned().unwrap_or_default();
    let rows: Vec<Value> = rows.into_iter().map(shares).collect();
    output::list(&context.list_view(args), LOADS, &rows)?;
    if context.form() == Form::Table {
        say!(
            "\n{} of {} nodes, {} requests/s, processors {} %, memory {} %",
            metrics["nodes"],
            metrics["target_nodes"],
            metrics["request_rate"],
            metrics["cpu_utilization"],
            metrics["memory_utilization"]
        );
        say!("{}", sentence(decision));
        say_shortage(decision);
    }
    Ok(())
}

/// Who adds nodes should know what that does not help against.
fn say_shortage(decision: &Value) {
    if let Some(shortage) = decision["shortage"].as_str() {
        say!("{shortage}");
    }
}

/// A row of the loads with parts of 1 where the API has percent.
fn shares(mut row: Value) -> Value {
    for (share, percent) in [("cpu_share", "cpu"), ("memory_share", "memory")] {
        row[share] = json!(row[percent].as_f64().map(|percent| percent / 100.0));
    }
    row["requests"] = json!(row["requests"].as_f64().map(|rate| rate.round() as u64));
    row
}

fn recommend(context: &Context, decision: &Value) -> Result<(), Failure> {
    if context.form() != Form::Table {
        return output::one(&context.view(), DECISION, decision);
    }
    if decision["rehearsal"] == true {
        say!("With that load for long enough:");
    }
    say!("{}", sentence(decision));
    if let Some(hold) = decision["hold"].as_str() {
        say!("No node could be removed now: {hold}");
    }
    if decision["rehearsal"] != true {
        say_shortage(decision);
        say!("{}", who_acts(decision));
    }
    if decision["moves"]["slots"].as_u64().is_some_and(|slots| slots > 0) {
        say!("{} slots would move", decision["moves"]["slots"]);
    }
    Ok(())
}

/// `scale_up from 3 to 5 nodes: processor at 84 % is above the upper threshold`.
fn sentence(decision: &Value) -> String {
    let (word, reason) = (
        decision["recommendation"].as_str().unwrap_or_default(),
        decision["reason"].as_str().unwrap_or_default(),
    );
    let (from, to) = (&decision["nodes"], &decision["target_nodes"]);
    if word == "maintain" {
        return format!("maintain {from} nodes: {reason}");
    }
    format!("{word} from {from} to {to} nodes: {reason}")
}

fn who_acts(decision: &Value) -> String {
    let (driver, by) = (
        decision["driver"].as_str().unwrap_or_default(),
        decision["decided_by"].as_str().unwrap_or_default(),
    );
    let opinion = if decision["of_leader"] == true {
        format!("decided by {by}, which leads")
    } else {
        format!("the opinion of {by}; nobody is heard to lead")
    };
    let acts = match (driver, decision["acts"] == true) {
        ("recommend", _) => "nobody acts on it here (driver recommend)".to_owned(),
        (_, true) => format!("the driver {driver} acts on it"),
        (_, false) => format!("the driver {driver} does nothing now"),
    };
    format!("{opinion}; {acts}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_reads_as_a_sentence() {
        let mut decision = json!({
            "recommendation": "scale_up", "nodes": 3, "target_nodes": 5, "reason": "processor at 84 %",
            "driver": "recommend", "decided_by": "n1", "of_leader": true, "acts": false,
        });
        assert_eq!(
            sentence(&decision),
            "scale_up from 3 to 5 nodes: processor at 84 %"
        );
        assert!(who_acts(&decision).contains("n1, which leads; nobody acts"));
        decision["recommendation"] = json!("maintain");
        assert_eq!(sentence(&decision), "maintain 3 nodes: processor at 84 %");
    }

    #[test]
    fn a_load_becomes_a_question() {
        let load = Load {
            nodes: Some(5),
            cpu: Some(20.0),
            memory: None,
            requests: None,
        };
        assert_eq!(asked(&load), "/api/v1/scaling/decision?nodes=5&cpu=20");
    }
}
