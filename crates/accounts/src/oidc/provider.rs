//! The provider: what it says of itself, its keys, and what it gives for a code.

use super::claims::claim;
use super::fetch::Fetch;
use super::jwt::{self, Key, Refused};
use super::pending::Pending;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use purlin_api::clock::Clock;
use purlin_config::sections::oidc::OidcSettings;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// How long what the provider says of itself is believed, in seconds.
const METADATA_SECS: i64 = 3600;
/// Its keys are not asked for more often than this, whatever tokens name.
const KEYS_PAUSE: i64 = 10;
/// How far its clock may be from ours, in seconds.
const LEEWAY: i64 = 60;

/// Source: OpenID Connect Discovery 1.0, section 3.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
}

/// Why a code brought no claims.
#[derive(Debug)]
pub(super) enum Fault {
    /// The provider cannot be asked.
    Away(String),
    /// What came is not to be believed.
    Wrong(String),
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Away(why)
    }
}

fn wrong(why: &str) -> Fault {
    Fault::Wrong(why.to_owned())
}

/// A provider that is configured.
pub(crate) struct Provider {
    settings: OidcSettings,
    fetch: Fetch,
    clock: Clock,
    metadata: Mutex<Option<(i64, Metadata)>>,
    keys: Mutex<(i64, Arc<[Key]>)>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({})", self.settings.issuer)
    }
}

