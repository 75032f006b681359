//! `purlin ovn lint`: what is wrong, or probably not meant, in all that is there.

use crate::cli::{Context, ListArgs, context::watched};
use crate::client::Ask;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Kind, Show};
use serde_json::Value;

const PROBLEMS: Kind = Kind {
    plural: "problems",
    name: "code",
    columns: &[
        Column::new("SEVERITY", "severity", Show::Text),
        Column::new("PLACE", "place", Show::Text),
        Column::new("PROBLEM", "message", Show::Text),
        Column::new("HELP", "help", Show::Text),
        Column::wide("CODE", "code", Show::Text),
    ],
};

pub(super) async fn run(args: &ListArgs, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let mut broken = false;
    let shown = watched(args, async || {
        let answer = client.value(Ask::get("/api/v1/ovn/lint")).await?;
        let problems = answer.as_array().cloned().unwrap_or_default();
        broken = problems.iter().any(is_error);
        output::list(&context.list_view(args), PROBLEMS, &problems)
    });
    shown.await?;
    Ok(if broken { Exit::Failed } else { Exit::Ok })
}

fn is_error(problem: &Value) -> bool {
    problem["severity"] == "error"
}
