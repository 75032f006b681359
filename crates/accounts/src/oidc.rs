//! Logging in with an OpenID Connect provider: authorization code with PKCE.
//!
//! ```text
//!   POST /auth/login {provider} ──► state, nonce, verifier kept in the store; a cookie ties them to this browser
//!                                   ◄── auth_url: the provider asks who it is
//!   GET /auth/callback/NAME?code&state + cookie ──► taken out of the store: each works once, at any node
//!                                   code + verifier ──► token endpoint ──► ID token: signature, issuer, audience, nonce, times
//!                                   claims ──► user, role, memberships ──► a session, as a password opens one
//! ```
//!
//! Nobody is sent anywhere but to the provider that is configured, and a user of the provider is never one that an admin
//! made, whatever its name or address says: users are found by issuer and subject.
//!
//! Sources: OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3.7; Discovery 1.0, section 4; RFC 7636; RFC 9700, section 2.1.

mod claims;
mod fetch;
mod jwt;
mod pending;
mod provider;

pub(crate) use pending::{COOKIE, LOGIN_SECS};
pub(crate) use provider::Provider;

use crate::Desk;
use crate::login::{Opened, is_overtaken, refused};
use axum::http::StatusCode;
use purlin_api::{Problem, passwords, reasons};
use purlin_config::sections::oidc::OidcSettings;
use serde_json::json;
use std::sync::Arc;

/// What a login at the provider begins with.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Where the browser goes.
    pub(crate) url: String,
    /// What it must bring back.
    pub(crate) cookie: String,
}

impl Desk {
    /// People may log in with this provider from now on. Said once, at the start.
    ///
    /// # Errors
    /// When the file with its authorities cannot be used.
    pub fn trust(&self, settings: &OidcSettings) -> Result<(), String> {
        let provider = Provider::new(settings, self.0.clock.clone())?;
        // It is said once.
        let _ = self.0.provider.set(Arc::new(provider));
        Ok(())
    }

    pub(crate) fn provider(&self, name: &str) -> Result<Arc<Provider>, Problem> {
        let found = self.0.provider.get().filter(|provider| provider.name() == name);
        found.cloned().ok_or_else(|| {
            let known: Vec<&str> = self.0.provider.get().iter().map(|known| known.name()).collect();
            Problem::no_such("login provider", name)
                .with("providers", json!(known))
                .with(
                    "help",
                    "POST /api/v1/auth/login/local takes a username and a password; [oidc] names a provider",
                )
        })
    }

    /// Begins a login.
    pub(crate) async fn begin_login(&self, name: &str) -> Result<Begun, Problem> {
        let provider = self.provider(name)?;
        let metadata = provider.metadata().await.map_err(|why| away(&provider, &why))?;
        let (pending, state, cookie) = pending::new(name, self.now());
        let url = metadata.asks(provider.settings(), &state, &pending);
        pending::keep(&self.0.ledger, &state, &pending, self.now()).await?;
        Ok(Begun { url, cookie })
    }

    /// Ends it: whoever comes back from the provider gets a session.
    pub(crate) async fn end_login(
        &self,
        name: &str,
        code: &str,
        state: &str,
        cookie: Option<&str>,
    ) -> Result<Opened, Problem> {
        let provider = self.provider(name)?;
        let wrong = || refused("this login was not begun in this browser, or too long ago: begin it again");
        let pending = pending::take(&self.0.ledger, state).await?.ok_or_else(wrong)?;
        let bound = cookie.is_some_and(|cookie| passwords::has_digest(cookie, &pending.cookie));
        if !bound || pending.provider != name || pending.ends <= self.now() {
            return Err(wrong());
        }
        let claims = provider
            .redeem(code, &pending)
            .await
            .map_err(|fault| match fault {
                provider::Fault::Away(why) => away(&provider, &why),
                provider::Fault::Wrong(why) => refused(&format!("{}: {why}", provider.settings().issuer)),
            })?;
        let id = match self.person(provider.settings(), &claims).await {
            // Another node wrote the same user or membership.
            Err(problem) if self.is_shared() && is_overtaken(&problem) => {
                self.refresh().await?;
                self.person(provider.settings(), &claims).await?
            }
            found => found?,
        };
        self.open_for(&id, |_| true).await
    }
}

fn away(provider: &Provider, why: &str) -> Problem {
    let detail = format!(
        "the login provider {} does not answer: {why}",
        provider.settings().issuer
    );
    Problem::new(StatusCode::BAD_GATEWAY, &reasons::NOT_READY, detail)
}
