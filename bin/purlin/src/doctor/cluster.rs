//! What keeps the running node from being one system with the others; it finds that out itself.

use super::Finding;
use crate::cli::Context;
use crate::client::Ask;

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
            .map(Finding::read)
            .collect(),
        Err(failure) => vec![Finding::fail("cluster", failure.what, failure.fix)],
    }
}
