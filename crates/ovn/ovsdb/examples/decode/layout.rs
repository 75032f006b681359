//! What a replica of the answer keeps.

use purlin_ovsdb::cache::{Index, Layout, TableLayout};
use purlin_ovsdb::nb::{LogicalSwitch, LogicalSwitchPort};
use purlin_ovsdb::schema::Wanted;
use purlin_ovsdb::typed::TypedRow;

/// All columns that the schema has, and three indexes.
pub(crate) fn of_ports() -> Layout {
    let table = |name: &str, columns: Vec<Wanted>, indexes: &[&str]| {
        let columns = columns
            .into_iter()
            .filter_map(|column| Some((column.name, column.kind?)));
        TableLayout::new(name, columns, indexes.iter().map(|column| Index::column(column)))
    };
    Layout::new([
        table(LogicalSwitch::TABLE, LogicalSwitch::columns(), &["name", "ports"]),
        table(LogicalSwitchPort::TABLE, LogicalSwitchPort::columns(), &["name"]),
    ])
}
