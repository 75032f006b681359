//! `--filter`: `key=value`, `key!=value`, `key~=part`, or a part of anything.

use super::cell;
use serde_json::Value;
use std::convert::Infallible;
use std::str::FromStr;

/// One condition on a row; comparison ignores case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    Is { key: String, value: String },
    IsNot { key: String, value: String },
    Has { key: String, part: String },
    Anywhere(String),
}

impl FromStr for Filter {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let lower = |part: &str| part.trim().to_lowercase();
        Ok(if let Some((key, value)) = text.split_once("!=") {
            Self::IsNot {
                key: key.trim().into(),
                value: lower(value),
            }
        } else if let Some((key, part)) = text.split_once("~=") {
            Self::Has {
                key: key.trim().into(),
                part: lower(part),
            }
        } else if let Some((key, value)) = text.split_once('=') {
            Self::Is {
                key: key.trim().into(),
                value: lower(value),
            }
        } else {
            Self::Anywhere(lower(text))
        })
    }
}

impl Filter {
    /// The key it asks for; none for text anywhere.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Is { key, .. } | Self::IsNot { key, .. } | Self::Has { key, .. } => Some(key),
            Self::Anywhere(_) => None,
        }
    }

    pub(crate) fn accepts(&self, row: &Value) -> bool {
        let of = |key: &str| cell::plain(cell::at(row, key)).to_lowercase();
        match self {
            Self::Is { key, value } => of(key) == *value,
            Self::IsNot { key, value } => of(key) != *value,
            Self::Has { key, part } => of(key).contains(part),
            Self::Anywhere(part) => anywhere(row, part),
        }
    }
}

fn anywhere(value: &Value, part: &str) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(|inner| anywhere(inner, part)),
        Value::Array(items) => items.iter().any(|inner| anywhere(inner, part)),
        scalar => cell::plain(scalar).to_lowercase().contains(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_operator_means_what_it_says() {
        let row = json!({"state": "Bound", "who": {"mac": "02:00:00:00:00:01"}});
        let check = |text: &str| text.parse::<Filter>().unwrap().accepts(&row);
        assert!(check("state=bound") && !check("state=free"));
        assert!(check("state!=free") && !check("state!=bound"));
        assert!(check("who.mac~=00:01") && !check("who.mac~=00:02"));
        assert!(check("02:00") && !check("nowhere"));
    }
}
