//! What may be sent as a boot profile, made from the schema of the configuration itself.

use purlin_api::schema::{self, Schema};
use purlin_tftp_core::reader;

/// A profile with the keys of `boot.profiles`.
pub(super) fn profile() -> Schema {
    purlin_config::json_schema(&[reader::boot_section()])
        .pointer("/properties/boot/properties/profiles/items")
        .cloned()
        .expect("the pointer names a key of the section")
}

/// What is shown: whatever the configuration has, so other members are no fault.
pub(super) fn shown(profile: &Schema) -> Schema {
    let mut shown = profile.clone();
    shown["description"] =
        "Members are keys of the configuration; see `purlin config explain boot.profiles`.".into();
    shown
}

/// The merge patch (RFC 7396): every member may be left out, or be null to take it away.
pub(super) fn patch(profile: &Schema) -> Schema {
    let mut patch = profile.clone();
    if let Some(object) = patch.as_object_mut() {
        object.remove("required");
    }
    for member in patch["properties"]
        .as_object_mut()
        .into_iter()
        .flat_map(serde_json::Map::values_mut)
    {
        let inner = member
            .get("additionalProperties")
            .filter(|inner| inner.is_object());
        if let Some(inner) = inner.cloned() {
            member["additionalProperties"] = schema::nullable(inner);
        }
        *member = schema::nullable(std::mem::take(member));
    }
    patch
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_profile_has_the_keys_of_the_configuration() {
        let profile = profile();
        assert_eq!(profile["required"], json!(["name", "file"]));
        for key in ["arch", "user_class", "macs", "subnets", "server", "values"] {
            assert!(profile["properties"][key].is_object(), "{key}");
        }
    }

    #[test]
    fn a_patch_may_take_everything_away() {
        let patch = patch(&profile());
        assert!(patch.get("required").is_none());
        assert_ne!(patch["properties"]["server"], Value::Null);
        assert!(patch["properties"]["user_class"].to_string().contains("null"));
    }
}
