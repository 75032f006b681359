//! Columns whose types the compiler knows, on a real server.

use crate::rig::{Rig, is_here, soon};
use purlin_ovsdb::client::{Spec, TableSpec};
use purlin_ovsdb::nb::{self, Acl, LogicalSwitch, LogicalSwitchPort, NbGlobal};
use purlin_ovsdb::typed::TypedRow;
use purlin_ovsdb::{DatabaseSchema, Insert, Transaction, sb, schemas};

#[test]
fn every_column_of_the_schemas_has_its_type() {
    let check = |text: &str, table: &str, wanted: &[purlin_ovsdb::schema::Wanted]| {
        let schema = DatabaseSchema::parse(&serde_json::from_str(text).unwrap()).unwrap();
        let (columns, missing) = schema.negotiate(table, wanted);
        assert_eq!(
            (columns.len(), missing.len()),
            (schema.tables[table].columns.len(), 0),
            "{table}: {missing:?}"
        );
    };
    let (nb, sb) = (schemas::NB, schemas::SB);
    check(nb, "Logical_Switch_Port", &LogicalSwitchPort::columns());
    check(nb, "ACL", &Acl::columns());
    check(nb, "NB_Global", &NbGlobal::columns());
    check(nb, "Meter", &nb::Meter::columns());
    check(nb, "QoS", &nb::QoS::columns());
    check(sb, "Port_Binding", &sb::PortBinding::columns());
    check(sb, "RBAC_Permission", &sb::RbacPermission::columns());
    assert_eq!((nb::DATABASE, sb::DATABASE), ("OVN_Northbound", "OVN_Southbound"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_rows_come_back_as_they_were_written() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let client = rig.client();
    let spec = Spec::new()
        .table(LogicalSwitch::TABLE, TableSpec::of::<LogicalSwitch>())
        .table(LogicalSwitchPort::TABLE, TableSpec::of::<LogicalSwitchPort>())
        .table(Acl::TABLE, TableSpec::of::<Acl>());
    let replica = client.replicate(spec);
    soon("a load", replica.live()).await;
    let mut change = Transaction::new();
    let port = change.insert(
        Insert::new(LogicalSwitchPort::TABLE)
            .set(LogicalSwitchPort::NAME, "web-1")
            .set(LogicalSwitchPort::TYPE, "")
            .set(LogicalSwitchPort::TAG_REQUEST, Some(7))
            .set(LogicalSwitchPort::ADDRESSES, ["dynamic", "00:00:00:00:00:01"])
            .set(LogicalSwitchPort::EXTERNAL_IDS, [("owner", "purlin")]),
    );
    let acl = change.insert(
        Insert::new(Acl::TABLE)
            .set(Acl::DIRECTION, "to-lport")
            .set(Acl::ACTION, "drop")
            .set(Acl::MATCH, "ip4")
            .set(Acl::PRIORITY, 1000),
    );
    change.insert(
        Insert::new(LogicalSwitch::TABLE)
            .set(LogicalSwitch::NAME, "web")
            .set(LogicalSwitch::PORTS, [port])
            .set(LogicalSwitch::ACLS, [acl]),
    );
    let committed = soon("a commit", client.commit(change)).await.unwrap();
    assert!(replica.has_seen(&committed).await);
    let snapshot = replica.snapshot();
    let switch = snapshot.database.all::<LogicalSwitch>().next().unwrap();
    assert_eq!(switch.name(), "web");
    let port = switch.ports().iter().next().unwrap();
    let port: LogicalSwitchPort = snapshot.database.one(port).unwrap();
    assert_eq!(
        (port.name(), port.tag_request(), port.tag(), port.up()),
        ("web-1", Some(7), None, None)
    );
    assert_eq!(
        port.addresses().iter().collect::<Vec<_>>(),
        ["00:00:00:00:00:01", "dynamic"]
    );
    assert_eq!(port.external_ids().get("owner"), Some("purlin"));
    let acl = snapshot.database.all::<Acl>().next().unwrap();
    assert_eq!((acl.r#match(), acl.priority(), acl.log()), ("ip4", 1000, false));
    let mut change = Transaction::new();
    change.mutate(
        LogicalSwitchPort::TABLE,
        port.uuid(),
        [
            LogicalSwitchPort::ADDRESSES.delete(["dynamic"]),
            LogicalSwitchPort::EXTERNAL_IDS.delete_keys(["owner"]),
        ],
    );
    let committed = soon("a commit", client.commit(change.repeatable()))
        .await
        .unwrap();
    assert!(replica.has_seen(&committed).await);
    let snapshot = replica.snapshot();
    let now: LogicalSwitchPort = snapshot.database.one(port.uuid()).unwrap();
    assert_eq!((now.addresses().len(), now.external_ids().len()), (1, 0));
    assert_eq!(
        (port.addresses().len(), port.external_ids().len()),
        (2, 1),
        "the state of before stays"
    );
}
