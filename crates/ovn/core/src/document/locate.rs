//! Where in a document a finding is: `switches web: ports[2].addresses` is the third port of the switch called `web`.

use super::read::named;
use super::spec::{Spec, TOP};
use serde_json::Value;

/// One step from the top of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
}

/// The steps to the place of a finding, as far as they can be followed.
pub fn locate(json: &Value, place: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut at, mut specs, mut rest): (&Value, Vec<&'static Spec>, &str) =
        (json, TOP.iter().collect(), place);
    while let Some((key, index, behind)) = item(at, &specs, rest) {
        at = &at[key.key][index];
        steps.extend([Step::Key(key.key.to_owned()), Step::Index(index)]);
        specs = key.children.to_vec();
        rest = behind;
    }
    let rest = rest.split([':', ' ']).next().unwrap_or_default();
    for part in rest.split('.').filter(|part| !part.is_empty()) {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse().ok()),
            None => (part, None),
        };
        steps.push(Step::Key(name.to_owned()));
        steps.extend(index.map(Step::Index));
    }
    steps
}

/// The item that the place names next: its kind, its place in the list, and the rest behind `: `.
fn item<'p>(at: &Value, specs: &[&'static Spec], place: &'p str) -> Option<(&'static Spec, usize, &'p str)> {
    specs.iter().find_map(|spec| {
        let called = place.strip_prefix(spec.key)?.strip_prefix(' ')?;
        let items = at.get(spec.key)?.as_array()?;
        items.iter().enumerate().find_map(|(index, item)| {
            let rest = called.strip_prefix(&*named(spec, item.as_object()?))?;
            match rest.is_empty() {
                true => Some((*spec, index, rest)),
                false => Some((*spec, index, rest.strip_prefix(": ")?)),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_found_by_name_and_by_number() {
        let document = json!({"switches": [{"name": "a"}, {"name": "web", "ports": [{"name": "p"}, {"name": "q"}],
            "acls": [{"priority": 1, "direction": "to-lport", "match": "ip4: x"}]}]});
        let told = |place: &str| -> String {
            let steps = locate(&document, place).into_iter().map(|step| match step {
                Step::Key(key) => format!("/{key}"),
                Step::Index(index) => format!("/{index}"),
            });
            steps.collect()
        };
        for (place, path) in [
            ("switches[1].nmae", "/switches/1/nmae"),
            ("switches web", "/switches/1"),
            (
                "switches web: ports[1].addresses",
                "/switches/1/ports/1/addresses",
            ),
            (
                "switches web: ports q: dhcpv4_options",
                "/switches/1/ports/1/dhcpv4_options",
            ),
            ("switches web: acls to-lport 1 ip4: x", "/switches/1/acls/0"),
            ("swiches", "/swiches"),
            ("", ""),
        ] {
            assert_eq!(told(place), path, "{place}");
        }
    }
}
