//! Values that a column keeps as text, in the form that people write them.

use super::{Form, Values};
use purlin_ovn_core::dhcp::{Catalog, Kind};
use purlin_ovsdb::{Atom, AtomicType};
use serde_json::{Value, json};

/// One key's value.
pub(crate) fn shown(value: Option<&Atom>, form: Form) -> Value {
    let Some(value) = value else {
        return match form {
            Form::Words => json!([]),
            _ => Value::Null,
        };
    };
    let Some(text) = value.as_str() else {
        return value.as_integer().map_or(Value::Null, Value::from);
    };
    match form {
        Form::Text => json!(text),
        Form::Words => json!(text.split_whitespace().collect::<Vec<_>>()),
        Form::Flag => match text {
            "true" => json!(true),
            "false" => json!(false),
            other => json!(other),
        },
        Form::Whole(..) => text
            .parse::<u64>()
            .map_or_else(|_| json!(text), |number| json!(number)),
    }
}

/// The text for one key; nothing takes the key away. The reason of a refusal says what would be right.
pub(crate) fn written(value: &Value, form: Form, atomic: AtomicType) -> Result<Option<Atom>, String> {
    let atom = |text: String| match atomic {
        AtomicType::Integer => text
            .parse()
            .map(Atom::Integer)
            .unwrap_or_else(|_| Atom::from(text)),
        _ => Atom::from(text),
    };
    let wrong = |expected: String| Err(format!("{value} stands where {expected} is expected"));
    match (value, form) {
        (Value::Null, _) => Ok(None),
        (Value::String(text), Form::Text) => Ok(Some(Atom::from(text))),
        (Value::Bool(flag), Form::Flag) => Ok(Some(Atom::from(flag.to_string()))),
        (Value::Number(number), Form::Whole(from, to)) => match number.as_u64() {
            Some(whole) if (from..=to).contains(&whole) => Ok(Some(atom(whole.to_string()))),
            _ => wrong(format!("a whole number from {from} to {to}")),
        },
        (Value::Array(words), Form::Words) if words.is_empty() => Ok(None),
        (Value::Array(words), Form::Words) => words_of(words).map(|text| Some(Atom::from(text))),
        (_, Form::Text) => wrong("a text".to_owned()),
        (_, Form::Flag) => wrong("true or false".to_owned()),
        (_, Form::Whole(from, to)) => wrong(format!("a whole number from {from} to {to}")),
        (_, Form::Words) => wrong("a list of texts".to_owned()),
    }
}

/// One value of a map.
pub(crate) fn map_value(value: &Value, values: Values) -> Result<Atom, String> {
    match (value, values) {
        (Value::String(text), _) => Ok(Atom::from(text)),
        (Value::Array(words), Values::Words) => words_of(words).map(Atom::from),
        (Value::Number(number), Values::Dhcp) => Ok(Atom::from(number.to_string())),
        (Value::Bool(flag), Values::Dhcp) => Ok(Atom::from(flag.to_string())),
        (Value::Array(parts), Values::Dhcp) => dhcp_list(parts).map(Atom::from),
        (_, Values::Text) => Err(format!("{value} stands where a text is expected")),
        (_, Values::Words) => Err(format!(
            "{value} stands where a text or a list of texts is expected"
        )),
        (_, Values::Dhcp) => Err(format!(
            "{value} stands where a text, a number, true or false, or a list is expected"
        )),
    }
}

fn words_of(words: &[Value]) -> Result<String, String> {
    let word = |word: &Value| match word.as_str() {
        Some(text) if !text.is_empty() && !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err(format!("{word} stands where a text without spaces is expected")),
    };
    let words: Result<Vec<String>, String> = words.iter().map(word).collect();
    Ok(words?.join(" "))
}

/// Addresses and names one after the other; routes as destination and router.
fn dhcp_list(parts: &[Value]) -> Result<String, String> {
    let part = |part: &Value| match part {
        Value::String(text) => Ok(text.clone()),
        Value::Object(route) => match (route.get("destination"), route.get("router")) {
            (Some(Value::String(to)), Some(Value::String(router))) if route.len() == 2 => {
                Ok(format!("{to},{router}"))
            }
            _ => Err(format!(
                "{part} stands where {{\"destination\": \"10.1.0.0/16\", \"router\": \"10.0.0.1\"}} is expected"
            )),
        },
        other => Err(format!("{other} stands where a text is expected")),
    };
    let parts: Result<Vec<String>, String> = parts.iter().map(part).collect();
    Ok(parts?.join(","))
}

/// An option's value by the option's type; one that is not of its type as the text that it is.
pub(crate) fn dhcp_shown(catalog: &Catalog, name: &str, text: &str) -> Value {
    let plain = text.trim().trim_start_matches('{').trim_end_matches('}');
    let parts = || plain.split(',').map(str::trim).filter(|part| !part.is_empty());
    let kind = match name {
        "server_mac" => Some(Kind::Mac),
        "dhcpv6_stateless" => Some(Kind::Bool),
        _ => catalog.get(name).map(|option| option.kind),
    };
    match kind {
        Some(Kind::Bool) => match text {
            "1" | "true" => json!(true),
            "0" | "false" => json!(false),
            other => json!(other),
        },
        Some(Kind::Uint8 | Kind::Uint16 | Kind::Uint32) => text
            .parse::<u32>()
            .map_or_else(|_| json!(text), |number| json!(number)),
        Some(Kind::Ipv4 | Kind::Ipv6) if text.contains(['{', ',']) => json!(parts().collect::<Vec<_>>()),
        Some(Kind::StaticRoutes) => {
            let words: Vec<&str> = parts().collect();
            let route = |pair: &[&str]| json!({ "destination": pair[0], "router": pair.get(1) });
            Value::Array(words.chunks(2).map(route).collect())
        }
        Some(Kind::Domains) => {
            let plain = plain.trim_matches('"');
            json!(plain.split(',').map(str::trim).collect::<Vec<_>>())
        }
        Some(Kind::Text | Kind::HostId) => json!(unquoted(text)),
        _ => json!(text),
    }
}

/// A text without the quotes that a flow needs around it.
fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) => serde_json::from_str(text).unwrap_or_else(|_| inner.to_owned()),
        None => text.to_owned(),
    }
}
