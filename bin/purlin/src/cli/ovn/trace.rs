//! `purlin ovn trace`, `matrix` and `what-if`: what becomes of packets, now and after a change.

use super::{diff, write};
use crate::cli::{Context, ListArgs};
use crate::client::Ask;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// The longest answer: copies of both databases, and ovn-northd over them.
const PATIENCE: Duration = Duration::from_secs(200);

#[derive(Debug, clap::Args)]
pub(crate) struct Trace {
    /// Switch port where the packet enters, by name or UUID.
    from: String,
    /// Where it is to go: a switch port, a router's port, or an address.
    #[arg(required_unless_present = "microflow", conflicts_with = "microflow")]
    to: Option<String>,
    /// icmp, or tcp, udp, sctp with a port behind a slash.
    #[arg(default_value = "icmp", value_name = "PROTOCOL[/PORT]")]
    protocol: String,
    /// The packet in OVN's expression language.
    #[arg(long, value_name = "EXPRESSION")]
    microflow: Option<String>,
    /// MAC of the sender, where it is not the port's own.
    #[arg(long, value_name = "MAC")]
    source_mac: Option<String>,
    /// Address of the sender, where it is not the port's own.
    #[arg(long, value_name = "ADDRESS")]
    source_ip: Option<String>,
    /// Show the words of ovn-trace.
    #[arg(long)]
    raw: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Matrix {
    /// Ports, by name or UUID.
    ports: Vec<String>,
    /// All ports of a switch.
    #[arg(long, value_name = "SWITCH")]
    switch: Vec<String>,
    /// All ports of a port group.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// Ports to reach, where they are others.
    #[arg(long, value_name = "PORT")]
    to: Vec<String>,
    /// icmp, tcp/22; several with commas between them.
    #[arg(long, value_name = "PROTOCOL[/PORT]", value_delimiter = ',')]
    protocol: Vec<String>,
    /// Whether ovn-trace is asked: where the ACLs do not say all, for every cell, or never.
    #[arg(long, value_parser = ["auto", "all", "never"], default_value = "auto")]
    confirm: String,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WhatIf {
    /// Changes as `purlin ovn apply` takes them; - for standard input.
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// A packet to follow before and after: FROM,TO[,PROTOCOL[/PORT]].
    #[arg(long, value_name = "PACKET")]
    trace: Vec<String>,
}

const CELLS: Kind = Kind {
    plural: "pairs",
    name: "from",
    columns: &[
        Column::new("FROM", "from", Show::Text),
        Column::new("TO", "to", Show::Text),
        Column::new("PROTOCOL", "protocol", Show::Text),
        Column::new("ALLOWED", "allowed", Show::Text),
        Column::new("METHOD", "method", Show::Text),
        Column::new("EXACT", "exact", Show::Text),
        Column::new("REASON", "reason", Show::Text),
    ],
};

/// `protocol` and `destination_port` of a word.
fn probe(word: &str) -> Result<Map<String, Value>, Failure> {
    let mut members = Map::new();
    let (name, port) = match word.split_once('/') {
        Some((name, port)) => (name, Some(port)),
        None => (word, None),
    };
    members.insert("protocol".to_owned(), json!(name));
    if let Some(port) = port {
        let port: u16 = port
            .parse()
            .map_err(|_| Failure::usage(format!("{word:?} has no port below 65536"), "tcp/22 has one"))?;
        members.insert("destination_port".to_owned(), json!(port));
    }
    Ok(members)
}

impl Trace {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let mut question = match &self.microflow {
            Some(flow) => Map::from_iter([("microflow".to_owned(), json!(flow))]),
            None => probe(&self.protocol)?,
        };
        question.insert("from".to_owned(), json!(self.from));
        question.insert("raw".to_owned(), json!(self.raw));
        let texts = [
            ("to", &self.to),
            ("source_mac", &self.source_mac),
            ("source_ip", &self.source_ip),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                question.insert(name.to_owned(), json!(text));
            }
        }
        let ask = Ask::post("/api/v1/ovn/trace").json(&Value::Object(question));
        let told = context.client()?.value(ask.patience(PATIENCE)).await?;
        match context.form() {
            Form::Table | Form::Wide => tell(&told, Paint::stdout()),
            form => output::document(form, &told)?,
        }
        let arrived = told["reached"].as_bool().unwrap_or(told["delivered"] == true);
        Ok(if arrived { Exit::Ok } else { Exit::Failed })
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn tell(told: &Value, paint: Paint) {
    if let Some(raw) = told["raw"].as_str() {
        say!("{raw}");
    }
    for hop in items(told, "hops") {
        let port = |name: &str| hop[name].as_str().unwrap_or("?").to_owned();
        say!(
            "{} {}: {} -> {}",
            text(hop, "kind"),
            text(hop, "name"),
            port("inport"),
            port("outport")
        );
        for decision in items(hop, "decisions") {
            let by = &decision["by"];
            let by = by["name"]
                .as_str()
                .map(|name| format!("{} {name}: ", text(by, "table")));
            let actions: Vec<&str> = items(decision, "actions")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let line = format!(
                "  {:<22} {}{}",
                text(decision, "stage"),
                by.unwrap_or_default(),
                actions.join(" ")
            );
            say!("{}", paint.text(Tone::Faint, line.trim_end()));
        }
    }
    let good = told["reached"].as_bool().unwrap_or(told["delivered"] == true);
    let tone = if good { Tone::Good } else { Tone::Bad };
    say!("{}", paint.text(tone, text(told, "summary")));
    let by = &told["dropped"]["by"];
    if let Some(href) = by["href"].as_str() {
        say!(
            "{} {}, of {}: {href}",
            text(by, "table"),
            text(by, "name"),
            owner(by)
        );
    }
    if told["behind"] == true {
        say!(
            "{}",
            paint.text(
                Tone::Warning,
                "ovn-northd has not made flows of the newest rows yet"
            )
        );
    }
}

fn owner(row: &Value) -> &str {
    let owner = &row["owner"];
    owner["name"]
        .as_str()
        .or(owner["kind"].as_str())
        .unwrap_or("nobody")
}

impl Matrix {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        if self.ports.is_empty() && self.switch.is_empty() && self.group.is_empty() {
            return Err(Failure::usage(
                "no port is named",
                "name ports, --switch or --group",
            ));
        }
        let mut question = json!({
            "from": { "ports": self.ports, "switches": self.switch, "groups": self.group },
            "protocols": self.protocol,
            "confirm": self.confirm,
        });
        if !self.to.is_empty() {
            question["to"] = json!({ "ports": self.to });
        }
        let mut client = context.client()?;
        let mut cells = Vec::new();
        loop {
            let ask = Ask::post("/api/v1/ovn/matrix").json(&question).patience(PATIENCE);
            let page = client.value(ask).await?;
            cells.extend_from_slice(items(&page, "cells"));
            match page["next_cursor"].as_str() {
                Some(next) => question["cursor"] = json!(next),
                None => break,
            }
        }
        output::list(&context.list_view(&self.list), CELLS, &cells)?;
        Ok(Exit::Ok)
    }
}

impl WhatIf {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let mut candidate = write::read(&self.file)?;
        let traces = self
            .trace
            .iter()
            .map(|words| packet(words))
            .collect::<Result<Vec<_>, _>>()?;
        candidate.insert("traces".to_owned(), json!(traces));
        let ask = Ask::post("/api/v1/ovn/what-if").json(&Value::Object(candidate));
        let told = context.client()?.value(ask.patience(PATIENCE)).await?;
        match context.form() {
            Form::Table | Form::Wide => compare(&told, Paint::stdout()),
            form => output::document(form, &told)?,
        }
        Ok(Exit::Ok)
    }
}

