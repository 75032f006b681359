//! What keeps the running node from being one system with the others; it finds that out itself.

use super::{Finding, Grade};
use crate::cli::Context;
use crate::client::Ask;
use serde_json::Value;

/// Nothing for a node alone, or one that does not answer: that is said elsewhere.
pub(super) async fn check(context: &Context) -> Vec<Finding> {
    let Ok(mut client) = context.client() else {
        return Vec::new();
    };
    let Ok(cluster) = client.value(Ask::get("/api/v1/cluster")).await else {
        return Vec::new();
    };
    if cluster["store"] == "embedded" && cluster["coordination"] == "embedded" {
        return Vec::new();
    }
    match client.value(Ask::post("/api/v1/cluster/diagnosis")).await {
        Ok(found) => found["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(read)
            .collect(),
        Err(failure) => vec![Finding::fail("cluster", failure.what, failure.fix)],
    }
}

fn read(item: &Value) -> Finding {
    let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
    Finding {
        check: text("name").into(),
        grade: match item["grade"].as_str() {
            Some("pass") => Grade::Pass,
            Some("warn") => Grade::Warn,
            _ => Grade::Fail,
        },
        said: text("detail"),
        fix: text("fix"),
    }
}
