//! `[oidc]`: an OpenID Connect provider that people log in with.

use crate::{Document, Fault, Faults, Key, Kind, Reader, Section, TextFault, check_section, codes};
use std::collections::BTreeMap;
use std::fmt;

static SECTION: Section = Section::new(
    "oidc",
    "Logging in with an OpenID Connect provider: authorization code with PKCE. Off without an issuer.",
    &[KEYS],
);

const WORDS: Kind = Kind::List(&Kind::Text { max: 512 });

const KEYS: &[Key] = &[
    Key::new(
        "issuer",
        Kind::Text { max: 512 },
        "The provider's address as its tokens have it: https://…, without /.well-known.",
    )
    .restart()
    .example("https://id.example.com/realms/net"),
    Key::new(
        "name",
        Kind::Form {
            what: "1 to 32 lower-case letters, digits and hyphens",
            check: check_name,
        },
        "What the provider is called in /api/v1/auth/callback/NAME.",
    )
    .default("oidc")
    .restart(),
    Key::new("client_id", Kind::Text { max: 256 }, "How the provider knows this installation.")
        .restart()
        .example("purlin"),
    Key::new(
        "client_secret",
        Kind::Secret,
        "The secret of a confidential client; PURLIN__OIDC__CLIENT_SECRET_FILE names a file. A public client has none.",
    )
    .restart(),
    Key::new(
        "redirect_url",
        Kind::Text { max: 512 },
        "Where the provider sends people back to: https://HOST/api/v1/auth/callback/NAME, as it is registered there.",
    )
    .restart()
    .example("https://purlin.example.com/api/v1/auth/callback/oidc"),
    Key::new("scopes", WORDS, "What is asked for; openid is always among it.")
        .default("[\"openid\", \"profile\", \"email\"]")
        .restart(),
    Key::new(
        "ca_certificate",
        Kind::Path,
        "PEM file with the authorities that the provider is believed by; the system's when absent.",
    )
    .restart(),
    Key::new(
        "username_claim",
        Kind::Text { max: 128 },
        "The claim that becomes the username of a new user.",
    )
    .default("preferred_username")
    .restart(),
    Key::new(
        "groups_claim",
        Kind::Text { max: 128 },
        "The claim with the groups that the two lists below name; dots lead into objects.",
    )
    .default("groups")
    .restart()
    .example("realm_access.roles"),
    Key::new(
        "roles",
        WORDS,
        "GROUP=ROLE: what members of a group may do here; the highest counts. Who is in none of them is a member only.",
    )
    .default("[]")
    .restart()
    .example("[\"net-admins=admin\", \"net-readers=viewer\"]"),
    Key::new(
        "tenants",
        WORDS,
        "GROUP=TENANT:ROLE: tenants that members of a group belong to. What a login gave the next one takes when the group is gone.",
    )
    .default("[]")
    .restart()
    .example("[\"shop-devs=shop:operator\"]"),
];

/// The checked `[oidc]` section.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// Without a slash at the end that the text did not have.
    pub issuer: String,
    pub name: String,
    pub client_id: String,
    pub client_secret: Option<String>,
    pub redirect_url: String,
    pub scopes: Vec<String>,
    pub ca_certificate: Option<String>,
    pub username_claim: String,
    pub groups_claim: String,
    /// Roles by group.
    pub roles: BTreeMap<String, String>,
    /// Tenant and role by group.
    pub tenants: Vec<(String, String, String)>,
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcSettings")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret.is_some())
            .finish_non_exhaustive()
    }
}

fn check_name(text: &str) -> Result<(), TextFault> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=32).contains(&text.len()) && text.chars().all(fits) && text != "local" {
        return Ok(());
    }
    Err(TextFault::from(
        "a name has lower-case letters, digits and hyphens, and is not local".to_owned(),
    ))
}

/// The schema of `[oidc]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// Reads `[oidc]`: `Some(None)` when there is no issuer; `None` when it has errors, which are then in `faults`.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<Option<OidcSettings>> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let reader = Reader::section(document, &SECTION);
    let issuer: Option<String> = reader.opt("issuer");
    let Some(issuer) = issuer else {
        for key in ["client_id", "client_secret", "redirect_url"] {
            if reader.node(key).is_some() {
                refuse(
                    &reader,
                    key,
                    "it says nothing without oidc.issuer",
                    "name the issuer, or leave it out",
                    faults,
                );
            }
        }
        return (faults.errors() == before).then_some(None);
    };
    let text = |key: &str| reader.opt::<String>(key);
    for key in ["client_id", "redirect_url"] {
        if text(key).is_none() {
            let message = format!(
                "{key} is missing: the provider must know who asks, and where to send people back to"
            );
            refuse(
                &reader,
                key,
                &message,
                "register this installation with the provider and give both",
                faults,
            );
        }
    }
    let (name, redirect_url) = (
        reader.get::<String>("name"),
        text("redirect_url").unwrap_or_default(),
    );
    safe_url(&reader, "issuer", &issuer, faults);
    if !redirect_url.is_empty() && safe_url(&reader, "redirect_url", &redirect_url, faults) {
        let end = format!("/api/v1/auth/callback/{name}");
        if !redirect_url.ends_with(&end) {
            let message = format!("nobody answers there: the path is {end}");
            refuse(
                &reader,
                "redirect_url",
                &message,
                "give it, and register it with the provider",
                faults,
            );
        }
    }
    let mut scopes: Vec<String> = reader.get("scopes");
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    let (roles, tenants) = lists(&reader, faults);
    let settings = OidcSettings {
        tenants,
        roles,
        name,
        redirect_url,
        scopes,
        client_id: text("client_id").unwrap_or_default(),
        client_secret: text("client_secret"),
        ca_certificate: text("ca_certificate"),
        username_claim: reader.get("username_claim"),
        groups_claim: reader.get("groups_claim"),
        issuer,
    };
    (faults.errors() == before).then_some(Some(settings))
}

