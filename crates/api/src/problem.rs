//! RFC 9457 problem documents: the one shape of every error.
//!
//! ```json
//! { "type": "/api/v1/explain/PUR-9412", "title": "it was changed by somebody else meanwhile", "status": 412,
//!   "detail": "If-Match names \"4\", but the configuration is at revision 5", "instance": "/api/v1/dhcp/subnets/a",
//!   "code": "PUR-9412", "slug": "changed_meanwhile", "fix": "Read it again, ...", "request_id": "5f0c..." }
//! ```
//!
//! Codes and their words come from [`crate::reasons`]; they do not change between versions.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use purlin_config::{Fault, Severity};
use purlin_store::RecordError;
use purlin_telemetry::Reason;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

use crate::reasons;

/// The media type of problem documents (RFC 9457, section 6.1).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// One fault of a configuration or a body, in the words of whoever checked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultView {
    /// `error` refuses the configuration, `warning` does not.
    pub severity: &'static str,
    /// Where: `dhcp.subnets[1].pools[0]`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// Stable code of the fault; empty when it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What to do; empty when the message says it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

impl FaultView {
    /// An error without a code.
    #[must_use]
    pub fn error(path: impl Into<String>, message: impl Into<String>) -> Self {
        let (path, message) = (path.into(), message.into());
        Self {
            severity: "error",
            path,
            message,
            code: String::new(),
            fix: String::new(),
        }
    }

    /// Whether it refuses the configuration.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        Self {
            severity: match fault.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            path: fault.path.clone(),
            message: fault.message.clone(),
            code: fault.code.to_string(),
            fix: advice(fault),
        }
    }
}

/// What to do: the note, such as the nearest name that exists, and the help.
fn advice(fault: &Fault) -> String {
    match (fault.note.as_str(), fault.help.as_str()) {
        ("", help) => help.to_owned(),
        (note, "") => note.to_owned(),
        (note, help) => format!("{note}; {help}"),
    }
}

/// An error on its way to a client.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    reason: &'static Reason,
    detail: String,
    errors: Vec<FaultView>,
    extra: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with this status and reason; `detail` says what is special about this occurrence.
    #[must_use]
    pub fn new(status: StatusCode, reason: &'static Reason, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self(Box::new(Parts {
            status,
            reason,
            detail,
            errors: Vec::new(),
            extra: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// 400: a query parameter or header is wrong.
    #[must_use]
    pub fn parameter(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, &reasons::BAD_PARAMETER, detail)
    }

    /// 404: the path is known, the object is not.
    #[must_use]
    pub fn no_such(kind: &str, name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            &reasons::NO_SUCH_OBJECT,
            format!("there is no {kind} {name:?}"),
        )
    }

    /// 409: a POST of something that exists.
    #[must_use]
    pub fn already_there(kind: &str, name: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            &reasons::ALREADY_THERE,
            format!("there is a {kind} {name:?} already"),
        )
    }

    /// 422: the change would make a faulty configuration. Warnings among the faults refuse nothing and are left out:
    /// whoever reads this looks for what to change.
    #[must_use]
    pub fn faults(mut errors: Vec<FaultView>) -> Self {
        if errors.iter().any(FaultView::is_error) {
            errors.retain(FaultView::is_error);
        }
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.path, one.message),
            many => format!("{} faults; see errors", many.len()),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::FAULTY_CONFIG, detail);
        problem.0.errors = errors;
        problem
    }

    /// 409: it does not fit what is there now.
    #[must_use]
    pub fn not_possible(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, detail)
    }

    /// 422: the body is not what was asked for.
    #[must_use]
    pub fn wrong_shape(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::WRONG_SHAPE, detail)
    }

    /// 500: a belief did not hold.
    #[must_use]
    pub fn broken(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, &reasons::BROKEN, detail)
    }

    /// 507: the disk is full.
    #[must_use]
    pub fn full(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, &reasons::STORE_FULL, detail)
    }

    /// 503: not now.
    #[must_use]
    pub fn not_ready(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::NOT_READY, detail)
    }

    /// The same problem with another member in its document.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// The same problem with a response header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The reason behind the code.
    #[must_use]
    pub fn reason(&self) -> &'static Reason {
        self.0.reason
    }

    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The document; `instance` and `request_id` are those of the request that met the problem.
    #[must_use]
    pub fn document(&self, instance: Option<&str>, request_id: Option<&str>) -> Value {
        let parts = &self.0;
        let mut document = json!({
            "type": format!("/api/v1/explain/{}", parts.reason.code),
            "title": parts.reason.text,
            "status": parts.status.as_u16(),
            "detail": parts.detail,
            "code": parts.reason.code.to_string(),
            "slug": parts.reason.slug,
            "fix": parts.reason.fix,
        });
        let members = document.as_object_mut().expect("json! of braces is an object");
        if let Some(instance) = instance {
            members.insert("instance".into(), instance.into());
        }
        if let Some(id) = request_id {
            members.insert("request_id".into(), id.into());
        }
        if !parts.errors.is_empty() {
            members.insert("errors".into(), json!(parts.errors));
        }
        members.extend(parts.extra.clone());
        document
    }

    /// The same problem with its title as `error` and its detail as `details`.
    #[must_use]
    pub(crate) fn with_error_members(&self) -> Self {
        let (title, detail) = (self.0.reason.text, self.0.detail.clone());
        self.clone().with("error", title).with("details", detail)
    }

    /// The problem as a response about one request.
    #[must_use]
    pub(crate) fn respond(&self, instance: Option<&str>, request_id: Option<&str>) -> Response {
        let body = self.document(instance, request_id).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"purlin\""),
            );
        }
        for (name, value) in &self.0.headers {
            headers.insert(name.clone(), value.clone());
        }
        response
    }
}

