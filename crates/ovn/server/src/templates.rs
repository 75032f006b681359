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
/// Those of tenants, by tenant and id.
const OF_TENANTS: &str = "ovn_template_of_tenant";
/// Templates of one tenant at most.
const MOST_OF_TENANT: usize = 100;
/// Templates of others at most.
const MOST: usize = 1000;
/// Rules and variables of one template at most.
const PARTS_MAX: usize = 200;

/// Whose templates are meant: those of the installation, or a tenant's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf<'a> {
    pub(crate) history: &'a History,
    pub(crate) tenant: Option<&'a str>,
}

impl Shelf<'_> {
    const fn table(self) -> &'static str {
        match self.tenant {
            Some(_) => OF_TENANTS,
            None => TABLE,
        }
    }

    const fn most(self) -> usize {
        match self.tenant {
            Some(_) => MOST_OF_TENANT,
            None => MOST,
        }
    }

    /// A tenant's keys begin with its id, which has no `/`, as ids of templates have none.
    fn key(self, id: &str) -> Vec<u8> {
        let start = self.tenant.map(|tenant| format!("{tenant}/")).unwrap_or_default();
        format!("{start}{id}").into_bytes()
    }

    async fn read(self) -> Result<Vec<Template>, Problem> {
        let start = self.key("");
        let rows = self.history.ledger.scan(self.table(), start.clone(), self.most());
        let rows = rows.await?;
        let own = rows.iter().take_while(|(key, _)| key.starts_with(&start));
        Ok(own
            .filter_map(|(_, row)| serde_json::from_slice(row).ok())
            .collect())
    }
}

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
pub(crate) async fn all(shelf: Shelf<'_>) -> Result<Vec<Known>, Problem> {
    let builtin = |template| Known {
        template,
        builtin: true,
    };
    let own = shelf.read().await?.into_iter().map(|template| Known {
        template,
        builtin: false,
    });
    Ok(builtins().into_iter().map(builtin).chain(own).collect())
}

/// One of them.
///
/// # Errors
/// 404 when there is none, with the nearest that is.
pub(crate) async fn one(shelf: Shelf<'_>, id: &str) -> Result<Known, Problem> {
    let mut all = all(shelf).await?;
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
    shelf: Shelf<'_>,
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
    let (there, most) = (shelf.read().await?, shelf.most());
    if there.len() >= most && there.iter().all(|own| own.id != id) {
        return Err(Problem::not_possible(format!(
            "there are {most} templates already; delete one first"
        )));
    }
    let row =
        serde_json::to_vec(&template).map_err(|cause| Problem::broken(format!("a template: {cause}")))?;
    let mut batch = Batch::default().put(shelf.table(), shelf.key(&id), row);
    if !replace {
        batch = batch.expect(shelf.table(), shelf.key(&id), Expectation::Absent);
    }
    if dry {
        return Ok(Known {
            template,
            builtin: false,
        });
    }
    match shelf.history.ledger.commit(batch).await {
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
pub(crate) async fn delete(shelf: Shelf<'_>, id: &str, dry: bool) -> Result<(), Problem> {
    if one(shelf, id).await?.builtin {
        return Err(Problem::not_possible(format!(
            "the template {id} comes with Purlin and stays"
        )));
    }
    if dry {
        return Ok(());
    }
    let batch = Batch::default().delete(shelf.table(), shelf.key(id));
    shelf.history.ledger.commit(batch).await
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
