//! `purlin ovn status`: databases, members, how far the copies can be trusted.

use crate::cli::{Context, ListArgs, context::watched};
use crate::client::Ask;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use serde_json::{Value, json};

const MEMBERS: Kind = Kind {
    plural: "members",
    name: "endpoint",
    columns: &[
        Column::new("DATABASE", "database", Show::Text),
        Column::new("MEMBER", "endpoint", Show::Text),
        Column::new("CONNECTED", "connected", Show::Text),
        Column::new("ROLE", "role", Show::Text),
        Column::new("MODEL", "model", Show::Text),
        Column::new("INDEX", "index", Show::Number),
        Column::new("TROUBLE", "trouble", Show::Text),
        Column::wide("SERVER", "server", Show::Text),
        Column::wide("CLUSTER", "cluster", Show::Text),
    ],
};

pub(super) async fn run(args: &ListArgs, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let mut ready = true;
    let shown = watched(args, async || {
        let status = client.value(Ask::get("/api/v1/ovn")).await?;
        ready = status["ready"] == true;
        show(&status, args, context)
    });
    shown.await?;
    Ok(if ready { Exit::Ok } else { Exit::Failed })
}

fn show(status: &Value, args: &ListArgs, context: &Context) -> Result<(), Failure> {
    if matches!(context.form(), Form::Json | Form::Yaml) {
        return output::document(context.form(), status);
    }
    let sides: Vec<&Value> = ["northbound", "southbound"]
        .iter()
        .map(|side| &status[side])
        .filter(|side| side.is_object())
        .collect();
    if matches!(context.form(), Form::Table | Form::Wide) {
        let paint = Paint::stdout();
        for side in &sides {
            say!("{}", sentence(side, paint));
        }
        say!(
            "The databases are {}.\n",
            status["origin"].as_str().unwrap_or("given")
        );
    }
    let members: Vec<Value> = sides.iter().flat_map(|side| members(side)).collect();
    output::list(&context.list_view(args), MEMBERS, &members)
}

/// `OVN_Northbound 7.0.0 is live: 1204 rows`.
fn sentence(side: &Value, paint: Paint) -> String {
    let word = |key: &str| side[key].as_str().unwrap_or_default();
    let state = word("state");
    let tone = match state {
        "live" => Tone::Good,
        "stale" => Tone::Bad,
        _ => Tone::Warning,
    };
    let since = side["stale_seconds"].as_f64();
    let since = since.map_or_else(String::new, |seconds| format!(" for {seconds:.0} s"));
    let trouble = match word("trouble") {
        "" => String::new(),
        trouble => format!("; {trouble}"),
    };
    let version = match word("schema_version") {
        "" => String::new(),
        version => format!(" {version}"),
    };
    format!(
        "{}{version} is {}{since}: {} rows{trouble}",
        paint.text(Tone::Strong, word("database")),
        paint.text(tone, state),
        side["rows"]
    )
}

/// The members of one database as rows.
fn members(side: &Value) -> Vec<Value> {
    let one = |member: &Value| {
        let mut member = member.clone();
        member["database"] = side["database"].clone();
        let clustered = member["model"] == "clustered";
        member["role"] = match (clustered, member["leader"] == true) {
            (false, _) => json!(null),
            (true, true) => json!("leader"),
            (true, false) => json!("follower"),
        };
        member
    };
    let all = side["members"].as_array();
    all.map(|members| members.iter().map(one).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_reads_as_a_sentence() {
        let mut side =
            json!({ "database": "OVN_Northbound", "schema_version": "7.0.0", "state": "live", "rows": 7 });
        assert_eq!(
            sentence(&side, Paint::off()),
            "OVN_Northbound 7.0.0 is live: 7 rows"
        );
        side["state"] = json!("stale");
        side["stale_seconds"] = json!(12.4);
        side["trouble"] = json!("connection refused");
        assert_eq!(
            sentence(&side, Paint::off()),
            "OVN_Northbound 7.0.0 is stale for 12 s: 7 rows; connection refused"
        );
    }

    #[test]
    fn members_of_a_standalone_database_have_no_role() {
        let side = json!({ "database": "D", "members": [
            { "endpoint": "tcp:a:1", "model": "clustered", "leader": true },
            { "endpoint": "tcp:b:1", "model": "clustered", "leader": false },
            { "endpoint": "unix:/c", "model": "standalone", "leader": true },
        ]});
        let roles: Vec<Value> = members(&side)
            .iter()
            .map(|member| member["role"].clone())
            .collect();
        assert_eq!(roles, [json!("leader"), json!("follower"), json!(null)]);
    }
}
