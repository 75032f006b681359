//! What the copies of the databases keep beside the rows: indexes for what is asked for by value.

use purlin_ovn_core::model::{NAME_KEY, OWNER_KEY, nb_schema, references};
use purlin_ovn_core::tenant::{SHARED_KEY, TENANT_KEY};
use purlin_ovsdb::cache::Index;
use purlin_ovsdb::client::{Spec, TableSpec};

/// Everything of the northbound, with what `ovn/core` asks for by value.
pub(crate) fn northbound() -> Spec {
    let schema = nb_schema();
    let mut spec = Spec::everything();
    for (name, table) in &schema.tables {
        let pointing = references(schema).filter(|reference| reference.table == name);
        let mut columns: Vec<&str> = pointing.map(|reference| reference.column).collect();
        columns.extend(
            ["name", "logical_port", "parent_name", "cidr"]
                .into_iter()
                .filter(|column| table.column(column).is_some()),
        );
        let mut kept = TableSpec::all();
        for key in [NAME_KEY, OWNER_KEY, TENANT_KEY, SHARED_KEY] {
            kept = kept.index(Index::key("external_ids", key));
        }
        for column in columns {
            kept = kept.index(Index::column(column));
        }
        for key in ["router-port", "network_name"] {
            kept = kept.index(Index::key("options", key));
        }
        spec = spec.table(name, kept);
    }
    spec
}

/// Everything of the southbound, with what is asked for by value.
pub(crate) fn southbound() -> Spec {
    let kept: [(&str, &[&str]); 7] = [
        ("Chassis", &["name", "hostname"]),
        ("Chassis_Private", &["chassis"]),
        ("Port_Binding", &["logical_port", "datapath", "chassis"]),
        ("Logical_Flow", &["logical_datapath", "logical_dp_group"]),
        ("Logical_DP_Group", &["datapaths"]),
        ("MAC_Binding", &["logical_port", "datapath"]),
        ("FDB", &["dp_key"]),
    ];
    let mut spec = Spec::everything();
    for (name, columns) in kept {
        let kept = columns
            .iter()
            .fold(TableSpec::all(), |kept, column| kept.index(Index::column(column)));
        spec = spec.table(name, kept);
    }
    let datapaths = TableSpec::all().index(Index::column("tunnel_key"));
    let datapaths = ["name", "logical-switch", "logical-router"]
        .iter()
        .fold(datapaths, |kept, key| kept.index(Index::key("external_ids", key)));
    spec.table("Datapath_Binding", datapaths)
}