type Lists = (BTreeMap<String, String>, Vec<(String, String, String)>);

/// Roles and tenants by group.
fn lists(reader: &Reader<'_>, faults: &mut Faults) -> Lists {
    let words = |key: &str| reader.get::<Vec<String>>(key);
    let roles = words("roles").into_iter().filter_map(|word| match role(&word) {
        Some(pair) => Some(pair),
        None => {
            let message = format!("{word:?} is not GROUP=ROLE with viewer, operator or admin");
            refuse(reader, "roles", &message, "for example net-admins=admin", faults);
            None
        }
    });
    let roles = roles.collect();
    let tenants = words("tenants")
        .into_iter()
        .filter_map(|word| match membership(&word) {
            Some(found) => Some(found),
            None => {
                let message = format!("{word:?} is not GROUP=TENANT:ROLE with viewer, operator or admin");
                refuse(
                    reader,
                    "tenants",
                    &message,
                    "for example shop-devs=shop:operator",
                    faults,
                );
                None
            }
        });
    (roles, tenants.collect())
}

fn refuse(reader: &Reader<'_>, key: &str, message: &str, help: &str, faults: &mut Faults) {
    let (path, span) = (reader.path_of(key), reader.span_of(key));
    faults.push(Fault::error(codes::CONTRADICTION, path, span, message).help(help));
}

/// HTTPS, or HTTP that does not leave this machine: codes and tokens travel there.
fn safe_url(reader: &Reader<'_>, key: &str, url: &str, faults: &mut Faults) -> bool {
    let plain = url.strip_prefix("http://").is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        matches!(host, "127.0.0.1" | "localhost" | "[::1]")
    });
    let secure = url
        .strip_prefix("https://")
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let clean = !url.contains(['?', '#', '@']) && !url.chars().any(|c| c.is_whitespace() || c.is_control());
    if (plain || secure) && clean {
        return true;
    }
    let message = "expected https://HOST/PATH without a query; plain http is for this machine alone";
    refuse(
        reader,
        key,
        message,
        "codes and tokens must not cross a network in the clear",
        faults,
    );
    false
}

fn role(word: &str) -> Option<(String, String)> {
    let (group, role) = word.rsplit_once('=')?;
    let known = ["viewer", "operator", "admin"].contains(&role);
    (known && !group.is_empty()).then(|| (group.to_owned(), role.to_owned()))
}

fn membership(word: &str) -> Option<(String, String, String)> {
    let (word, role) = word.rsplit_once(':')?;
    let (group, tenant) = word.rsplit_once('=')?;
    let known = ["viewer", "operator", "admin"].contains(&role);
    (known && !group.is_empty() && !tenant.is_empty())
        .then(|| (group.to_owned(), tenant.to_owned(), role.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;

    fn told(text: &str) -> (Option<Option<OidcSettings>>, Vec<String>) {
        let mut faults = Faults::new();
        let document = Document::parse([Input::file("o.toml", text)], &mut faults);
        let settings = read(&document, &mut faults);
        (
            settings,
            faults.iter().map(|fault| fault.message.clone()).collect(),
        )
    }

    #[test]
    fn without_an_issuer_it_is_off() {
        assert_eq!(told(""), (Some(None), Vec::new()));
        let (settings, faults) = told("[oidc]\nclient_id = \"x\"");
        assert!(
            settings.is_none() && faults[0].contains("oidc.issuer"),
            "{faults:?}"
        );
    }

    #[test]
    fn a_whole_section_is_read() {
        let text = "[oidc]\nissuer = \"https://id.example.com\"\nclient_id = \"purlin\"\nredirect_url = \"https://p.example.com/api/v1/auth/callback/oidc\"\nscopes = [\"email\"]\nroles = [\"a=b=admin\"]\ntenants = [\"devs=shop:operator\"]";
        let (settings, faults) = told(text);
        let settings = settings.flatten().unwrap_or_else(|| panic!("{faults:?}"));
        assert_eq!(settings.scopes, ["openid", "email"]);
        assert_eq!(settings.roles["a=b"], "admin");
        assert_eq!(
            settings.tenants,
            [("devs".to_owned(), "shop".to_owned(), "operator".to_owned())]
        );
    }

    #[test]
    fn what_would_send_codes_astray_is_refused() {
        let with = |issuer: &str, back: &str| {
            told(&format!(
                "[oidc]\nissuer = \"{issuer}\"\nclient_id = \"p\"\nredirect_url = \"{back}\""
            ))
            .1
        };
        let back = "https://p.example.com/api/v1/auth/callback/oidc";
        for (issuer, back) in [
            ("http://id.example.com", back),
            ("https://", back),
            ("https://id.example.com?x", back),
            (
                "https://id.example.com",
                "http://p.example.com/api/v1/auth/callback/oidc",
            ),
            ("https://id.example.com", "https://p.example.com/elsewhere"),
            (
                "https://id.example.com",
                "https://p.example.com/api/v1/auth/callback/other",
            ),
        ] {
            assert_eq!(with(issuer, back).len(), 1, "{issuer} {back}");
        }
        assert!(
            with(
                "http://127.0.0.1:8000",
                "http://localhost:8080/api/v1/auth/callback/oidc"
            )
            .is_empty()
        );
    }
}
