//! Why a transaction or a request is refused, in the words of ovsdb-server.

use serde_json::{Value, json};

/// An `<error>` of RFC 7047, section 3.1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {details}")]
pub(crate) struct Fault {
    pub(crate) error: &'static str,
    pub(crate) details: String,
    pub(crate) syntax: Option<String>,
}

impl Fault {
    pub(crate) fn new(error: &'static str, details: impl Into<String>) -> Self {
        Self {
            error,
            details: details.into(),
            syntax: None,
        }
    }

    pub(crate) fn syntax(json: &Value, details: impl Into<String>) -> Self {
        Self {
            syntax: Some(json.to_string()),
            ..Self::new("syntax error", details)
        }
    }

    pub(crate) fn constraint(details: impl Into<String>) -> Self {
        Self::new("constraint violation", details)
    }

    /// The transaction cannot be written down (RFC 7047, section 4.1.3).
    pub(crate) fn unkept(cause: &std::io::Error) -> Self {
        Self::new(
            "I/O error",
            format!("the database's file does not take it: {cause}"),
        )
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({ "error": self.error });
        if !self.details.is_empty() {
            object["details"] = json!(self.details);
        }
        if let Some(syntax) = &self.syntax {
            object["syntax"] = json!(syntax);
        }
        object
    }
}

impl From<purlin_ovsdb::Error> for Fault {
    fn from(error: purlin_ovsdb::Error) -> Self {
        Self {
            error: error.fault.name(),
            details: error.details,
            syntax: error.syntax,
        }
    }
}
