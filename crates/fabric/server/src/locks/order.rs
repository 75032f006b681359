//! What a client asks of a lock.

use purlin_api::Problem;
use purlin_api::problem::FaultView;
use purlin_api::schema::{self, Schema};
use purlin_config::parse_duration;
use purlin_fabric::lock::{Class, LockName, LockOptions};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::time::Duration;

/// Most tries; waits between them grow to 2 s.
const RETRIES_MAX: u32 = 1000;
/// Longest that a lock may be held in one go.
const HOLD_MAX: Duration = Duration::from_secs(24 * 3600);

/// The body of a request for a lock.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    name: String,
    ttl: Option<String>,
    retries: Option<u32>,
    class: Option<String>,
    max_hold: Option<String>,
}

/// Proof of holding a lock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    token: String,
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof")
    }
}

impl Proof {
    pub(super) fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
        }
    }

    pub(super) fn read(&self) -> Result<u128, Problem> {
        let wrong = || {
            Problem::faults(vec![FaultView::error(
                "token",
                "32 hexadecimal digits are wanted",
            )])
        };
        let digits = self.token.len() == 32 && self.token.bytes().all(|octet| octet.is_ascii_hexdigit());
        if !digits {
            return Err(wrong());
        }
        u128::from_str_radix(&self.token, 16).map_err(|_| wrong())
    }
}

impl Order {
    /// Name and options, or every fault of them.
    pub(super) fn read(&self) -> Result<(String, LockOptions), Problem> {
        let mut faults = Vec::new();
        if let Err(error) = LockName::parse(&self.name) {
            faults.push(FaultView::error("name", error.to_string()));
        }
        let mut options = LockOptions::default();
        match self.class.as_deref() {
            None | Some("advisory") => {}
            Some("fenced") => options.class = Class::Fenced,
            Some(other) => {
                let message = format!("{other:?} is not valid; expected advisory or fenced");
                faults.push(FaultView::error("class", message));
            }
        }
        options.max_retries = self.retries.unwrap_or(options.max_retries);
        if options.max_retries > RETRIES_MAX {
            faults.push(FaultView::error("retries", format!("at most {RETRIES_MAX}")));
        }
        options.ttl = time("ttl", self.ttl.as_deref(), options.ttl, &mut faults);
        options.max_hold = time(
            "max_hold",
            self.max_hold.as_deref(),
            options.max_hold,
            &mut faults,
        );
        if options.max_hold > HOLD_MAX || options.max_hold.is_zero() {
            faults.push(FaultView::error("max_hold", "more than 0 and at most 24h"));
        }
        if let Err(error) = options.check() {
            faults.push(FaultView::error("ttl", error.to_string()));
        }
        if faults.is_empty() {
            Ok((self.name.clone(), options))
        } else {
            Err(Problem::faults(faults))
        }
    }
}

fn time(path: &str, text: Option<&str>, default: Duration, faults: &mut Vec<FaultView>) -> Duration {
    let Some(text) = text else { return default };
    parse_duration(text).unwrap_or_else(|why| {
        faults.push(FaultView::error(
            path,
            format!("{why}; for example 30s, 1m30s or 500ms"),
        ));
        default
    })
}

pub(super) fn word(class: Class) -> &'static str {
    match class {
        Class::Fenced => "fenced",
        Class::Advisory => "advisory",
    }
}

pub(super) fn schema() -> Schema {
    let mut name = schema::string("What is locked; by custom resource:verb:id, such as switch:update:6f1c.");
    name["minLength"] = json!(1);
    name["maxLength"] = json!(200);
    schema::object(&[
        ("name", name),
        (
            "ttl?",
            schema::string("It lapses when it is not renewed for so long: 100ms to 1h, 30s when absent."),
        ),
        (
            "retries?",
            schema::whole(
                0,
                u64::from(RETRIES_MAX),
                "Tries before it is refused; 10 when absent.",
            ),
        ),
        (
            "class?",
            schema::one_of(
                &["advisory", "fenced"],
                "What it protects from; advisory when absent.",
            ),
        ),
        (
            "max_hold?",
            schema::string("It is given up after so long, renewed or not: at most 24h, 1h when absent."),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, LockOptions), Problem> {
        serde_json::from_str::<Order>(text)
            .expect("the shape is right")
            .read()
    }

    #[test]
    fn a_name_alone_takes_the_defaults() {
        let (name, options) = read(r#"{"name": "switch:update:1"}"#).expect("good");
        assert_eq!(
            (name.as_str(), options),
            ("switch:update:1", LockOptions::default())
        );
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let text = r#"{"name": "", "ttl": "soon", "class": "iron", "max_hold": "25h", "retries": 2000}"#;
        let document = read(text).expect_err("all wrong").document(None, None);
        assert_eq!(document["errors"].as_array().map(Vec::len), Some(5), "{document}");
    }

    #[test]
    fn a_token_is_128_bits() {
        assert!(Proof::new(&"0f".repeat(16)).read().is_ok());
        for bad in ["", "0f", "+f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", &"zz".repeat(16)] {
            assert!(Proof::new(bad).read().is_err(), "{bad}");
        }
    }
}
