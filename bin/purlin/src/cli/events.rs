//! `purlin events`: the node's event stream (Server-Sent Events), resumed when the connection breaks.

use super::{Context, why};
use crate::client::{Ask, Client, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Form, harmless};
use serde_json::Value;
use std::io::Write;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin events                                what is still in memory
  purlin events --follow --topics dhcp.lease   leases as they come
  purlin events --follow -o json | jq .

Topics, as far as the node has the service; each includes those below it:
  dhcp.lease, dhcp.decision     what was given, and every packet's fate; dhcp.decision.no_subnet_for_relay is one reason
  boot.transfer, boot.http      requests for boot files by how they ended; boot.stray: packets of no transfer
  config.revision, config.file  changes of the configuration, and files that were refused
  chain, ovn.row                blocks and agreement; rows that changed
  cluster, scaling, node.health nodes that come and go, advice, what is wrong with this node")]
pub(crate) struct Args {
    /// Only these topics.
    #[arg(long, value_delimiter = ',', value_name = "TOPIC,...")]
    topics: Vec<String>,
    /// Stay and show new events until interrupted.
    #[arg(long, short = 'f')]
    follow: bool,
    /// Begin after the event with this id.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// Only events whose subject begins so.
    #[arg(skip)]
    subjects: Option<String>,
}

/// Without `--follow`: how long silence lasts before what is in memory has been shown.
const SILENCE: Duration = Duration::from_millis(700);
const RECONNECT: Duration = Duration::from_secs(1);

/// Shows a topic as it happens, until interrupted; only subjects that begin so.
#[cfg_attr(
    not(feature = "ovn"),
    expect(dead_code, reason = "only OVN has a command of its own for this")
)]
pub(super) async fn follow_topic(
    topic: &str,
    subjects: Option<String>,
    after: Option<String>,
    context: &Context,
) -> Outcome {
    let args = Args {
        topics: vec![topic.to_owned()],
        follow: true,
        after,
        subjects,
    };
    run(&args, context).await
}

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let mut client = context.client()?;
    // 0 is before every event: what the node still remembers comes first.
    let mut last = args
        .after
        .clone()
        .unwrap_or_else(|| if args.follow { String::new() } else { "0".into() });
    loop {
        let end = tokio::select! {
            end = follow(&mut client, args, context.form(), &mut last) => end,
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
        };
        match end {
            Ok(came) if !args.follow => {
                if !came && !args.topics.is_empty() {
                    let topics = args.topics.join(",");
                    eprintln!("no event of {topics} is in memory; purlin events --help names the topics");
                }
                return Ok(Exit::Ok);
            }
            Ok(_) => {}
            Err(failure) if args.follow && failure.exit == Exit::Unreachable && !last.is_empty() => {
                eprintln!("{failure}; trying again");
            }
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Reads one connection to its end (or to silence), keeping the id of the last event seen. Returns whether any came.
async fn follow(client: &mut Client, args: &Args, form: Form, last: &mut String) -> Result<bool, Failure> {
    let topics = args.topics.join(",");
    let path = with_query("/api/v1/events", &[("topics", &topics), ("after", last)]);
    let mut lines = client.stream(Ask::get(path).accept("text/event-stream")).await?;
    let mut event = Event::default();
    let mut came = false;
    loop {
        let line = if args.follow {
            lines.line().await?
        } else {
            match tokio::time::timeout(SILENCE, lines.line()).await {
                Ok(line) => line?,
                Err(_) => return Ok(came),
            }
        };
        let Some(line) = line else { return Ok(came) };
        if line.is_empty() {
            let done = std::mem::take(&mut event);
            came |= !done.data.is_empty();
            done.show(form, args.subjects.as_deref())?;
            if !done.id.is_empty() {
                *last = done.id;
            }
        } else {
            event.field(&line);
        }
    }
}

/// One event in the making; see the WHATWG definition of Server-Sent Events.
#[derive(Debug, Default)]
struct Event {
    id: String,
    topic: String,
    data: String,
}

impl Event {
    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => value.clone_into(&mut self.id),
            "event" => value.clone_into(&mut self.topic),
            "data" => self.data.push_str(value),
            _ => {}
        }
    }

    fn show(&self, form: Form, subjects: Option<&str>) -> Result<(), Failure> {
        if self.data.is_empty() {
            return Ok(());
        }
        let event: Value = serde_json::from_str(&self.data).unwrap_or(Value::Null);
        let subject = event["data"]["subject"].as_str().unwrap_or_default();
        if subjects.is_some_and(|wanted| !subject.starts_with(wanted)) {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        if matches!(form, Form::Json | Form::Yaml) {
            writeln!(out, "{}", harmless::json(&self.data))?;
            return Ok(());
        }
        let data = event.get("data").unwrap_or(&Value::Null);
        let said = match data.get("text") {
            Some(Value::String(_)) => why::said(data),
            _ => harmless::json(&data.to_string()).into_owned(),
        };
        let when = event.get("at").and_then(Value::as_str).unwrap_or("-");
        writeln!(
            out,
            "{}  {:<18} {said}",
            harmless::line(when),
            harmless::line(&self.topic)
        )?;
        Ok(())
    }
}
