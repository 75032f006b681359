//! HTTP boot: the boot tree over GET and HEAD, from the same cache and by the same rules as TFTP.
//!
//! ```text
//!   request ─► name ─► Library (recall, else open) ─► conditions (ETag, dates) ─► range or gzip ─► chunks from the cache
//! ```
//!
//! Firmware is a simple client: `UefiHttpBoot` asks HEAD for the length, then GET (UEFI 2.10, section 24.7). It gets a
//! length always and no encoding it did not ask for.

mod answer;
mod body;
mod condition;
mod fetch;
mod gzip;
mod name;
mod range;
mod record;

pub use gzip::Gzip;
pub use record::HttpRecords;

use answer::{Asked, answer, problem};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Version, header};
use axum::response::Response;
use fetch::Fetched;
use purlin_api::gate::{Local, Peer};
use purlin_tftp_core::{Scheme, reasons};
use purlin_tftp_files::{Library, OwnedAsk};
use record::Entry;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// What the handler works with. Clones share it.
#[derive(Debug, Clone)]
pub struct Site {
    pub tree: Library,
    pub compression: Gzip,
    pub records: Arc<HttpRecords>,
}

/// The router of a boot listener: every path is a name in the boot tree.
pub fn router(site: Site) -> Router {
    Router::new().fallback(serve).with_state(site)
}

async fn serve(State(site): State<Site>, request: Request) -> Response {
    let (client, server) = ends(&request);
    let mut entry = Entry::begin(&site.records, client, &request);
    let name = match name_of(&request) {
        Ok(name) => name,
        Err((status, why)) => {
            let refused = refuse(status, why);
            entry.answered(&refused, 0, reasons::HTTP_REFUSED);
            return refused;
        }
    };
    let ask = OwnedAsk {
        name: name.as_str().into(),
        client: client.ip().to_canonical(),
        server: server.map(|address| address.to_canonical()),
        write: false,
        scheme: Scheme::Http,
    };
    let asked = Asked::of(&request);
    let compression = site.compression.now();
    let found = fetch::fetch(&site.tree, ask, &asked, compression).await;
    entry.opened();
    match found {
        Ok(Fetched { content, encoded }) => answer(&name, content, encoded, compression, &asked, entry),
        Err(error) => {
            let refused = answer::refusal(&error);
            entry.answered(&refused, 0, error.reason());
            entry.marked(error.mark());
            refused
        }
    }
}

/// The name asked for.
///
/// # Errors
/// With the status and a sentence for a request that cannot be served.
fn name_of(request: &Request) -> Result<String, (StatusCode, &'static str)> {
    names_host(request.version(), request.headers()).map_err(|why| (StatusCode::BAD_REQUEST, why))?;
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err((
            StatusCode::METHOD_NOT_ALLOWED,
            "only GET and HEAD are served here",
        ));
    }
    name::of_path(request.uri().path()).map_err(|why| (StatusCode::BAD_REQUEST, why))
}

/// RFC 9112, section 3.2: a request names its host, once. Boxes that pass requests on go by it; one with two is how they
/// are made to disagree. HTTP/1.0 may leave it out, HTTP/2 has it in its target.
///
/// # Errors
/// With a sentence for a request that does not.
fn names_host(version: Version, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut lines = headers.get_all(header::HOST).iter();
    let host = match (lines.next(), lines.next()) {
        (None, _) if version == Version::HTTP_11 => return Err("the request names no host"),
        (None, _) => return Ok(()),
        (Some(host), None) => host.as_bytes(),
        (Some(_), Some(_)) => return Err("the request names two hosts"),
    };
    // A target without an authority has an empty one.
    if host.is_empty() || Authority::try_from(host).is_ok_and(|host| !host.as_str().contains('@')) {
        Ok(())
    } else {
        Err("the host is no host and port")
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    let mut refused = problem(status, why);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = header::HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(header::ALLOW, allowed);
    }
    refused
}

/// The client's end, and our address.
fn ends(request: &Request) -> (SocketAddr, Option<IpAddr>) {
    let extensions = request.extensions();
    let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let client = extensions.get::<Peer>().map_or(nobody, |peer| peer.0);
    (client, extensions.get::<Local>().map(|local| local.0.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_host_is_named_once() {
        let asked = |version, hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            names_host(version, &headers).is_ok()
        };
        for good in ["boot", "boot.example:8080", "10.0.0.1", "[2001:db8::1]:80", ""] {
            assert!(asked(Version::HTTP_11, &[good]), "{good}");
        }
        for bad in ["a b", "a/b", "user@boot", "a,b\\"] {
            assert!(!asked(Version::HTTP_11, &[bad]), "{bad}");
        }
        assert!(!asked(Version::HTTP_11, &[]) && !asked(Version::HTTP_11, &["a", "a"]));
        assert!(asked(Version::HTTP_10, &[]) && !asked(Version::HTTP_10, &["a", "b"]));
        assert!(asked(Version::HTTP_2, &[]));
    }
}
