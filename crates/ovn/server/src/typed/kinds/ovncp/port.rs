//! Ports of switches.

use super::{CREATED, EXTERNAL_IDS, UPDATED, alias};
use crate::typed::{Fault, Field, Subject};
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::{Change, State};
use purlin_ovsdb::{Atom, Uuid};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

const TABLE: &str = "Logical_Switch_Port";

pub(super) const FIELDS: &[Field] = &[
    Field::same("name", "Name, nobody else's among ports.").needed(),
    Field::parent(
        "switch_id",
        "Logical_Switch",
        "ports",
        "UUID of its switch; a name is understood.",
    )
    .by_uuid()
    .needed(),
    Field::shown("parent_uuid", parent, text, "The same as switch_id.").told(),
    Field::shown(
        "parent_type",
        parent_type,
        text,
        "switch: ports of routers are router ports.",
    )
    .told(),
    Field::same(
        "type",
        "Empty for a machine (switch is understood); router, localnet, localport, l2gateway, vtep, external, virtual, remote.",
    ),
    Field::prepared("mac", mac, text, "The MAC of its first address."),
    Field::prepared("mac_address", mac, text, "The same as mac."),
    Field::prepared(
        "ip_addresses",
        ip_addresses,
        texts,
        "The IP addresses that go with mac.",
    ),
    Field::same(
        "addresses",
        "As OVN has them: `MAC`, `MAC IP...`, `dynamic`, `unknown`, `router`. An IP alone goes with mac.",
    ),
    Field::same(
        "port_security",
        "MACs and addresses that it may send from; empty for any.",
    ),
    Field::same("up", "Whether a hypervisor has it.").told(),
    Field::same("enabled", "Whether it takes part; null as true."),
    Field::rows(
        "dhcpv4_options",
        "dhcpv4_options",
        "UUID of its DHCP options; a name is understood.",
    )
    .by_uuid(),
    Field::rows(
        "dhcpv6_options",
        "dhcpv6_options",
        "UUID of its DHCPv6 options; a name is understood.",
    )
    .by_uuid(),
    Field::referrers(
        "security_groups",
        "Port_Group",
        "ports",
        "UUIDs of port groups that it is in; names are understood.",
    )
    .by_uuid(),
    Field::map("options", "Options, by key."),
    Field::same("parent_name", "The port within which it is, by tag."),
    Field::same(
        "tag",
        "VLAN of its frames in the parent or on the physical network.",
    ),
    Field::same("tag_request", "The tag that is wished; 0 for any."),
    EXTERNAL_IDS,
    CREATED,
    UPDATED,
];

fn text() -> Schema {
    schema::nullable(schema::string("A text."))
}

fn texts() -> Schema {
    schema::array(schema::string("An address."))
}

fn parent(state: &State<'_>, uuid: Uuid) -> Value {
    let switch = state
        .find("Logical_Switch", "ports", &Atom::Uuid(uuid))
        .into_iter()
        .next();
    json!(switch.map(|switch| switch.to_string()))
}

fn parent_type(_: &State<'_>, _: Uuid) -> Value {
    json!("switch")
}

/// MAC and IP addresses of the first element that has a MAC.
fn first(addresses: &[String]) -> Option<(&str, Vec<&str>)> {
    addresses.iter().find_map(|element| {
        let mut words = element.split_whitespace();
        let mac = words.next().filter(|word| is_mac(word))?;
        Some((mac, words.filter(|word| *word != "dynamic").collect()))
    })
}

fn is_mac(word: &str) -> bool {
    word.parse::<purlin_types::Mac>().is_ok()
}

fn addresses(state: &State<'_>, uuid: Uuid) -> Vec<String> {
    let texts = state.texts(TABLE, uuid, "addresses");
    texts.iter().map(ToString::to_string).collect()
}

fn mac(state: &State<'_>, uuid: Uuid) -> Value {
    json!(first(&addresses(state, uuid)).map(|(mac, _)| mac))
}

fn ip_addresses(state: &State<'_>, uuid: Uuid) -> Value {
    let own = addresses(state, uuid);
    json!(first(&own).map(|(_, ips)| ips).unwrap_or_default())
}

pub(super) fn prepare(
    subject: &Subject<'_, '_>,
    body: &mut Map<String, Value>,
) -> Result<Vec<Change>, Fault> {
    let (state, uuid) = (subject.state, subject.uuid);
    let own_mac = mac(state, uuid);
    let own_ips = ip_addresses(state, uuid);
    let present = json!({ "mac": own_mac, "mac_address": own_mac });
    alias::fold(body, &present, ("mac", "mac_address"))?;
    if body.get("type") == Some(&json!("switch")) {
        body.insert("type".to_owned(), json!(""));
    }
    if subject.new
        && let Some(parent) = body.remove("parent_uuid")
    {
        body.entry("switch_id").or_insert(parent);
    }
    let given = body.get("addresses").cloned();
    let mac = alias::news(body, "mac", &own_mac).filter(|mac| *mac != json!(""));
    let ips = alias::news(body, "ip_addresses", &own_ips);
    if mac.is_none() && ips.is_none() && !has_bare(given.as_ref()) {
        return Ok(Vec::new());
    }
    let mac = mac.unwrap_or(own_mac);
    let before = match &given {
        Some(given) => list("addresses", given)?,
        None => addresses(state, uuid),
    };
    let ips = match &ips {
        Some(ips) => Some(list("ip_addresses", ips)?),
        None => None,
    };
    body.insert("addresses".to_owned(), json!(combined(&mac, ips, before)?));
    Ok(Vec::new())
}

