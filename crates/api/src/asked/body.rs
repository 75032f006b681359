//! JSON bodies, with a problem document for every way in which they can be wrong.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use std::time::Duration;

use crate::problem::Problem;
use crate::reasons;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

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
        match tokio::time::timeout(PATIENCE, Json::<T>::from_request(request, state)).await {
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
