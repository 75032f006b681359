//! Who answers the DHCP of a tenant's switch: those who run the installation say so.

use crate::base::{committed, id, insert, update};
use crate::tenants::{acme, planned, refusal, town};
use purlin_ovn_core::model::Change;
use purlin_ovn_core::tenant::TENANT_KEY;
use purlin_ovsdb::Datum;
use serde_json::json;

#[test]
fn no_tenant_says_where_purlin_answers() {
    const ADDRESS: &str = "purlin-dhcp-address";
    let served = json!({"external_ids": {TENANT_KEY: "t-acme", ADDRESS: "10.0.0.2"}});
    let added = Change::Add {
        table: "Logical_Switch".into(),
        uuid: id(1),
        column: "external_ids".into(),
        values: Datum::map([(ADDRESS, "10.0.0.2")]),
    };
    let made = insert(
        "Logical_Switch",
        71,
        &json!({"name": "acme-x", "external_ids": {ADDRESS: "10.0.0.2"}}),
    );
    for change in [update("Logical_Switch", 1, &served), added, made] {
        let told = format!("{change:?}");
        let refusal = refusal(&acme(), change);
        assert_eq!(refusal.problems[0].code, "tenant-bounds", "{told}: {refusal}");
    }
    // Where it was said, the tenant may write the rest of the row as it has read it.
    let town = town();
    let by_us = crate::base::planned(&town, vec![update("Logical_Switch", 1, &served)]);
    let whole = committed(&by_us.expect("a good plan").after);
    planned(&whole, &acme(), vec![update("Logical_Switch", 1, &served)]).expect("nothing new");
}
