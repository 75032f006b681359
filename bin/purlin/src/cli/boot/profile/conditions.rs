//! `--match arch=uefi-x64,user-class=iPXE`: from conditions to keys of a profile.

use crate::exit::Failure;
use serde_json::{Map, Value};
use std::str::FromStr;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    what: What,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Architecture,
    UserClass,
    Mac,
    Subnet,
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no condition; write arch=uefi-x64, user-class=iPXE, mac=02:00:00:00:00:01 or subnet=racks"
            )
        };
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let what = match key.trim() {
            "arch" => What::Architecture,
            "user-class" | "user_class" => What::UserClass,
            "mac" => What::Mac,
            "subnet" => What::Subnet,
            _ => return Err(wrong()),
        };
        let value = value.trim().to_owned();
        if value.is_empty() {
            return Err(wrong());
        }
        Ok(Self { what, value })
    }
}

/// The conditions with the keys of the configuration.
pub(super) fn members(conditions: &[Condition]) -> Result<Map<String, Value>, Failure> {
    let mut members = Map::new();
    for (what, key) in [
        (What::Architecture, "arch"),
        (What::Mac, "macs"),
        (What::Subnet, "subnets"),
    ] {
        let values: Vec<Value> = of(conditions, what).map(Value::from).collect();
        if !values.is_empty() {
            members.insert(key.to_owned(), values.into());
        }
    }
    let mut classes = of(conditions, What::UserClass);
    if let Some(class) = classes.next() {
        members.insert("user_class".to_owned(), class.into());
    }
    match classes.next() {
        None => Ok(members),
        Some(second) => Err(Failure::usage(
            format!("a profile has one user class, and {second:?} is a second one"),
            "make another profile for it",
        )),
    }
}

fn of(conditions: &[Condition], what: What) -> impl Iterator<Item = &str> {
    let those = conditions.iter().filter(move |condition| condition.what == what);
    those.map(|condition| condition.value.as_str())
}

/// A name that says whom the profile is for: `uefi-x64-ipxe`.
pub(super) fn name_for(conditions: &[Condition]) -> String {
    let parts: Vec<String> = conditions
        .iter()
        .map(|condition| condition.value.to_lowercase().replace(['[', ']'], ""))
        .collect();
    match parts.as_slice() {
        [] => "everybody".to_owned(),
        some => some.join("-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conditions(all: &[&str]) -> Vec<Condition> {
        all.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn conditions_become_keys_of_the_profile() {
        let all = conditions(&[
            "arch=uefi-x64",
            "arch=uefi-arm64",
            "user-class=iPXE",
            "mac=02:00:00:00:00:01",
            "subnet=racks",
        ]);
        let expected = json!({
            "arch": ["uefi-x64", "uefi-arm64"],
            "user_class": "iPXE",
            "macs": ["02:00:00:00:00:01"],
            "subnets": ["racks"],
        });
        assert_eq!(Value::Object(members(&all).unwrap()), expected);
    }

    #[test]
    fn a_name_says_whom_it_is_for() {
        assert_eq!(
            name_for(&conditions(&["arch=uefi-x64", "user-class=iPXE"])),
            "uefi-x64-ipxe"
        );
        assert_eq!(name_for(&[]), "everybody");
    }

    #[test]
    fn what_is_no_condition_is_told_with_examples() {
        for bad in ["arch", "arch=", "colour=red", "=x"] {
            let told = bad.parse::<Condition>().unwrap_err();
            assert!(told.contains("arch=uefi-x64"), "{told}");
        }
        assert!(members(&conditions(&["user-class=a", "user-class=b"])).is_err());
    }
}
