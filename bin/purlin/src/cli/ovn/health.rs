//! `purlin ovn health`, `chassis` and `sync`: whether what is written arrives.

use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use serde_json::Value;
use std::time::Duration;

const CHASSIS: Kind = Kind {
    plural: "hypervisors",
    name: "name",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("HOSTNAME", "hostname", Show::Text),
        Column::new("ENCAPS", "encaps", Show::Text),
        Column::new("CFG", "nb_cfg", Show::Number),
        Column::new("WANTED", "nb_cfg_wanted", Show::Number),
        Column::new("CAUGHT UP", "nb_cfg_timestamp", Show::Time),
        Column::new("STALE", "stale_seconds", Show::Number),
        Column::new("UP", "ports_up", Show::Number),
        Column::new("DOWN", "ports_down", Show::Number),
    ],
};

const BASE: &str = "/api/v1/ovn/operations";

#[derive(Debug, clap::Args)]
pub(crate) struct Chassis {
    /// Only those that are behind.
    #[arg(long)]
    stale: bool,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sync {
    /// Only ovn-northd must answer, not the hypervisors.
    #[arg(long)]
    sb: bool,
    /// How long to wait at most.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = super::seconds)]
    timeout: u64,
}

/// Ends with 1 when something is critical.
pub(super) async fn health(args: &ListArgs, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let mut critical = false;
    let shown = watched(args, async || {
        let look = client.value(Ask::get(BASE)).await?;
        let alarms = look["alarms"].as_array().map_or(&[][..], Vec::as_slice);
        critical = alarms.iter().any(|alarm| alarm["severity"] == "critical");
        if !matches!(context.form(), Form::Table | Form::Wide) {
            return output::document(context.form(), &look);
        }
        for line in lines(&look, Paint::stdout()) {
            say!("{line}");
        }
        Ok::<(), Failure>(())
    });
    shown.await?;
    Ok(if critical { Exit::Failed } else { Exit::Ok })
}

fn lines(look: &Value, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    for alarm in look["alarms"].as_array().into_iter().flatten() {
        let word = |key: &str| alarm[key].as_str().unwrap_or_default();
        let tone = if word("severity") == "critical" {
            Tone::Bad
        } else {
            Tone::Warning
        };
        lines.push(format!(
            "{}  {}",
            paint.text(tone, word("severity")),
            word("text")
        ));
        lines.push(format!("          fix: {}", word("fix")));
    }
    if lines.is_empty() {
        lines.push(paint.text(Tone::Good, "nothing is wrong"));
    }
    let northd = &look["northd"];
    if let (Some(nb), Some(sb), Some(hv)) = (
        northd["nb_cfg"].as_i64(),
        northd["sb_cfg"].as_i64(),
        northd["hv_cfg"].as_i64(),
    ) {
        let took = northd["last_round_ms"]
            .as_i64()
            .map_or_else(String::new, |ms| format!(", last round {ms} ms"));
        let active = match northd["active"].as_bool() {
            Some(true) => "active",
            Some(false) => "none at work",
            None => "not known whether one is at work",
        };
        lines.push(format!(
            "ovn-northd: {active}; asked {nb}, flows {sb}, hypervisors {hv}{took}"
        ));
    }
    let chassis = &look["chassis"];
    lines.push(format!(
        "hypervisors: {} ({} behind), ports {} up, {} down",
        chassis["total"], chassis["stale"], chassis["ports_up"], chassis["ports_down"]
    ));
    lines
}

pub(super) async fn chassis(args: &Chassis, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let (view, path) = (context.list_view(&args.list), format!("{BASE}/chassis"));
    let stale = [("stale", if args.stale { "true" } else { "" })];
    let stale: Vec<(&str, &str)> = stale.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    watched(&args.list, async || {
        paging::list(&mut client, &path, &stale, usize::MAX, view.clone(), CHASSIS).await
    })
    .await
}

/// Ends with 1 when they did not answer in time.
pub(super) async fn sync(args: &Sync, context: &Context) -> Outcome {
    let timeout = args.timeout.to_string();
    let wait = if args.sb { "sb" } else { "hv" };
    let path = with_query(&format!("{BASE}/sync"), &[("wait", wait), ("timeout", &timeout)]);
    let ask = Ask::post(path).patience(Duration::from_secs(args.timeout + 30));
    let answer = context.client()?.value(ask).await?;
    let done = answer["done"] == true;
    match context.form() {
        Form::Table | Form::Wide => match super::write::realised(&answer, Paint::stdout()) {
            Some(line) => say!("{line}"),
            None => say!("nobody answered"),
        },
        form => output::document(form, &answer)?,
    }
    Ok(if done { Exit::Ok } else { Exit::Failed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn health_reads_from_the_worst_on() {
        let look = json!({
            "alarms": [{ "severity": "critical", "text": "no leader", "fix": "start it" }],
            "northd": { "nb_cfg": 5, "sb_cfg": 4, "hv_cfg": 3, "active": true, "last_round_ms": 12 },
            "chassis": { "total": 2, "stale": 1, "ports_up": 7, "ports_down": 0 },
        });
        assert_eq!(
            lines(&look, Paint::off()),
            [
                "critical  no leader",
                "          fix: start it",
                "ovn-northd: active; asked 5, flows 4, hypervisors 3, last round 12 ms",
                "hypervisors: 2 (1 behind), ports 7 up, 0 down",
            ]
        );
        let fine = lines(&json!({ "alarms": [], "chassis": {} }), Paint::off());
        assert_eq!(fine[0], "nothing is wrong");
    }
}
