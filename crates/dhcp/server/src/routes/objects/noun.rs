//! What tells the four kinds of object apart: where they lie, what they are called, which members are not theirs.

use super::place::{Spot, elements, list_of};
use super::{Object, shape};
use purlin_api::Problem;
use purlin_types::{Ipv4Range, Mac};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noun {
    Subnet,
    Pool,
    Reservation,
    Class,
}

/// What a reservation can be for, in the order in which one is chosen for its id.
pub(in crate::routes) const IDENTIFIERS: [&str; 6] =
    ["mac", "client_id", "circuit_id", "remote_id", "uuid", "flex_id"];

impl Noun {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Subnet => "subnet",
            Self::Pool => "pool",
            Self::Reservation => "reservation",
            Self::Class => "class",
        }
    }

    /// What an object must have to be one.
    pub(super) fn wants(self) -> &'static str {
        match self {
            Self::Subnet => "a subnet needs a network, like \"10.0.0.0/8\"",
            Self::Pool => "a pool needs a range, like \"10.1.0.0-10.1.255.255\"",
            Self::Reservation => {
                "a reservation needs one of mac, client_id, circuit_id, remote_id, uuid, flex_id, each as text"
            }
            Self::Class => "a class needs a name",
        }
    }

    /// The member that says which list an object belongs to.
    pub(super) fn owner_key(self) -> &'static str {
        match self {
            Self::Subnet => "shared_network",
            _ => "subnet",
        }
    }

    /// Every object of this kind.
    pub(super) fn spots(self, config: &Value) -> Vec<Spot> {
        match self {
            Self::Class => elements(config, "/dhcp/classes", None),
            Self::Subnet => {
                let mut all = elements(config, "/dhcp/subnets", None);
                for network in elements(config, "/dhcp/networks", None) {
                    let name = network
                        .object(config)
                        .and_then(|network| network.get("name")?.as_str());
                    all.extend(elements(config, &network.inner("subnets"), name));
                }
                all
            }
            Self::Pool => self.inside_subnets(config, "pools"),
            Self::Reservation => {
                let mut all = self.inside_subnets(config, "reservations");
                all.extend(elements(config, "/dhcp/reservations", None));
                all
            }
        }
    }

    fn inside_subnets(self, config: &Value, key: &str) -> Vec<Spot> {
        let mut all = Vec::new();
        for subnet in Self::Subnet.spots(config) {
            let name = subnet
                .object(config)
                .and_then(Value::as_object)
                .and_then(|object| Self::Subnet.id_of(object));
            all.extend(elements(config, &subnet.inner(key), name.as_deref()));
        }
        all
    }

    /// The object of that id. A reservation is also found by its bare identifier or its address.
    pub(super) fn find(self, config: &Value, id: &str) -> Option<Spot> {
        let spots = self.spots(config);
        let exact = spots.iter().find(|spot| self.exact(config, spot, id));
        exact
            .or_else(|| spots.iter().find(|spot| self.also(config, spot, id)))
            .cloned()
    }

    /// Whether the object at the spot has exactly that id.
    pub(super) fn exact(self, config: &Value, spot: &Spot, id: &str) -> bool {
        let object = spot.object(config).map(|value| self.expand(value));
        object.and_then(|object| self.id_of(&object)).as_deref() == Some(id)
    }

    fn also(self, config: &Value, spot: &Spot, id: &str) -> bool {
        let Some(value) = spot.object(config) else {
            return false;
        };
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        match self {
            Self::Class => false,
            Self::Subnet => text("network") == Some(id),
            Self::Pool => id
                .parse::<Ipv4Range>()
                .is_ok_and(|range| self.exact(config, spot, &range.to_string())),
            Self::Reservation => {
                let mac = id.parse::<Mac>().ok();
                let same_mac = mac.is_some() && mac == text("mac").and_then(|mac| mac.parse().ok());
                same_mac || text("address") == Some(id) || IDENTIFIERS.iter().any(|key| text(key) == Some(id))
            }
        }
    }

    /// The id that the object has by its own members.
    pub(super) fn id_of(self, object: &Object) -> Option<String> {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        match self {
            Self::Class => text("name").map(str::to_owned),
            Self::Subnet => text("name").or_else(|| text("network")).map(str::to_owned),
            Self::Pool => text("range").map(normal_range),
            Self::Reservation => IDENTIFIERS
                .iter()
                .find_map(|key| Some(format!("{key}:{}", normal(key, text(key)?)))),
        }
    }

    /// The list for an object of that owner, made when it is not there.
    pub(super) fn home<'a>(
        self,
        config: &'a mut Value,
        owner: Option<&str>,
    ) -> Result<&'a mut Vec<Value>, Problem> {
        let no_list = || shape("the configuration has something else than a list there");
        if config.get("dhcp").is_none_or(|dhcp| !dhcp.is_object()) {
            config["dhcp"] = json!({});
        }
        let (parent, key) = match (self, owner) {
            (Self::Class, _) => ("/dhcp".to_owned(), "classes"),
            (Self::Subnet, None) => ("/dhcp".to_owned(), "subnets"),
            (Self::Reservation, None) => ("/dhcp".to_owned(), "reservations"),
            (Self::Pool, None) => return Err(shape("a pool needs the name of its subnet")),
            (Self::Subnet, Some(name)) => (network(config, name)?, "subnets"),
            (Self::Pool, Some(name)) => (subnet(config, name)?, "pools"),
            (Self::Reservation, Some(name)) => (subnet(config, name)?, "reservations"),
        };
        list_of(config, &parent, key).ok_or_else(no_list)
    }

    /// Takes the owner's name out of the object.
    pub(super) fn take_owner(self, object: &mut Object) -> Result<Option<String>, Problem> {
        let owner = match self {
            Self::Class => None,
            _ => object.remove(self.owner_key()),
        };
        match owner {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(name)) => Ok(Some(name)),
            Some(other) => Err(shape(&format!(
                "{} is a name or null, not {other}",
                self.owner_key()
            ))),
        }
    }

    /// Takes away what a GET adds, so that what was read can be sent back.
    pub(super) fn strip(self, object: &mut Object) {
        let added: &[&str] = match self {
            Self::Subnet => &["utilization"],
            Self::Pool => &["id", "size", "utilization"],
            Self::Reservation => &["id"],
            Self::Class => &[],
        };
        for key in added {
            object.remove(*key);
        }
    }

    /// The object as a table: a pool may be written as its range alone.
    pub(super) fn expand(self, value: &Value) -> Object {
        match value {
            Value::Object(object) => object.clone(),
            Value::String(range) if self == Self::Pool => {
                Object::from_iter([("range".to_owned(), json!(range))])
            }
            _ => Object::new(),
        }
    }

    /// The object as the document shall have it.
    pub(super) fn compact(self, object: Object) -> Value {
        if self == Self::Pool && object.len() == 1 && object.contains_key("range") {
            return object["range"].clone();
        }
        Value::Object(object)
    }
}

