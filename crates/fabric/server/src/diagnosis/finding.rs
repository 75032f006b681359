//! What was found, as `purlin doctor` shows it.

use serde_json::{Value, json};

pub(super) const GRADES: [&str; 3] = ["pass", "warn", "fail"];

#[derive(Debug)]
pub(super) struct Finding {
    name: &'static str,
    grade: &'static str,
    detail: String,
    fix: &'static str,
}

impl Finding {
    pub(super) fn pass(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, GRADES[0], detail, "")
    }

    pub(super) fn warn(name: &'static str, detail: impl Into<String>, fix: &'static str) -> Self {
        Self::new(name, GRADES[1], detail, fix)
    }

    pub(super) fn fail(name: &'static str, detail: impl Into<String>, fix: &'static str) -> Self {
        Self::new(name, GRADES[2], detail, fix)
    }

    fn new(name: &'static str, grade: &'static str, detail: impl Into<String>, fix: &'static str) -> Self {
        let detail = detail.into();
        Self {
            name,
            grade,
            detail,
            fix,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "grade": self.grade,
            "ok": self.grade != GRADES[2],
            "detail": self.detail,
            "fix": self.fix,
        })
    }
}
