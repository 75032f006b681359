//! What is wrong with a body: the member, what it says, and what would be right.

use super::Kind;
use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use serde_json::{Value, json};

/// One member that cannot be as it is said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) member: String,
    pub(crate) value: Value,
    /// With what would be right.
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(member: impl Into<String>, value: &Value, message: impl Into<String>) -> Self {
        let (member, message) = (member.into(), message.into());
        Self {
            member,
            value: value.clone(),
            message,
        }
    }

    /// The same, found within a member.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.member = format!("{outer}.{}", self.member);
        self
    }
}

/// 422 with every fault.
pub(crate) fn refusal(kind: &Kind, faults: &[Fault]) -> Problem {
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.member, fault.message))
        .collect();
    let problems = faults.iter().map(|fault| {
        json!({
            "severity": "error",
            "code": "member",
            "place": format!("{}: {}", kind.one, fault.member),
            "member": fault.member,
            "value": fault.value,
            "message": fault.message,
        })
    });
    let problems: Vec<Value> = problems.collect();
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        &reasons::INVALID,
        lines.join("; "),
    )
    .with("problems", problems)
}