/// `web-1,web-2,tcp/22`
fn packet(words: &str) -> Result<Value, Failure> {
    let parts: Vec<&str> = words.split(',').collect();
    let (from, to, protocol) = match parts.as_slice() {
        [from, to] => (from, to, "icmp"),
        [from, to, protocol] => (from, to, *protocol),
        _ => {
            let what = format!("--trace {words:?} is no packet");
            return Err(Failure::usage(what, "write FROM,TO or FROM,TO,tcp/22"));
        }
    };
    let mut question = probe(protocol)?;
    question.insert("from".to_owned(), json!(from));
    question.insert("to".to_owned(), json!(to));
    Ok(Value::Object(question))
}

fn compare(told: &Value, paint: Paint) {
    for line in diff::lines(&told["change"]["diff"], paint) {
        say!("{line}");
    }
    let flows = &told["flows"];
    say!("\nflows: {} come, {} go", flows["added"], flows["removed"]);
    for stage in items(flows, "stages") {
        say!(
            "{} {}, {}",
            text(stage, "kind"),
            text(stage, "datapath"),
            text(stage, "stage")
        );
        for (sign, side, tone) in [("+", "added", Tone::Good), ("-", "removed", Tone::Bad)] {
            for flow in items(stage, side) {
                let line = format!("  {sign} {:>5} {}", flow["priority"], text(flow, "match"));
                say!("{}", paint.text(tone, &line));
            }
        }
    }
    for trace in items(told, "traces") {
        say!("\n{} to {}:", text(trace, "from"), text(trace, "to"));
        for (word, side) in [("now  ", "before"), ("then ", "after")] {
            let good = trace[side]["reached"] == true;
            let tone = if good { Tone::Good } else { Tone::Bad };
            say!("  {word} {}", paint.text(tone, text(&trace[side], "summary")));
        }
    }
    let matrix = &told["matrix"];
    say!("\n{} of {} pairs change", matrix["changed"], matrix["compared"]);
    for cell in items(matrix, "cells") {
        let side = |name: &str| match cell[name]["allowed"].as_bool() {
            Some(true) => "allowed",
            Some(false) => "dropped",
            None => "no packet",
        };
        say!(
            "  {} to {}, {}: {} -> {}",
            text(cell, "from"),
            text(cell, "to"),
            text(cell, "protocol"),
            side("before"),
            side("after")
        );
    }
    say!("{}", paint.text(Tone::Faint, "nothing was changed"));
}
