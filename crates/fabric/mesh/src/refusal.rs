//! A request that was understood and declined: what is wrong, and what helps.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Sent as `{"refused": {"what": ..., "fix": ...}}` with an HTTP status of 400 and above; handlers of other parts may
/// return it too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// HTTP status.
    #[serde(skip)]
    pub status: u16,
    pub what: String,
    pub fix: String,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    refused: Refusal,
}

impl Refusal {
    #[must_use]
    pub fn new(status: StatusCode, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            what: what.into(),
            fix: fix.into(),
        }
    }

    /// What an answer with an error status says.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Wire>(body) {
            Ok(wire) => Self {
                status,
                ..wire.refused
            },
            Err(_) => Self {
                status,
                what: format!("answered with status {status}"),
                fix: "see the log of the node that was asked".to_owned(),
            },
        }
    }

    pub(crate) fn text(&self) -> String {
        let wire = Wire {
            refused: self.clone(),
        };
        serde_json::to_string(&wire).expect("texts are JSON")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(Wire { refused: self })).into_response()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Refusal {}
