//! JSON bodies, with a problem document for every way in which they can be wrong.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use std::time::Duration;

use crate::problem::Problem;
use crate::reasons;

/// How long a body may take to arrive.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A JSON body of the shape `T`.
#[derive(Debug, Clone)]
pub struct Input<T>(pub T);

impl<S, T> FromRequest<S> for Input<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match tokio::time::timeout(
            PATIENCE,
            <Json<T> as FromRequest<S>>::from_request(request, state),
        )
        .await
        {
            Ok(Ok(Json(value))) => Ok(Self(value)),
            Ok(Err(rejection)) => Err(problem(&rejection)),
            Err(_) => {
                let detail = format!("the body did not arrive within {} s", PATIENCE.as_secs());
                Err(Problem::new(
                    StatusCode::REQUEST_TIMEOUT,
                    &reasons::TOO_SLOW,
                    detail,
                ))
            }
        }
    }
}

/// A request without a body and without a media type has none; everything else must be right.
impl<S, T> OptionalFromRequest<S> for Input<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let headers = request.headers();
        let length = headers
            .get(header::CONTENT_LENGTH)
            .map(axum::http::HeaderValue::as_bytes);
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        if !headers.contains_key(header::CONTENT_TYPE) && !chunked && length.is_none_or(|n| n == b"0") {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state)
            .await
            .map(Some)
    }
}

fn problem(rejection: &JsonRejection) -> Problem {
    let reason = match rejection {
        JsonRejection::JsonDataError(_) => &reasons::WRONG_SHAPE,
        JsonRejection::JsonSyntaxError(_) => &reasons::NOT_JSON,
        JsonRejection::MissingJsonContentType(_) => &reasons::WRONG_MEDIA_TYPE,
        _ if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => &reasons::BODY_TOO_LARGE,
        _ => &reasons::BAD_REQUEST,
    };
    Problem::new(rejection.status(), reason, rejection.body_text())
}
