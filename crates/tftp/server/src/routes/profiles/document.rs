//! The profiles inside the configuration document.

use super::shape;
use purlin_api::Problem;
use serde_json::{Map, Value, json};

pub(super) type Object = Map<String, Value>;

/// All profiles, in their order.
pub(super) fn profiles(config: &Value) -> &[Value] {
    let list = config.pointer("/boot/profiles").and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// Where the profile of that name stands.
pub(super) fn find(config: &Value, name: &str) -> Option<usize> {
    let called = |profile: &Value| profile.get("name").and_then(Value::as_str) == Some(name);
    profiles(config).iter().position(called)
}

/// The list for a new profile, made when it is not there.
pub(super) fn home(config: &mut Value) -> Result<&mut Vec<Value>, Problem> {
    let nothing = || shape("the configuration has something else than a list of profiles there");
    if config.get("boot").is_none_or(Value::is_null) {
        config["boot"] = json!({});
    }
    let boot = config.pointer_mut("/boot").and_then(Value::as_object_mut);
    boot.and_then(|boot| boot.entry("profiles").or_insert_with(|| json!([])).as_array_mut())
        .ok_or_else(nothing)
}

pub(super) fn name_of(profile: &Object) -> Option<&str> {
    profile
        .get("name")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
}

/// JSON merge patch (RFC 7396, section 2).
pub(super) fn merge(target: &mut Object, patch: Object) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(target.remove(&key)),
            Value::Object(patch) => {
                let mut inner = target.remove(&key).and_then(|old| match old {
                    Value::Object(old) => Some(old),
                    _ => None,
                });
                merge(inner.get_or_insert_default(), patch);
                target.insert(key, inner.unwrap_or_default().into());
            }
            value => drop(target.insert(key, value)),
        }
    }
}

/// A null says nothing that leaving the member out would not say; only a merge patch has a meaning for it.
pub(super) fn refuse_null(profile: &Object) -> Result<(), Problem> {
    let values = profile.get("values").and_then(Value::as_object);
    let mut members = profile.iter().chain(values.into_iter().flatten());
    match members.find(|(_, value)| value.is_null()) {
        None => Ok(()),
        Some((key, _)) => Err(shape(&format!(
            "{key} is null; leave it out, or take it away with PATCH and null"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(object) => object,
            other => panic!("no object: {other}"),
        }
    }

    #[test]
    fn a_document_without_profiles_gets_a_list() {
        let mut config = json!({"dhcp": {}});
        assert!(profiles(&config).is_empty());
        home(&mut config).unwrap().push(json!({"name": "a"}));
        assert_eq!(find(&config, "a"), Some(0));
        assert_eq!(find(&config, "b"), None);
        assert!(home(&mut json!({"boot": {"profiles": "x"}})).is_err());
    }

    #[test]
    fn a_merge_sets_clears_and_descends() {
        let mut profile = object(json!({"name": "a", "arch": ["bios"], "values": {"x": "1", "y": "2"}}));
        merge(
            &mut profile,
            object(json!({"arch": null, "values": {"x": null, "z": "3"}, "file": "f"})),
        );
        let expected = json!({"name": "a", "values": {"y": "2", "z": "3"}, "file": "f"});
        assert_eq!(Value::Object(profile), expected);
    }

    #[test]
    fn a_null_is_refused_wherever_it_hides() {
        assert!(refuse_null(&object(json!({"arch": null}))).is_err());
        assert!(refuse_null(&object(json!({"values": {"x": null}}))).is_err());
        assert!(refuse_null(&object(json!({"values": {"x": "1"}}))).is_ok());
    }
}
