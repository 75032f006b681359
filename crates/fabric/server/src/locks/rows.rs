//! Locks as they are shown: those in the hints, and the claims that are fenced locks.

use super::class_of;
use crate::work::{Work, away};
use purlin_api::Problem;
use purlin_api::route::Routes;
use purlin_api::schema;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every lock that is held, by name, as far as one question to each service tells.
pub(super) async fn names(work: &Work) -> Result<Vec<Value>, Problem> {
    let advisory = work.hints.locks().await.map_err(|fault| away(&fault))?;
    let fenced = work.desk.manager().fenced().await.map_err(|fault| away(&fault))?;
    let mut rows = BTreeMap::new();
    for (name, left) in advisory {
        let row = row(&name, false, &json!(left.as_secs_f64()));
        rows.insert(name, row);
    }
    for holder in fenced {
        let mut row = row(&holder.name, true, &Value::Null);
        row["node"] = json!(holder.node.as_str());
        row["fence"] = json!(holder.epoch.to_string());
        rows.insert(holder.name, row);
    }
    for held in work.desk.manager().held() {
        if let Some(row) = rows.get_mut(&held.name) {
            row["node"] = json!(work.node.as_str());
            row["age_seconds"] = json!(held.held.as_secs_f64());
            row["ttl_seconds"] = json!(held.left.as_secs_f64());
        }
    }
    for (name, waiters) in work.waiters().await {
        if let Some(row) = rows.get_mut(&name) {
            row["waiters"] = json!(waiters);
        }
    }
    Ok(rows.into_values().collect())
}

/// Adds to the rows of one page what their holders have said of themselves.
pub(super) async fn complete(work: &Work, rows: &mut [Value]) -> Result<(), Problem> {
    for row in rows {
        let name = row["name"].as_str().unwrap_or_default().to_owned();
        let card = work.desk.card(&name).await.map_err(|error| away(&error))?;
        if let Some(card) = card {
            let held = work.desk.wall().saturating_sub(card.since);
            row["owner"] = json!(card.owner);
            row["node"] = json!(card.node);
            row["age_seconds"] = json!(held as f64 / 1000.0);
            row["max_hold_seconds"] = json!(card.max_hold.as_secs_f64());
        }
    }
    Ok(())
}

fn row(name: &str, fenced: bool, ttl: &Value) -> Value {
    json!({
        "name": name,
        "class": class_of(fenced),
        "owner": null,
        "node": null,
        "fence": null,
        "age_seconds": null,
        "ttl_seconds": ttl,
        "max_hold_seconds": null,
        "waiters": 0,
    })
}

pub(super) fn components(routes: Routes) -> Routes {
    let number = |what| schema::nullable(schema::number(what));
    let text = |what| schema::nullable(schema::string(what));
    let class = || {
        schema::one_of(
            &["advisory", "fenced"],
            "Whether the resource itself refuses a holder that has lost it.",
        )
    };
    routes
        .component(
            "Lock",
            schema::object(&[
                ("name", schema::string("What is locked.")),
                ("class", class()),
                (
                    "owner",
                    text("The client that holds it; null when a node holds it for itself."),
                ),
                (
                    "node",
                    text("The node that gave it; null when another one holds an advisory lock for itself."),
                ),
                ("fence", text("Rises with every holder; of fenced locks only.")),
                (
                    "age_seconds",
                    number("Since it was acquired; null where only its node knows."),
                ),
                (
                    "ttl_seconds",
                    number("Until it lapses; null for fenced locks of other nodes."),
                ),
                (
                    "max_hold_seconds",
                    number("It is given up after so long; of clients' locks only."),
                ),
                (
                    "waiters",
                    schema::count("How many ask for it: here now, elsewhere a few seconds ago."),
                ),
            ]),
        )
        .component(
            "Lease",
            schema::object(&[
                ("name", schema::string("What is locked.")),
                (
                    "token",
                    text("Proves the holder: 128 random bits, told to nobody else."),
                ),
                (
                    "fence",
                    text("Rises with every holder; goes into what a fenced lock protects."),
                ),
                ("owner", schema::string("The client that holds it.")),
                ("node", schema::string("The node that gave it.")),
                ("class", class()),
                (
                    "ttl_seconds",
                    schema::number("It lapses when it is not renewed for so long."),
                ),
            ]),
        )
        .component(
            "Released",
            schema::object(&[
                ("name", schema::string("What was locked.")),
                (
                    "was_held",
                    schema::boolean("Whether it was still held under the token."),
                ),
            ]),
        )
}