fn subnet(config: &Value, name: &str) -> Result<String, Problem> {
    let spot = Noun::Subnet
        .find(config, name)
        .ok_or_else(|| Problem::no_such("subnet", name))?;
    Ok(format!("{}/{}", spot.list, spot.index))
}

fn network(config: &Value, name: &str) -> Result<String, Problem> {
    let networks = elements(config, "/dhcp/networks", None);
    let named = |spot: &&Spot| {
        spot.object(config)
            .and_then(|network| network.get("name"))
            .and_then(Value::as_str)
            == Some(name)
    };
    let spot = networks
        .iter()
        .find(named)
        .ok_or_else(|| Problem::no_such("shared network", name))?;
    Ok(format!("{}/{}", spot.list, spot.index))
}

fn normal(key: &str, text: &str) -> String {
    match text.parse::<Mac>() {
        Ok(mac) if key == "mac" => mac.to_string(),
        _ => text.to_owned(),
    }
}

/// The range in the one form of ids; what is no range stays as it is, for the check to complain about.
fn normal_range(text: &str) -> String {
    text.parse::<Ipv4Range>()
        .map_or_else(|_| text.to_owned(), |range| range.to_string())
}

/// Addresses of a pool by its id.
pub(super) fn pool_size(id: &str) -> u64 {
    id.parse::<Ipv4Range>().map_or(0, |range| range.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Value {
        json!({"dhcp": {
            "subnets": [
                {"name": "a", "network": "10.0.0.0/16", "pools": ["10.0.1.0 - 10.0.1.9", {"range": "10.0.2.0/24"}],
                 "reservations": [{"mac": "02-00-00-00-00-01", "address": "10.0.0.5"}]},
                {"network": "10.1.0.0/16"},
            ],
            "networks": [{"name": "campus", "subnets": [{"name": "c", "network": "10.2.0.0/16"}]}],
            "reservations": [{"circuit_id": "eth0/1", "hostname": "door"}],
        }})
    }

    fn ids(noun: Noun) -> Vec<String> {
        let config = config();
        let spots = noun.spots(&config);
        spots
            .iter()
            .filter_map(|spot| noun.id_of(&noun.expand(spot.object(&config)?)))
            .collect()
    }

    #[test]
    fn objects_are_found_wherever_they_lie() {
        assert_eq!(ids(Noun::Subnet), ["a", "10.1.0.0/16", "c"]);
        assert_eq!(ids(Noun::Pool), ["10.0.1.0-10.0.1.9", "10.0.2.0-10.0.2.255"]);
        assert_eq!(
            ids(Noun::Reservation),
            ["mac:02:00:00:00:00:01", "circuit_id:eth0/1"]
        );
    }

    #[test]
    fn a_reservation_is_found_by_mac_and_by_address() {
        let config = config();
        for id in [
            "mac:02:00:00:00:00:01",
            "02:00:00:00:00:01",
            "0200.0000.0001",
            "10.0.0.5",
        ] {
            let spot = Noun::Reservation
                .find(&config, id)
                .unwrap_or_else(|| panic!("{id}"));
            assert_eq!((spot.owner.as_deref(), spot.index), (Some("a"), 0));
        }
        assert_eq!(Noun::Reservation.find(&config, "10.0.0.6"), None);
    }

    #[test]
    fn lists_are_made_where_none_is() {
        let mut config = json!({});
        Noun::Subnet
            .home(&mut config, None)
            .unwrap()
            .push(json!({"network": "10.3.0.0/24"}));
        Noun::Pool
            .home(&mut config, Some("10.3.0.0/24"))
            .unwrap()
            .push(json!("10.3.0.9"));
        assert_eq!(config["dhcp"]["subnets"][0]["pools"], json!(["10.3.0.9"]));
        assert!(Noun::Pool.home(&mut config, Some("no")).is_err());
    }
}
