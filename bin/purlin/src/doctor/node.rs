//! The node itself, when one runs.

use super::Finding;
use crate::cli::Context;
use crate::client::{Ask, NodeFile};
use serde_json::Value;

const CHECK: &str = "node";

pub(super) async fn check(context: &Context) -> Vec<Finding> {
    let mut client = match context.client() {
        Ok(client) => client,
        Err(failure) => return vec![Finding::fail(CHECK, failure.what, failure.fix)],
    };
    let url = client.endpoint().url.to_string();
    match client.any_status(Ask::get("/health/ready")).await {
        Err(failure) => vec![Finding::warn(CHECK, failure.what, failure.fix)],
        Ok(answer) => {
            let mut findings = vec![if answer.status == 200 {
                Finding::pass(CHECK, format!("{url} is ready"))
            } else {
                Finding::fail(CHECK, format!("{url} is not ready"), "see what follows")
            }];
            findings.extend(troubles(&answer.body));
            findings
        }
    }
}

/// What the node itself says is not as it should be.
fn troubles(health: &[u8]) -> Vec<Finding> {
    let health: Value = serde_json::from_slice(health).unwrap_or_default();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let checks = health["checks"].as_array().into_iter().flatten();
    checks
        .filter_map(|check| {
            let said = format!("{}: {}", text(check, "name"), text(check, "says"));
            match check["state"].as_str()? {
                "pass" => None,
                "warn" => Some(Finding::warn(CHECK, said, text(check, "fix"))),
                _ => Some(Finding::fail(CHECK, said, text(check, "fix"))),
            }
        })
        .collect()
}

/// Whether the node of this data directory runs: its ports are then rightly taken.
pub(super) fn runs(context: &Context) -> bool {
    NodeFile::read(context.data_dir()).is_some_and(|node| node.is_alive())
}
