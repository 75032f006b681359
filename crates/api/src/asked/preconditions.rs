//! `If-Match`: change it only if it is still what was read (RFC 9110, section 13.1.1).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde_json::Value;

use crate::problem::Problem;
use crate::reasons;
use crate::tokens::short_digest;

/// The entity tags of `If-Match`; `None` when the header is absent or `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preconditions {
    tags: Option<Vec<String>>,
}

impl<S: Sync> FromRequestParts<S> for Preconditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Ok(Self::default());
        };
        let text = value
            .to_str()
            .map_err(|_| Problem::parameter("If-Match has characters that no ETag has"))?;
        if text.trim() == "*" {
            return Ok(Self::default());
        }
        Ok(Self {
            tags: Some(text.split(',').map(|tag| tag.trim().to_owned()).collect()),
        })
    }
}

impl Preconditions {
    /// Whether nothing was demanded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_none()
    }

    /// Refuses the change unless one of the present tags was named.
    ///
    /// # Errors
    /// 412.
    pub fn check(&self, present: &[String]) -> Result<(), Problem> {
        let Some(tags) = &self.tags else {
            return Ok(());
        };
        if tags.iter().any(|tag| present.contains(tag)) {
            return Ok(());
        }
        let detail = format!(
            "If-Match names {}, present is {}",
            tags.join(", "),
            present.join(" or ")
        );
        Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            &reasons::CHANGED_MEANWHILE,
            detail,
        ))
    }
}

/// The strong entity tag of a JSON value: equal values have equal tags.
#[must_use]
pub fn etag_of(value: &Value) -> String {
    format!("\"{}\"", short_digest(value.to_string().as_bytes()))
}

/// The entity tag of a configuration revision: `"r17"`.
#[must_use]
pub fn etag_of_revision(number: u64) -> String {
    format!("\"r{number}\"")
}
