//! One connection's HTTP side: pages of other origins, and clients that ask too often.

use super::Gate;
use super::counted::Counting;
use crate::settings::Cors;
use jsonrpsee::core::BoxError;
use jsonrpsee::server::middleware::rpc::RpcServiceBuilder;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse, Methods, StopHandle, TowerServiceBuilder, ws};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use tower::Service as _;
use tower::layer::util::Identity;

/// The answer to a client that asks too often, beside status 429.
const TOO_OFTEN: &str =
    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"rate limit exceeded"}}"#;

/// What a connection needs to answer its requests.
#[derive(Debug, Clone)]
pub(super) struct Door {
    peer: IpAddr,
    gate: Arc<Gate>,
    builder: TowerServiceBuilder<Identity, Identity>,
    methods: Methods,
    stop: StopHandle,
}

impl Door {
    pub(super) fn new(
        peer: IpAddr,
        gate: Arc<Gate>,
        builder: TowerServiceBuilder<Identity, Identity>,
        methods: Methods,
        stop: StopHandle,
    ) -> Self {
        Self {
            peer,
            gate,
            builder,
            methods,
            stop,
        }
    }

    /// Answers one HTTP request, which may be the beginning of a WebSocket.
    pub(super) async fn answer(self, request: HttpRequest) -> Result<HttpResponse, BoxError> {
        let (client, origin) = self.asks(&request);
        if request.method() == "OPTIONS" {
            return Ok(with_cors(status(204, ""), origin));
        }
        if !self.gate.buckets.has(client, Instant::now()) {
            self.gate.metrics.limited();
            return Ok(with_cors(status(429, TOO_OFTEN), origin));
        }
        let counting = Counting::new(client, Arc::clone(&self.gate));
        let websocket = ws::is_upgrade_request(&request);
        let mut service = self
            .builder
            .set_rpc_middleware(RpcServiceBuilder::new().layer(counting))
            .build(self.methods, self.stop);
        if websocket {
            let (open, closed) = (self.gate.metrics.upgraded(), service.on_session_closed());
            tokio::spawn(async move {
                closed.await;
                drop(open);
            });
        }
        Ok(with_cors(service.call(request).await?, origin))
    }

    /// The client, and the origin that may read the answer.
    fn asks(&self, request: &HttpRequest) -> (IpAddr, Option<String>) {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let proxies = &self.gate.limits.trusted_proxies;
        (
            client(self.peer, header("x-forwarded-for"), proxies),
            allowed(&self.gate.cors, header("origin")),
        )
    }
}

/// Who asks: the peer, or whom the nearest proxy that is not ours names.
fn client(peer: IpAddr, forwarded: Option<&str>, trusted: &[IpAddr]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    let named = forwarded.unwrap_or_default().rsplit(',');
    named
        .map_while(|name| name.trim().parse::<IpAddr>().ok())
        .find(|address| !trusted.contains(address))
        .unwrap_or(peer)
}

/// What `Access-Control-Allow-Origin` says, if anything.
fn allowed(cors: &Cors, origin: Option<&str>) -> Option<String> {
    match (cors, origin?) {
        (Cors::Closed, _) => None,
        (Cors::Any, _) => Some("*".to_owned()),
        (Cors::Origins(list), origin) => list
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(origin))
            .then(|| origin.to_owned()),
    }
}

fn with_cors(mut response: HttpResponse, origin: Option<String>) -> HttpResponse {
    let headers = response.headers_mut();
    if let Some(origin) = origin.and_then(|origin| origin.parse().ok()) {
        headers.insert("access-control-allow-origin", origin);
        for (name, value) in [
            ("access-control-allow-methods", "POST, OPTIONS"),
            ("access-control-allow-headers", "content-type"),
            ("access-control-max-age", "600"),
            ("vary", "origin"),
        ] {
            headers.insert(name, value.parse().expect("plain letters"));
        }
    }
    response
}

fn status(code: u16, body: &'static str) -> HttpResponse {
    HttpResponse::<()>::builder()
        .status(code)
        .header("content-type", "application/json")
        .body(HttpBody::from(body))
        .expect("these headers are right")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_name_the_client() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted = [address("10.0.0.1"), address("10.0.0.2")];
        let check = |peer, forwarded, wanted| {
            assert_eq!(client(address(peer), forwarded, &trusted), address(wanted));
        };
        check("192.0.2.1", Some("198.51.100.1"), "192.0.2.1");
        check("10.0.0.1", Some("198.51.100.1"), "198.51.100.1");
        check(
            "10.0.0.1",
            Some("203.0.113.9, 198.51.100.1, 10.0.0.2"),
            "198.51.100.1",
        );
        check("10.0.0.1", Some("203.0.113.9, nonsense"), "10.0.0.1");
        check("10.0.0.1", None, "10.0.0.1");
    }

    #[test]
    fn origins_are_answered_as_the_setting_says() {
        let list = Cors::Origins(vec!["https://app.example.org".to_owned()]);
        let check = |cors: &Cors, origin, wanted: Option<&str>| {
            assert_eq!(allowed(cors, origin).as_deref(), wanted);
        };
        check(&Cors::Closed, Some("https://app.example.org"), None);
        check(&Cors::Any, Some("https://app.example.org"), Some("*"));
        check(&Cors::Any, None, None);
        check(
            &list,
            Some("https://app.example.org"),
            Some("https://app.example.org"),
        );
        check(&list, Some("https://other.example.org"), None);
    }
}
