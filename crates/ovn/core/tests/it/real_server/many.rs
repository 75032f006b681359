//! Many ports of one request: one change of each set, on the real server as on the copy.

use super::{port, server};
use crate::base::{committed, delete, id, planned, shop};
use purlin_ovn_core::model::Change;
use purlin_ovsdb::{Datum, Operation, Transaction};

const NEW: std::ops::Range<u8> = 100..180;

/// How many elements each mutation brings or takes.
fn mutations(transaction: &Transaction) -> Vec<usize> {
    let operations = transaction.operations().iter();
    let mutations = operations.filter_map(|operation| match operation {
        Operation::Mutate { mutations, .. } => Some(mutations),
        _ => None,
    });
    mutations.flatten().map(|mutation| mutation.value.len()).collect()
}

#[test]
fn many_ports_come_and_go_at_once_and_those_of_others_stay() {
    let Some(mut server) = server() else { return };
    let database = shop();
    server.load(&database);
    let joins = |n: u8| Change::Add {
        table: "Port_Group".to_owned(),
        uuid: id(31),
        column: "ports".to_owned(),
        values: Datum::from(id(n)),
    };
    let come = NEW.flat_map(|n| [port(n, &format!("many-{n}")), joins(n)]);
    let plan = planned(&database, come.collect()).expect("good ports");
    assert_eq!(
        mutations(&plan.transaction),
        [NEW.len(), NEW.len()],
        "the switch, the group"
    );
    assert_eq!(server.commit(&plan.transaction), None);
    server.assert_is(&plan.after);

    let later = committed(&plan.after);
    let gone =
        planned(&later, NEW.map(|n| delete("Logical_Switch_Port", n)).collect()).expect("they are ours");
    // Somebody else puts a port into the same switch meanwhile.
    let other = planned(&later, vec![port(15, "vm3")]).expect("a good port");
    assert_eq!(server.commit(&other.transaction), None);
    assert_eq!(server.commit(&gone.transaction), None);
    let theirs = planned(&database, vec![port(15, "vm3")]).expect("a good port");
    server.assert_is(&theirs.after);
}
