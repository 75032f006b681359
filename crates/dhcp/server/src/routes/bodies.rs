//! What may be sent: the bodies of writes, made from the schema of the configuration itself.

use purlin_api::route::Routes;
use purlin_api::schema::{self, Schema};
use purlin_dhcp_core::reader;
use serde_json::{Value, json};

/// Where the schema of each noun lies among the keys of `[dhcp]`.
pub(super) const SUBNET: &str = "/subnets/items";
pub(super) const POOL: &str = "/subnets/items/properties/pools/items/anyOf/1";
pub(super) const RESERVATION: &str = "/reservations/items";
pub(super) const CLASS: &str = "/classes/items";

/// Adds `NewSubnet`, `SubnetPatch` and the same for the other nouns.
pub(super) fn components(routes: Routes) -> Routes {
    let ignored = |words: &str| schema::anything(&format!("{words} Ignored in writes."));
    let owner = |words: &str| schema::nullable(schema::string(words));
    let subnet = with(
        of_config(SUBNET),
        &[
            (
                "shared_network",
                owner("Shared network it belongs to; null for none."),
            ),
            ("utilization", ignored("How full it is.")),
        ],
    );
    let pool = with(
        of_config(POOL),
        &[
            ("subnet", schema::string("Subnet it belongs to.")),
            ("id", ignored("Its id.")),
            ("size", ignored("Addresses in it.")),
            ("utilization", ignored("How full it is.")),
        ],
    );
    let reservation = with(
        of_config(RESERVATION),
        &[
            (
                "subnet",
                owner("Subnet it is written in; null for one that holds everywhere."),
            ),
            ("id", ignored("Its id.")),
        ],
    );
    let class = of_config(CLASS);
    routes
        .component("SubnetPatch", patch(&subnet))
        .component("PoolPatch", patch(&pool))
        .component("ReservationPatch", patch(&reservation))
        .component("ClassPatch", patch(&class))
        .component("NewSubnet", subnet)
        .component("NewPool", with_required(pool.clone(), "subnet"))
        .component("WholePool", pool)
        .component("NewReservation", for_somebody(reservation))
        .component("NewClass", class)
}

/// The schema of what lies at `pointer` among the keys of `[dhcp]`.
pub(super) fn of_config(pointer: &str) -> Schema {
    purlin_config::json_schema(&[reader::section()])
        .pointer("/properties/dhcp/properties")
        .and_then(|keys| keys.pointer(pointer))
        .cloned()
        .expect("the pointers name keys of the section")
}

fn with(mut schema: Schema, members: &[(&str, Schema)]) -> Schema {
    for (name, member) in members {
        schema["properties"][*name] = member.clone();
    }
    schema
}

fn with_required(mut schema: Schema, member: &str) -> Schema {
    if let Some(required) = schema["required"].as_array_mut() {
        required.push(member.into());
    }
    schema
}

/// A reservation needs one of its identifiers.
fn for_somebody(mut schema: Schema) -> Schema {
    let needs = super::objects::IDENTIFIERS.map(|key| json!({ "required": [key] }));
    schema["anyOf"] = json!(needs);
    schema
}

/// The merge patch (RFC 7396) of an object: every member may be left out, or be null to take it away.
fn patch(schema: &Schema) -> Schema {
    let mut patch = schema.clone();
    if patch["type"] != "object" {
        return patch;
    }
    let Some(object) = patch.as_object_mut() else {
        return patch;
    };
    object.remove("required");
    if let Some(members) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for member in members.values_mut() {
            *member = schema::nullable(self::patch(member));
        }
    }
    if let Some(other) = object
        .get_mut("additionalProperties")
        .filter(|other| other.is_object())
    {
        *other = schema::nullable(self::patch(other));
    }
    patch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_subnet_may_be_sent_and_no_other() {
        let subnet = of_config("/subnets/items");
        assert_eq!(subnet["required"], json!(["network"]));
        assert_eq!(subnet["additionalProperties"], false);
        assert!(subnet["properties"]["lease_time"].is_object());
        let pool = of_config("/subnets/items/properties/pools/items/anyOf/1");
        assert_eq!(pool["required"], json!(["range"]));
    }

    #[test]
    fn a_patch_may_take_everything_away() {
        let patch = patch(&of_config("/classes/items"));
        assert!(patch.get("required").is_none());
        assert_eq!(patch["properties"]["mtu"]["type"], json!(["integer", "null"]));
        let option = &patch["properties"]["options"];
        assert_eq!(option["type"], json!(["object", "null"]));
    }
}
