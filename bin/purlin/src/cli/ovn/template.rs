//! `purlin ovn template`: sets of rules with typed variables.

use super::write::{Manner, format, read_text};
use crate::cli::{Context, ListArgs};
use crate::client::{Ask, Client, encode, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

const PREVIEW_EXAMPLES: &str = "Examples:
  purlin ovn template preview web-server --var group=web --var admins=10.0.0.0/24,10.0.1.0/24
  purlin ovn template preview dmz --switch dmz -o json

Nothing is written. Ends with 1 when a value is wrong or missing.";

const APPLY_EXAMPLES: &str = "Examples:
  purlin ovn template apply web-server --var group=web --var admins=10.0.0.0/24 --dry-run
  purlin ovn template apply zero-trust --switch lab --wait hv

All rules are written as one transaction; `purlin ovn undo` takes them back together.";

const BASE: &str = "/api/v1/templates";

const TEMPLATES: Kind = Kind {
    plural: "templates",
    name: "id",
    columns: &[
        Column::new("ID", "id", Show::Text),
        Column::new("CATEGORY", "category", Show::Text),
        Column::new("VARIABLES", "variable_names", Show::Text),
        Column::new("RULES", "rule_count", Show::Number),
        Column::new("DESCRIPTION", "description", Show::Text),
        Column::wide("BUILT IN", "builtin", Show::Text),
        Column::wide("TAGS", "tags", Show::Text),
    ],
};

const RULES: Kind = Kind {
    plural: "rules",
    name: "name",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("DIRECTION", "direction", Show::Text),
        Column::new("PRIORITY", "priority", Show::Number),
        Column::new("ACTION", "action", Show::Text),
        Column::new("MATCH", "match", Show::Text),
    ],
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List templates.
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  purlin ovn template list
  purlin ovn template ls --filter category=security -o name"
    )]
    List(ListArgs),
    /// Show one template with its variables and rules.
    #[command(after_help = "Examples:
  purlin ovn template show web-server
  purlin ovn template show web-server -o json > mine.json")]
    Show {
        /// Its id, as listed.
        id: String,
    },
    /// Show the rules that these values give, and what is wrong with them.
    #[command(after_help = PREVIEW_EXAMPLES)]
    Preview(Values),
    /// Write the rules of a template, all or none.
    #[command(after_help = APPLY_EXAMPLES)]
    Apply {
        #[command(flatten)]
        values: Values,
        #[command(flatten)]
        manner: Manner,
    },
    /// Keep a template of your own, JSON or YAML.
    #[command(after_help = "Examples:
  purlin ovn template import -f mine.yaml
  purlin ovn template import -f mine.yaml --replace")]
    Import {
        /// `-` for standard input.
        #[arg(long, short = 'f', value_name = "FILE")]
        file: PathBuf,
        /// In place of the one of the same id.
        #[arg(long)]
        replace: bool,
    },
    /// Forget a template that was imported.
    #[command(
        visible_alias = "rm",
        after_help = "Examples:
  purlin ovn template delete mine"
    )]
    Delete {
        /// Its id, as listed.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Values {
    /// Which template.
    id: String,
    /// A value for a variable; several of a list with commas between them.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Switch that gets the rules; the port group of the variables when not given.
    #[arg(long, value_name = "SWITCH")]
    switch: Option<String>,
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::List(args) => list(args, context).await,
        Command::Show { id } => {
            let template = context.client()?.value(Ask::get(path(id))).await?;
            output::one(&context.view(), TEMPLATES, &template)?;
            Ok(Exit::Ok)
        }
        Command::Preview(values) => preview(values, context).await,
        Command::Apply { values, manner } => {
            let body = values.body()?;
            let ask = |path| Ask::post(path).json(&body);
            manner.send(format!("{BASE}/instantiate"), ask, context).await
        }
        Command::Import { file, replace } => {
            let (kind, text) = format(file, read_text(file)?)?;
            let replace = if *replace { "true" } else { "" };
            let path = with_query(&format!("{BASE}/import"), &[("replace", replace)]);
            let made = context.client()?.value(Ask::post(path).text(kind, text)).await?;
            output::one(&context.view(), TEMPLATES, &made)?;
            Ok(Exit::Ok)
        }
        Command::Delete { id } => {
            context.client()?.answer(Ask::delete(path(id))).await?;
            say!("template {id} is forgotten");
            Ok(Exit::Ok)
        }
    }
}

fn path(id: &str) -> String {
    format!("{BASE}/{}", encode(id))
}

/// All items of a list in numbered pages.
pub(super) async fn all(client: &mut Client, base: &str, member: &str) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    for number in 1_u64.. {
        let number_text = number.to_string();
        let path = with_query(base, &[("page", &number_text), ("page_size", "1000")]);
        let mut page = client.value(Ask::get(path)).await?;
        if let Value::Array(some) = page[member].take() {
            items.extend(some);
        }
        if page["pagination"]["total_pages"].as_u64().unwrap_or(0) <= number {
            break;
        }
    }
    Ok(items)
}

async fn list(args: &ListArgs, context: &Context) -> Outcome {
    let mut templates = all(&mut context.client()?, BASE, "templates").await?;
    for template in &mut templates {
        let variables = template["variables"].as_array().map_or(&[][..], Vec::as_slice);
        let names: Vec<Value> = variables
            .iter()
            .map(|variable| variable["name"].clone())
            .collect();
        template["rule_count"] = json!(template["rules"].as_array().map_or(0, Vec::len));
        template["variable_names"] = json!(names);
    }
    output::list(&context.list_view(args), TEMPLATES, &templates)?;
    Ok(Exit::Ok)
}

impl Values {
    fn body(&self) -> Result<Value, Failure> {
        let mut variables = Map::new();
        for text in &self.variables {
            let (name, value) = text
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("--var {text} has no value"), "write NAME=VALUE"))?;
            variables.insert(name.to_owned(), json!(value));
        }
        Ok(json!({ "template_id": self.id, "variables": variables, "target_switch": self.switch }))
    }
}

async fn preview(values: &Values, context: &Context) -> Outcome {
    let ask = Ask::post(format!("{BASE}/validate")).json(&values.body()?);
    let told = context.client()?.value(ask).await?;
    let exit = if told["valid"] == true {
        Exit::Ok
    } else {
        Exit::Failed
    };
    if !matches!(context.form(), Form::Table | Form::Wide) {
        output::document(context.form(), &told)?;
        return Ok(exit);
    }
    let list = |name: &str| told[name].as_array().map_or(&[][..], Vec::as_slice);
    if exit == Exit::Ok {
        output::list(&context.view(), RULES, list("preview"))?;
    }
    let paint = Paint::stdout();
    for (name, word, tone) in [
        ("warnings", "warning", Tone::Warning),
        ("errors", "error", Tone::Bad),
    ] {
        for text in list(name).iter().filter_map(Value::as_str) {
            say!("{}", paint.text(tone, &format!("{word}: {text}")));
        }
    }
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_what_stands_behind_the_first_sign() {
        let values = |variables: &[&str]| Values {
            id: "t".to_owned(),
            variables: variables.iter().map(|text| (*text).to_owned()).collect(),
            switch: None,
        };
        let body = values(&["group=web", "when=a=b"])
            .body()
            .expect("they have values");
        assert_eq!(body["variables"], json!({ "group": "web", "when": "a=b" }));
        assert_eq!(values(&["group"]).body().expect_err("no value").exit, Exit::Usage);
    }
}