/// Left in a response's extensions so that the shell can add `instance` and `request_id`.
#[derive(Debug, Clone)]
pub(crate) struct Told(pub(crate) Arc<Problem>);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.respond(None, None);
        response.extensions_mut().insert(Told(Arc::new(self)));
        response
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Conflict { .. } => Self::new(
                StatusCode::CONFLICT,
                &reasons::CHANGED_MEANWHILE,
                error.to_string(),
            ),
            RecordError::Full => Self::full(error.to_string()),
            RecordError::Failed(ref cause) => {
                let detail = format!("{error}: {cause}");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, &reasons::STORE_FAILED, detail)
            }
        }
    }
}

/// The problem for an error response that somebody else made (the router's own 404 and 405, and the like).
pub(crate) fn of_status(status: StatusCode, detail: String) -> Problem {
    let reason = match status.as_u16() {
        401 => &reasons::NOT_LOGGED_IN,
        403 => &reasons::ROLE_TOO_LOW,
        404 => &reasons::NO_SUCH_PATH,
        405 => &reasons::WRONG_METHOD,
        408 => &reasons::TOO_SLOW,
        413 => &reasons::BODY_TOO_LARGE,
        415 => &reasons::WRONG_MEDIA_TYPE,
        422 => &reasons::WRONG_SHAPE,
        400..500 => &reasons::BAD_REQUEST,
        503 => &reasons::NOT_READY,
        _ => &reasons::BROKEN,
    };
    Problem::new(status, reason, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_neither_counted_nor_listed_as_faults() {
        let warning = FaultView {
            severity: "warning",
            ..FaultView::error("tftp.templates[0]", "no value has that name")
        };
        let fault = FaultView::error("boot.profiles[1].name", "this name is taken");
        let problem = Problem::faults(vec![warning.clone(), fault.clone()]);
        assert_eq!(problem.detail(), "boot.profiles[1].name: this name is taken");
        assert_eq!(problem.0.errors, std::slice::from_ref(&fault));
        let two = Problem::faults(vec![fault.clone(), warning, fault]);
        assert_eq!(two.detail(), "2 faults; see errors");
    }
}
