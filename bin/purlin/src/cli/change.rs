//! What a change of the configuration is told as: whom it hits, what it warns of, and how it is taken back.

use crate::output::harmless;
use serde_json::Value;

/// The lines of a node's `Change`; the last begins with `sentence`.
pub(super) fn told(sentence: &str, answer: &Value) -> Vec<String> {
    let mut lines = impact(answer);
    lines.extend(warnings(answer));
    let number = |key: &str| {
        let found = &answer[key];
        found.get("number").unwrap_or(found).as_u64()
    };
    let dry_run = answer["dry_run"].as_bool().unwrap_or(false);
    lines.push(match (number("revision"), number("parent")) {
        (None, _) => sentence.to_owned(),
        (Some(revision), Some(parent)) if parent != revision && !dry_run => {
            format!("{sentence} (revision {revision}; undo: purlin config rollback {parent})")
        }
        (Some(revision), _) => format!("{sentence} (revision {revision})"),
    });
    lines
}

/// What it does to those who are served.
pub(super) fn impact(answer: &Value) -> Vec<String> {
    let lines = list(answer, "impact").iter().filter_map(Value::as_str);
    lines.map(|line| format!("! {}", harmless::line(line))).collect()
}

/// What is allowed and seldom meant.
pub(super) fn warnings(answer: &Value) -> Vec<String> {
    list(answer, "warnings").iter().map(fault).collect()
}

/// `warning: boot.profiles[1].name: no client gets here (PUR-9212); fix: put it first`.
pub(super) fn fault(fault: &Value) -> String {
    if let Some(text) = fault.as_str() {
        return format!("warning: {}", harmless::line(text));
    }
    let text = |key: &str| harmless::line(fault[key].as_str().unwrap_or_default());
    let severity = fault["severity"].as_str().unwrap_or("warning");
    let mut line = format!("{severity}: {}: {}", text("path"), text("message"));
    if !text("code").is_empty() {
        line += &format!(" ({})", text("code"));
    }
    if !text("fix").is_empty() {
        line += &format!("; fix: {}", text("fix"));
    }
    line
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_tells_whom_it_hits_and_how_it_is_taken_back() {
        let mut answer = json!({"revision": 5, "parent": 4, "dry_run": false,
            "impact": ["60001 leases end at their time"],
            "warnings": [{"path": "dhcp.subnets", "message": "none is left"}]});
        assert_eq!(
            told("subnet demo removed", &answer),
            [
                "! 60001 leases end at their time",
                "warning: dhcp.subnets: none is left",
                "subnet demo removed (revision 5; undo: purlin config rollback 4)",
            ]
        );
        answer["dry_run"] = true.into();
        let dry = told("subnet demo would be removed", &answer);
        assert_eq!(
            (dry.len(), dry[2].as_str()),
            (3, "subnet demo would be removed (revision 5)")
        );
    }

    #[test]
    fn a_fault_has_its_code_and_its_fix_and_obeys_no_terminal() {
        let given = json!({"severity": "warning", "path": "boot.profiles[1].name", "message": "no client \u{1b}[2J gets here",
            "code": "PUR-9212", "fix": "put it first"});
        assert_eq!(
            fault(&given),
            "warning: boot.profiles[1].name: no client \\x1b[2J gets here (PUR-9212); fix: put it first"
        );
        assert_eq!(
            fault(&json!({"severity": "error", "path": "a", "message": "b"})),
            "error: a: b"
        );
    }
}
