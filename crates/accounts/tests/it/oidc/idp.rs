//! A small OpenID Connect provider, as another program would be one: it knows its client, its keys and one person.

use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use purlin_api::clock::Clock;
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(super) const SECRET: &str = "s3cret with blanks & more";

/// What the provider does wrong.
#[derive(Debug, Clone)]
pub(super) enum Twist {
    /// Says this instead; nothing for null.
    Claim(&'static str, Value),
    Unsigned,
    /// HS256 with what everybody knows as the key.
    KeyedWithThePublicKey,
    AnotherKey,
    ChangedAfterwards,
    NoToken,
    Away,
}

pub(super) struct Idp {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    issuer: String,
    clock: Clock,
    key: EcdsaKeyPair,
    kid: usize,
    claims: Map<String, Value>,
    /// What its UserInfo says; none means that it has no such endpoint.
    userinfo: Option<Value>,
    twist: Option<Twist>,
    /// By code: challenge, nonce, redirect address.
    codes: HashMap<String, [String; 3]>,
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).expect("a key")
}

/// The value of a parameter, as a browser sends it.
fn parameter(query: &str, name: &str) -> String {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let text = pairs.find(|(own, _)| *own == name).map_or("", |(_, value)| value);
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let pair = [rest.next().expect("two digits"), rest.next().expect("two digits")];
                u8::from_str_radix(std::str::from_utf8(&pair).expect("digits"), 16).expect("digits")
            }
            b'+' => b' ',
            octet => octet,
        });
    }
    String::from_utf8(octets).expect("text")
}

impl Idp {
    pub(super) async fn start(clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        let claims = json!({"sub": "f3a1", "preferred_username": "alice", "name": "Alice"});
        let inner = Arc::new(Mutex::new(Inner {
            issuer: format!("http://{address}/realm"),
            clock,
            key: key(),
            kid: 1,
            claims: claims.as_object().cloned().expect("an object"),
            userinfo: None,
            twist: None,
            codes: HashMap::new(),
        }));
        let serving = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { address, inner }
    }

    pub(super) fn issuer(&self) -> String {
        format!("http://{}/realm", self.address)
    }

    pub(super) fn says(&self, claim: &str, value: Value) {
        self.inner.lock().unwrap().claims.insert(claim.to_owned(), value);
    }

    /// Leaves all but the subject out of its ID tokens, as Core 5.4 has it, and says it at an endpoint of its own.
    pub(super) fn tells_at_userinfo(&self, told: Value) {
        let mut inner = self.inner.lock().unwrap();
        inner.claims.retain(|name, _| name == "sub");
        inner.userinfo = Some(told);
    }

    pub(super) fn twists(&self, twist: Option<Twist>) {
        self.inner.lock().unwrap().twist = twist;
    }

    pub(super) fn changes_its_key(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.key = key();
        inner.kid += 1;
    }

    /// What the browser brings back after the person has said yes.
    pub(super) fn consents(&self, url: &str) -> String {
        let uri: Uri = url.parse().expect("an address");
        let query = uri.query().expect("parameters");
        let said = |name: &str| parameter(query, name);
        assert_eq!(
            (said("response_type"), said("client_id")),
            ("code".to_owned(), "purlin".to_owned())
        );
        let mut inner = self.inner.lock().unwrap();
        let code = format!("code+{}", inner.codes.len());
        let kept = [said("code_challenge"), said("nonce"), said("redirect_uri")];
        inner.codes.insert(code.clone(), kept);
        format!("code={}&state={}", code.replace('+', "%2B"), said("state"))
    }
}