/// Whether an address stands alone, without the MAC that OVN must have with it.
fn has_bare(addresses: Option<&Value>) -> bool {
    let addresses = addresses.and_then(Value::as_array).into_iter().flatten();
    addresses.filter_map(Value::as_str).any(is_bare)
}

fn is_bare(element: &str) -> bool {
    let mut words = element.split_whitespace();
    words.next().is_some_and(|word| word.parse::<IpAddr>().is_ok())
}

fn list(member: &str, value: &Value) -> Result<Vec<String>, Fault> {
    let texts = value
        .as_array()
        .map(|items| items.iter().map(|item| item.as_str().map(str::to_owned)));
    let texts: Option<Vec<String>> = texts.and_then(Iterator::collect);
    texts.ok_or_else(|| {
        let message = format!("{value} stands where a list of texts is expected");
        Fault::new(member, value, message)
    })
}

/// The first element with this MAC and these addresses, the others as they are.
fn combined(mac: &Value, ips: Option<Vec<String>>, before: Vec<String>) -> Result<Vec<String>, Fault> {
    let Some(text) = mac.as_str() else {
        if mac.is_null()
            && ips.as_ref().is_none_or(Vec::is_empty)
            && !before.iter().any(|element| is_bare(element))
        {
            // Neither MAC nor addresses: what has none stays.
            return Ok(before
                .into_iter()
                .filter(|element| first(std::slice::from_ref(element)).is_none())
                .collect());
        }
        let message = "is needed with IP addresses: OVN has them as `MAC IP...`; or `dynamic` among the addresses lets OVN choose both";
        return Err(Fault::new("mac", mac, message));
    };
    if !is_mac(text) {
        let message = format!("{mac} stands where a MAC address is expected, as in 02:00:00:00:00:01");
        return Err(Fault::new("mac", mac, message));
    }
    let bare: Vec<String> = before
        .iter()
        .filter(|element| is_bare(element))
        .flat_map(|element| element.split_whitespace().map(str::to_owned))
        .collect();
    let own = first(&before).map(|(_, ips)| ips.iter().map(|ip| (*ip).to_owned()).collect::<Vec<_>>());
    let ips = match ips {
        Some(ips) => ips,
        None if bare.is_empty() => own.unwrap_or_default(),
        None => bare,
    };
    let mut whole = vec![text.to_owned()];
    whole.extend(ips);
    let mut replaced = false;
    let others = before.into_iter().filter(|element| {
        let is_first = !replaced && first(std::slice::from_ref(element)).is_some();
        replaced |= is_first;
        !is_first && !is_bare(element) && element != "dynamic"
    });
    Ok(std::iter::once(whole.join(" ")).chain(others).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(mac: &Value, ips: Option<&[&str]>, before: &[&str]) -> Result<Vec<String>, String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        combined(mac, ips.map(owned), owned(before)).map_err(|fault| fault.message)
    }

    #[test]
    fn mac_and_addresses_become_one_element() {
        let mac = json!("02:00:00:00:00:01");
        type Words<'w> = &'w [&'w str];
        let cases: [(Option<Words<'_>>, Words<'_>, Words<'_>); 6] = [
            (Some(&["10.0.0.5"]), &[], &["02:00:00:00:00:01 10.0.0.5"]),
            (
                None,
                &["10.0.0.5", "10.0.0.6"],
                &["02:00:00:00:00:01 10.0.0.5 10.0.0.6"],
            ),
            (
                None,
                &["02:00:00:00:00:09 10.0.0.9"],
                &["02:00:00:00:00:01 10.0.0.9"],
            ),
            (
                Some(&[]),
                &["02:00:00:00:00:09 10.0.0.9", "unknown"],
                &["02:00:00:00:00:01", "unknown"],
            ),
            (None, &["dynamic"], &["02:00:00:00:00:01"]),
            (
                Some(&["10.0.0.5"]),
                &["02:00:00:00:00:09", "02:00:00:00:00:08 10.0.0.8"],
                &["02:00:00:00:00:01 10.0.0.5", "02:00:00:00:00:08 10.0.0.8"],
            ),
        ];
        for (ips, before, after) in cases {
            assert_eq!(made(&mac, ips, before).expect("good"), after, "{before:?}");
        }
        assert!(
            made(&Value::Null, Some(&["10.0.0.5"]), &[])
                .expect_err("no MAC")
                .contains("dynamic")
        );
        assert!(
            made(&json!("nonsense"), None, &[])
                .expect_err("no MAC")
                .contains("02:00")
        );
        assert_eq!(
            made(&Value::Null, None, &["02:00:00:00:00:09 10.0.0.9", "unknown"]),
            Ok(vec!["unknown".to_owned()])
        );
    }
}
