//! What the revisions engine must be told about the configuration it numbers.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::problem::FaultView;

/// Who knows what a configuration means. The composition root is one.
pub trait ConfigHost: Send + Sync {
    /// Everything that is wrong with it, in one pass; warnings included. May take long: runs on a blocking thread.
    fn check(&self, config: &Value) -> Vec<FaultView>;

    /// What a change would do to those who are served, in sentences: "120 leases lie outside the new pools".
    fn impact(&self, from: &Value, to: &Value) -> Vec<String>;

    /// The configuration with its secrets covered.
    fn redact(&self, config: &Value) -> Value;

    /// Takes a checked configuration over while everything runs. Must leave the former one running when it fails;
    /// the error is a sentence for people.
    fn apply<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<(), String>>;
}