impl Inner {
    fn token(&self, nonce: &str) -> Option<String> {
        let now = self.clock.secs();
        let mut claims = self.claims.clone();
        claims.insert("iss".into(), json!(self.issuer));
        claims.insert("aud".into(), json!("purlin"));
        claims.insert("nonce".into(), json!(nonce));
        claims.insert("iat".into(), json!(now));
        claims.insert("exp".into(), json!(now + 60));
        if let Some(Twist::Claim(name, value)) = &self.twist {
            claims.insert((*name).to_owned(), value.clone());
            claims.retain(|_, value| !value.is_null());
        }
        let alg = match self.twist {
            Some(Twist::Unsigned) => "none",
            Some(Twist::KeyedWithThePublicKey) => "HS256",
            _ => "ES256",
        };
        let header = json!({"alg": alg, "kid": format!("k{}", self.kid)});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(&json!(claims)));
        let signature = match self.twist {
            Some(Twist::NoToken) => return None,
            Some(Twist::Unsigned) => Vec::new(),
            Some(Twist::KeyedWithThePublicKey) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.public_key().as_ref());
                hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
            }
            Some(Twist::AnotherKey) => sign(&key(), &text),
            _ => sign(&self.key, &text),
        };
        let text = match self.twist {
            Some(Twist::ChangedAfterwards) => {
                claims.insert("sub".into(), json!("admin"));
                format!("{}.{}", part(&header), part(&json!(claims)))
            }
            _ => text,
        };
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn answer(&mut self, path: &str, authorization: &str, form: &str) -> (u16, Value) {
        let issuer = &self.issuer;
        match path {
            "/realm/.well-known/openid-configuration" => (
                200,
                json!({
                    "userinfo_endpoint": self.userinfo.as_ref().map(|_| format!("{issuer}/me")),
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "jwks_uri": format!("{issuer}/jwks"),
                }),
            ),
            "/realm/me" => match (&self.userinfo, authorization) {
                (Some(told), "Bearer at-1") => (200, told.clone()),
                _ => (401, Value::Null),
            },
            "/realm/jwks" => {
                let point = self.key.public_key().as_ref();
                let (x, y) = (
                    URL_SAFE_NO_PAD.encode(&point[1..33]),
                    URL_SAFE_NO_PAD.encode(&point[33..]),
                );
                let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": format!("k{}", self.kid), "x": x, "y": y});
                (200, json!({"keys": [{"kty": "oct", "kid": "other"}, key]}))
            }
            "/realm/token" if matches!(self.twist, Some(Twist::Away)) => (503, Value::Null),
            "/realm/token" => {
                let secret = format!("purlin:{}", SECRET.replace(' ', "%20").replace('&', "%26"));
                let known = authorization == format!("Basic {}", STANDARD.encode(secret));
                let Some([challenge, nonce, redirect]) = self.codes.remove(&parameter(form, "code")) else {
                    return (400, json!({"error": "invalid_grant"}));
                };
                let verifier = digest(&SHA256, parameter(form, "code_verifier").as_bytes());
                let proven = URL_SAFE_NO_PAD.encode(verifier) == challenge;
                if !known || !proven || parameter(form, "redirect_uri") != redirect {
                    return (400, json!({"error": "invalid_grant"}));
                }
                (
                    200,
                    json!({"token_type": "Bearer", "access_token": "at-1", "id_token": self.token(&nonce)}),
                )
            }
            _ => (404, Value::Null),
        }
    }
}

fn sign(key: &EcdsaKeyPair, text: &str) -> Vec<u8> {
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).expect("it signs");
    signature.as_ref().to_vec()
}

/// One request of one connection.
async fn serve(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    let mut text = String::new();
    let mut octets = [0; 4096];
    let (head, form) = loop {
        let Ok(count @ 1..) = stream.read(&mut octets).await else {
            return;
        };
        text.push_str(std::str::from_utf8(&octets[..count]).expect("text"));
        let Some((head, form)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = value(head, "content-length").parse().unwrap_or(0);
        if form.len() >= length {
            break (head.to_owned(), form.to_owned());
        }
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, body) = inner
        .lock()
        .unwrap()
        .answer(&path, &value(&head, "authorization"), &form);
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn value(head: &str, name: &str) -> String {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value.trim()).to_owned()
}
