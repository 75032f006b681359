//! Problem documents (RFC 9457) as failures with the right exit code.

use super::Answer;
use crate::exit::{Exit, Failure};
use serde_json::Value;

/// Turns an error status into a failure.
pub(super) fn check(answer: &Answer) -> Result<(), Failure> {
    if answer.status < 400 {
        return Ok(());
    }
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let text = |key: &str| {
        problem
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let what = [
        text("detail"),
        text("title"),
        format!("the node answered {}", answer.status),
    ]
    .into_iter()
    .find(|candidate| !candidate.is_empty())
    .unwrap_or_default();
    let fix = match text("fix") {
        given if !given.is_empty() => given,
        _ => usual_fix(answer.status).to_owned(),
    };
    let code = Some(text("code")).filter(|code| !code.is_empty());
    // One fault is often the whole detail already.
    let mut details = details(&problem);
    details.retain(|line| !what.contains(line.trim_start()));
    Err(Failure {
        exit: exit_for(answer.status),
        what,
        fix,
        code,
        details,
    })
}

fn exit_for(status: u16) -> Exit {
    match status {
        401 | 403 => Exit::Denied,
        404 | 410 => Exit::NotFound,
        409 | 412 | 428 => Exit::Conflict,
        502..=504 => Exit::Unreachable,
        _ => Exit::Failed,
    }
}

fn usual_fix(status: u16) -> &'static str {
    match status {
        401 => {
            "give a token: --token, --token-file or PURLIN_TOKEN; the first one is in DATA_DIR/admin-token"
        }
        403 => "use a token with a role that may do this",
        412 => "someone else changed it; read it again",
        503 => "the node is starting, draining or out of disk space: purlin status",
        _ => "",
    }
}

/// Faults listed in the document, one line each; rendered ones (with snippet and caret) as they are.
fn details(problem: &Value) -> Vec<String> {
    let lists = ["faults", "errors", "problems"]
        .into_iter()
        .filter_map(|key| problem.get(key)?.as_array());
    lists.flatten().map(fault_line).collect()
}

fn fault_line(fault: &Value) -> String {
    if let Some(text) = fault.as_str() {
        return text.to_owned();
    }
    let text = |key: &str| fault.get(key).and_then(Value::as_str).unwrap_or_default();
    if !text("rendered").is_empty() {
        return text("rendered").trim_end().to_owned();
    }
    let place = [text("path"), text("key"), text("pointer"), text("place")]
        .into_iter()
        .find(|p| !p.is_empty())
        .unwrap_or_default();
    let words = [text("message"), text("detail"), text("text")]
        .into_iter()
        .find(|m| !m.is_empty());
    let mut line = match words {
        Some(words) if place.is_empty() => format!("  {words}"),
        Some(words) => format!("  {place}: {words}"),
        None => format!("  {fault}"),
    };
    let help = [text("fix"), text("help"), text("hint")]
        .into_iter()
        .find(|h| !h.is_empty());
    if let Some(help) = help {
        line.push_str(&format!("; fix: {help}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn failure(status: u16, body: &Value) -> Failure {
        let answer = Answer {
            status,
            body: body.to_string().into_bytes().into(),
        };
        check(&answer).unwrap_err()
    }

    #[test]
    fn a_problem_keeps_its_code_and_fix() {
        let failure = failure(
            404,
            &json!({"title": "Not found", "detail": "no subnet is called \"x\"", "code": "PUR-9004", "fix": "list them"}),
        );
        assert_eq!(failure.exit, Exit::NotFound);
        assert_eq!(
            failure.to_string(),
            "error: no subnet is called \"x\" (PUR-9004); fix: list them"
        );
    }

    #[test]
    fn every_fault_of_a_document_is_shown() {
        let body = json!({"title": "Faults", "faults": [
            {"path": "dhcp.subnets[0].pools[0]", "message": "outside its subnet", "help": "use 10.0.0.0/8"},
            "plain"
        ]});
        let failure = failure(422, &body);
        assert_eq!(failure.details.len(), 2);
        assert!(
            failure.details[0].contains("dhcp.subnets[0].pools[0]: outside its subnet; fix: use 10.0.0.0/8")
        );
    }

    #[test]
    fn a_fault_that_is_the_detail_is_told_once() {
        let body = json!({"detail": "ACL x: match: no such field", "problems": [
            {"place": "ACL x", "message": "match: no such field"}
        ]});
        assert_eq!(failure(422, &body).details, Vec::<String>::new());
    }

    #[test]
    fn statuses_become_the_documented_exit_codes() {
        for (status, exit) in [
            (400, Exit::Failed),
            (401, Exit::Denied),
            (403, Exit::Denied),
            (404, Exit::NotFound),
            (409, Exit::Conflict),
            (412, Exit::Conflict),
            (503, Exit::Unreachable),
        ] {
            assert_eq!(failure(status, &Value::Null).exit, exit, "{status}");
        }
    }
}
