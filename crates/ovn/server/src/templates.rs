//! Templates: those that come with Purlin, and those of others, kept durably.

use crate::documents::Written;
use crate::history::History;
use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovn_core::problem;
use purlin_ovn_core::template::{Template, builtins};
use purlin_store::{Batch, Expectation};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Templates of others, by id.
const TABLE: &str = "ovn_template";
/// Templates of others at most.
const MOST: usize = 1000;
/// Rules and variables of one template at most.
const PARTS_MAX: usize = 200;

/// A template and where it is from.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) template: Template,
    pub(crate) builtin: bool,
}

impl Known {
    /// As ovncp's clients know it, with what Purlin says besides.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = json!(self.template);
        for variable in shown["variables"].as_array_mut().into_iter().flatten() {
            let required = variable.get("default").is_none_or(Value::is_null);
            variable["required"] = json!(required);
        }
        shown["builtin"] = json!(self.builtin);
        shown
    }
}

/// All of them, the built-in ones first.
pub(crate) async fn all(history: &History) -> Result<Vec<Known>, Problem> {
    let rows = history.ledger.scan(TABLE, Vec::new(), MOST).await?;
    let builtin = |template| Known {
        template,
        builtin: true,
    };
    let own = rows
        .iter()
        .filter_map(|(_, row)| serde_json::from_slice(row).ok());
    let own = own.map(|template| Known {
        template,
        builtin: false,
    });
    Ok(builtins().into_iter().map(builtin).chain(own).collect())
}

/// One of them.
///
/// # Errors
/// 404 when there is none, with the nearest that is.
pub(crate) async fn one(history: &History, id: &str) -> Result<Known, Problem> {
    let mut all = all(history).await?;
    match all.iter().position(|known| known.template.id == id) {
        Some(at) => Ok(all.swap_remove(at)),
        None => {
            let near = purlin_config::nearest(id, all.iter().map(|known| known.template.id.as_str()));
            Err(Problem::no_such("template", id).with("nearest", json!(near)))
        }
    }
}

/// Keeps a template of others.
///
/// # Errors
/// 422 when it is none, 409 when its id is taken and `replace` is not said.
pub(crate) async fn import(
    history: &History,
    written: &Written,
    replace: bool,
    dry: bool,
) -> Result<Known, Problem> {
    let json = match written.json.get("template") {
        Some(inner) if inner.is_object() => inner,
        _ => &written.json,
    };
    let template: Template = serde_json::from_value(json.clone()).map_err(|cause| {
        let detail = format!("the template cannot be read: {cause}");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::BAD_DOCUMENT, detail)
    })?;
    let id = template.id.clone();
    let good = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    if !(1..=64).contains(&id.len()) || !id.bytes().all(good) {
        return Err(Problem::wrong_shape(format!(
            "id: {id:?} is no id; letters, digits, `.`, `_` and `-`, 64 at most"
        )));
    }
    if template.rules.is_empty() || template.rules.len() > PARTS_MAX || template.variables.len() > PARTS_MAX {
        let detail = format!("a template has 1 to {PARTS_MAX} rules and {PARTS_MAX} variables at most");
        return Err(Problem::wrong_shape(detail));
    }
    let faults = template.check();
    if !faults.is_empty() {
        return Err(written.refused(&faults));
    }
    if builtins().iter().any(|builtin| builtin.id == id) {
        return Err(Problem::already_there("built-in template", &id));
    }
    if all(history).await?.len() >= MOST {
        return Err(Problem::not_possible(format!(
            "there are {MOST} templates already; delete one first"
        )));
    }
    let row =
        serde_json::to_vec(&template).map_err(|cause| Problem::broken(format!("a template: {cause}")))?;
    let mut batch = Batch::default().put(TABLE, id.as_str(), row);
    if !replace {
        batch = batch.expect(TABLE, id.as_str(), Expectation::Absent);
    }
    if dry {
        return Ok(Known {
            template,
            builtin: false,
        });
    }
    match history.ledger.commit(batch).await {
        Err(problem) if problem.status() == StatusCode::CONFLICT => {
            Err(Problem::already_there("template", &id)
                .with("fix", "say replace=true, or give it another id"))
        }
        Err(problem) => Err(problem),
        Ok(()) => Ok(Known {
            template,
            builtin: false,
        }),
    }
}

/// Forgets a template of others.
pub(crate) async fn delete(history: &History, id: &str, dry: bool) -> Result<(), Problem> {
    if one(history, id).await?.builtin {
        return Err(Problem::not_possible(format!(
            "the template {id} comes with Purlin and stays"
        )));
    }
    if dry {
        return Ok(());
    }
    history.ledger.commit(Batch::default().delete(TABLE, id)).await
}

/// Values as people write them in JSON: a text, a number, a list of them.
pub(crate) fn values(given: &Map<String, Value>) -> Result<BTreeMap<String, String>, Problem> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    given
        .iter()
        .map(|(name, value)| {
            let told = match value {
                Value::Array(items) => {
                    let items: Option<Vec<String>> = items.iter().map(text).collect();
                    items.map(|items| items.join(", "))
                }
                one => text(one),
            };
            let wrong = || {
                Problem::wrong_shape(format!(
                    "variables.{name}: a text, a number or a list of them is expected"
                ))
            };
            Ok((name.clone(), told.ok_or_else(wrong)?))
        })
        .collect()
}

/// 422 with what is wrong with which variable.
pub(crate) fn refused(problems: &[problem::Problem]) -> Problem {
    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        &reasons::BAD_DOCUMENT,
        words.join("; "),
    )
    .with("problems", json!(problems))
}
