//! The node itself, when one runs.

use super::Finding;
use crate::cli::Context;
use crate::client::{Ask, NodeFile};

const CHECK: &str = "node";

pub(super) async fn check(context: &Context) -> Vec<Finding> {
    let mut client = match context.client() {
        Ok(client) => client,
        Err(failure) => return vec![Finding::fail(CHECK, failure.what, failure.fix)],
    };
    let url = client.endpoint().url.to_string();
    match client.any_status(Ask::get("/health/ready")).await {
        Err(failure) => vec![Finding::warn(CHECK, failure.what, failure.fix)],
        Ok(answer) if answer.status == 200 => vec![Finding::pass(CHECK, format!("{url} is ready"))],
        Ok(answer) => {
            let said = format!(
                "{url} is not ready: {}",
                String::from_utf8_lossy(&answer.body).trim()
            );
            vec![Finding::fail(CHECK, said, "purlin status says which part is not")]
        }
    }
}

/// Whether the node of this data directory runs: its ports are then rightly taken.
pub(super) fn runs(context: &Context) -> bool {
    NodeFile::read(context.data_dir()).is_some_and(|node| node.is_alive())
}
