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
        let tags: Vec<String> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
        if let Some(odd) = tags.iter().find(|tag| !is_tag(tag)) {
            return Err(Problem::parameter(format!(
                "If-Match has {odd:?}, which is no ETag; expected * or the ETag header of an answer with its double \
                 quotes, like If-Match: \"r17\"; without the header the change is unconditional"
            )));
        }
        Ok(Self { tags: Some(tags) })
    }
}

/// Whether it is an entity tag: double quotes around visible characters (RFC 9110, section 8.8.3). Our own tags
/// hold no comma.
fn is_tag(text: &str) -> bool {
    let opaque = text.strip_prefix("W/").unwrap_or(text);
    let inner = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| inner.bytes().all(|c| c.is_ascii_graphic() && c != b'"'))
}

impl Preconditions {
    /// Whether nothing was demanded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_none()
    }

    /// What was demanded, each with its quotes, for who compares more than whole tags.
    #[must_use]
    pub fn tags(&self) -> Option<&[String]> {
        self.tags.as_deref()
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    async fn read(header: &str) -> Result<Preconditions, Problem> {
        let request = Request::builder().header("if-match", header).body(()).unwrap();
        Preconditions::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn what_is_no_tag_is_told_how_tags_look() {
        for bad in ["", "r17", "\"r17", "r17\"", "\"a\" \"b\"", "\"r1\","] {
            let problem = read(bad).await.unwrap_err();
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST, "{bad}");
            assert!(problem.detail().contains("If-Match: \"r17\""), "{bad}");
        }
    }

    #[tokio::test]
    async fn one_tag_of_several_is_enough() {
        let wanted = read("\"r1\", \"r2\"").await.unwrap();
        assert!(wanted.check(&["\"r2\"".to_owned()]).is_ok());
        assert_eq!(
            wanted.check(&["\"r3\"".to_owned()]).unwrap_err().status(),
            StatusCode::PRECONDITION_FAILED
        );
        assert!(read("*").await.unwrap().is_empty());
    }
}
