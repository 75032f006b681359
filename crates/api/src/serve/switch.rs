//! A router that is exchanged while listeners answer with it.

use axum::Router;
use axum::extract::Request;
use std::sync::{Arc, PoisonError, RwLock};
use tower::ServiceExt;

/// What listeners answer with until something else is said. Clones are one.
#[derive(Debug, Clone)]
pub struct Switch(Arc<RwLock<Router>>);

impl Switch {
    /// At first with this.
    #[must_use]
    pub fn new(first: Router) -> Self {
        Self(Arc::new(RwLock::new(first)))
    }

    /// With this from the next request on; those under way end as they began.
    pub fn set(&self, router: Router) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = router;
    }

    fn now(&self) -> Router {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For [`Bound::start`](super::Bound::start).
    pub fn router(&self) -> Router {
        let switch = self.clone();
        Router::new().fallback(move |request: Request| {
            let router = switch.now();
            async move {
                let Ok(response) = router.oneshot(request).await;
                response
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::get;

    async fn asked(router: &Router, path: &str) -> StatusCode {
        let request = Request::builder().uri(path).body(Body::empty());
        let Ok(response) = router.clone().oneshot(request.expect("a request")).await;
        response.status()
    }

    #[tokio::test]
    async fn what_is_said_last_answers() {
        let of = |path: &str| Router::new().route(path, get(async || "here"));
        let switch = Switch::new(of("/early"));
        let router = switch.router();
        assert_eq!(asked(&router, "/early").await, StatusCode::OK);
        assert_eq!(asked(&router, "/late").await, StatusCode::NOT_FOUND);
        switch.set(of("/late"));
        assert_eq!(asked(&router, "/late").await, StatusCode::OK);
        assert_eq!(asked(&router, "/early").await, StatusCode::NOT_FOUND);
    }
}
