//! Two names for one thing in one body.

use crate::typed::Fault;
use serde_json::{Map, Value};

/// Leaves `name` only. When both are there, the one that says something new counts: who sends back what was read has
/// changed one of them.
pub(super) fn fold(
    body: &mut Map<String, Value>,
    present: &Value,
    (name, alias): (&str, &str),
) -> Result<(), Fault> {
    let Some(second) = body.remove(alias) else {
        return Ok(());
    };
    let kept = match body.get(name) {
        None => second,
        Some(first) if *first == second || second == present[alias] => return Ok(()),
        Some(first) if *first == present[name] => second,
        Some(first) => {
            let message =
                format!("says {second}, and `{name}` says {first}: they mean the same, give one of them");
            return Err(Fault::new(alias, &second, message));
        }
    };
    body.insert(name.to_owned(), kept);
    Ok(())
}

/// What of a member is new: nothing when it says what is there.
pub(super) fn news(body: &mut Map<String, Value>, name: &str, present: &Value) -> Option<Value> {
    body.remove(name).filter(|value| value != present)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn folded(body: Value, present: &Value) -> Result<Value, Fault> {
        let Value::Object(mut body) = body else {
            panic!("an object");
        };
        fold(&mut body, present, ("mac", "mac_address"))?;
        Ok(Value::Object(body))
    }

    #[test]
    fn the_one_that_says_something_new_counts() {
        let present = json!({ "mac": "a", "mac_address": "a" });
        for (body, kept) in [
            (json!({ "mac_address": "b" }), json!({ "mac": "b" })),
            (json!({ "mac": "b" }), json!({ "mac": "b" })),
            (json!({ "mac": "a", "mac_address": "b" }), json!({ "mac": "b" })),
            (json!({ "mac": "b", "mac_address": "a" }), json!({ "mac": "b" })),
            (json!({ "mac": "b", "mac_address": "b" }), json!({ "mac": "b" })),
        ] {
            assert_eq!(folded(body.clone(), &present), Ok(kept), "{body}");
        }
        let both = folded(json!({ "mac": "b", "mac_address": "c" }), &present);
        assert!(
            both.expect_err("they differ")
                .message
                .contains("give one of them")
        );
    }
}