impl Provider {
    pub(super) fn new(settings: &OidcSettings, clock: Clock) -> Result<Self, String> {
        Ok(Self {
            fetch: Fetch::new(settings.ca_certificate.as_deref())?,
            settings: settings.clone(),
            clock,
            metadata: Mutex::default(),
            keys: Mutex::new((i64::MIN / 2, Arc::default())),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(crate) fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// What the provider says of itself; asked for now and then.
    pub(super) async fn metadata(&self) -> Result<Metadata, String> {
        let now = self.clock.secs();
        let known = self
            .metadata
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((_, metadata)) = known.filter(|(at, _)| now - at < METADATA_SECS) {
            return Ok(metadata);
        }
        let url = format!(
            "{}/.well-known/openid-configuration",
            self.settings.issuer.trim_end_matches('/')
        );
        let metadata: Metadata = serde_json::from_value(self.fetch.get(&url, None).await?)
            .map_err(|cause| format!("{url}: {cause}"))?;
        // Section 4.3: whoever answers for another issuer is not this one.
        if metadata.issuer != self.settings.issuer {
            return Err(format!("{url} is of the issuer {:?}", metadata.issuer));
        }
        *self.metadata.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, metadata.clone()));
        Ok(metadata)
    }

    async fn keys(&self, metadata: &Metadata, anew: bool) -> Result<Arc<[Key]>, String> {
        let now = self.clock.secs();
        let (at, known) = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fresh = !anew && !known.is_empty() && now - at < METADATA_SECS;
        if fresh || now - at < KEYS_PAUSE {
            return Ok(known);
        }
        let told = self.fetch.get(&metadata.jwks_uri, None).await?;
        let keys = told["keys"].as_array().into_iter().flatten();
        // A key of a kind that is not known is none of those that we use.
        let keys: Arc<[Key]> = keys.filter_map(|key| Key::deserialize(key).ok()).collect();
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = (now, Arc::clone(&keys));
        Ok(keys)
    }

    /// The claims about whoever brought the code.
    pub(super) async fn redeem(&self, code: &str, pending: &Pending) -> Result<Map<String, Value>, Fault> {
        let metadata = self.metadata().await?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.settings.redirect_url),
            ("code_verifier", &pending.verifier),
        ];
        let authorization = self.settings.client_secret.as_deref().map(|secret| {
            // RFC 6749, section 2.3.1.
            let pair = format!("{}:{}", escaped(&self.settings.client_id), escaped(secret));
            format!("Basic {}", STANDARD.encode(pair))
        });
        if authorization.is_none() {
            form.push(("client_id", &self.settings.client_id));
        }
        let asked = self
            .fetch
            .post(&metadata.token_endpoint, authorization.as_deref(), query(&form));
        let (status, told) = asked.await?;
        if status.is_server_error() {
            return Err(Fault::Away(format!("{}: {status}", metadata.token_endpoint)));
        }
        let token = told["id_token"].as_str().filter(|_| status == StatusCode::OK);
        let token = token.ok_or_else(|| wrong("the code was not accepted"))?;
        let claims = match jwt::verified(token, &self.keys(&metadata, false).await?) {
            // Providers change their keys: a name that is not known may be new.
            Err(Refused::NoKey) => jwt::verified(token, &self.keys(&metadata, true).await?),
            told => told,
        };
        let claims = claims.map_err(|refused| match refused {
            Refused::NoKey => wrong("the ID token is signed with a key that the provider does not have"),
            Refused::Wrong(why) => wrong(why),
        })?;
        self.check(&claims, pending)?;
        match (&metadata.userinfo_endpoint, told["access_token"].as_str()) {
            (Some(url), Some(token)) if self.lacks(&claims) => self.completed(claims, url, token).await,
            _ => Ok(claims),
        }
    }

    /// Whether the ID token leaves out what a user is made of.
    fn lacks(&self, claims: &Map<String, Value>) -> bool {
        let settings = &self.settings;
        let grouped = !(settings.roles.is_empty() && settings.tenants.is_empty());
        [settings.username_claim.as_str(), "email"]
            .iter()
            .any(|name| !claims.contains_key(*name))
            || (grouped && claim(claims, &settings.groups_claim).is_none())
    }

    /// What the provider says at its UserInfo endpoint beside the ID token: what a scope brings is there and not in the
    /// token, wherever there is an access token. Where both say something, the signed one counts.
    ///
    /// Source: OpenID Connect Core 1.0, sections 5.3.2 and 5.4.
    async fn completed(
        &self,
        claims: Map<String, Value>,
        url: &str,
        token: &str,
    ) -> Result<Map<String, Value>, Fault> {
        let Value::Object(mut told) = self.fetch.get(url, Some(token)).await? else {
            return Err(wrong("its UserInfo is no JSON object"));
        };
        if told.get("sub") != claims.get("sub") {
            return Err(wrong("its UserInfo is about somebody else"));
        }
        told.extend(claims);
        Ok(told)
    }

    /// Source: OpenID Connect Core 1.0, section 3.1.3.7.
    fn check(&self, claims: &Map<String, Value>, pending: &Pending) -> Result<(), Fault> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| claims.get(name).and_then(Value::as_f64).map(|secs| secs as i64);
        let now = self.clock.secs();
        if text("iss") != Some(&self.settings.issuer) {
            return Err(wrong("the ID token is of another issuer"));
        }
        let own = |audience: &Value| audience.as_str() == Some(&self.settings.client_id);
        let (meant, several) = match claims.get("aud") {
            Some(Value::Array(all)) => (all.iter().any(own), all.len() > 1),
            Some(one) => (own(one), false),
            None => (false, false),
        };
        let party = text("azp");
        if !meant
            || party.is_some_and(|party| party != self.settings.client_id)
            || (several && party.is_none())
        {
            return Err(wrong("the ID token is for somebody else"));
        }
        if time("exp").is_none_or(|ends| ends + LEEWAY <= now) {
            return Err(wrong("the ID token is over"));
        }
        if time("iat").is_none_or(|made| made - LEEWAY > now)
            || time("nbf").is_some_and(|from| from - LEEWAY > now)
        {
            return Err(wrong("the ID token is from the future: compare the clocks"));
        }
        if text("nonce") != Some(&pending.nonce) {
            return Err(wrong("the ID token is of another login"));
        }
        if text("sub").is_none_or(|subject| subject.is_empty() || subject.len() > 255) {
            return Err(wrong("the ID token does not say who it is about"));
        }
        Ok(())
    }
}

impl Metadata {
    /// Where the browser asks for a code.
    pub(super) fn asks(&self, settings: &OidcSettings, state: &str, pending: &Pending) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, pending.verifier.as_bytes()));
        let scopes = settings.scopes.join(" ");
        let form = [
            ("response_type", "code"),
            ("client_id", &settings.client_id),
            ("redirect_uri", &settings.redirect_url),
            ("scope", &scopes),
            ("state", state),
            ("nonce", &pending.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let join = if self.authorization_endpoint.contains('?') {
            '&'
        } else {
            '?'
        };
        format!("{}{join}{}", self.authorization_endpoint, query(&form))
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// RFC 3986, section 2.3: all but the unreserved characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            out.push(char::from(octet));
        } else {
            write!(out, "%{octet:02X}").expect("a String takes everything");
        }
    }
    out
}
