use super::*;
use crate::operation::{Insert, Transaction};
use crate::row::Row as Columns;

const SWITCH: Uuid = Uuid::from_bytes([1; 16]);
const OTHER: Uuid = Uuid::from_bytes([2; 16]);

fn port(n: u8, switch: Uuid) -> Transaction {
    let mut change = Transaction::new();
    let uuid = Uuid::from_bytes([100 + n; 16]);
    change.insert(Insert::new("port").uuid(uuid));
    change.mutate("switch", switch, [Mutation::insert("ports", uuid)]);
    change
}

fn gathered(all: &[Transaction]) -> Gathered<'_> {
    Gathered::new(all.iter().flat_map(Transaction::operations))
}

#[test]
fn elements_for_one_row_come_in_one_operation() {
    let all = [port(1, SWITCH), port(2, SWITCH), port(3, OTHER), port(4, SWITCH)];
    let gathered = gathered(&all);
    assert_eq!(gathered.operations.len(), 6);
    let Operation::Mutate { mutations, .. } = &*gathered.operations[5] else {
        panic!("the last change of the switch, after all rows that it names")
    };
    assert_eq!((mutations.len(), mutations[0].value.len()), (1, 3));
    let done: Vec<Done> = (0..6)
        .map(|n| Done {
            count: Some(n),
            ..Done::default()
        })
        .collect();
    let answers: Vec<_> = gathered
        .answers(&done)
        .iter()
        .filter_map(|done| done.count)
        .collect();
    assert_eq!(answers, [0, 5, 1, 5, 2, 3, 4, 5]);
}

#[test]
fn where_order_may_matter_nothing_is_moved() {
    let and = |change: &dyn Fn(&mut Transaction)| {
        let mut other = Transaction::new();
        change(&mut other);
        gathered(&[port(1, SWITCH), other, port(2, SWITCH)])
            .operations
            .len()
    };
    assert_eq!(and(&|t| t.comment("words")), 4, "5 asked for, 2 of them are one");
    assert_eq!(and(&|t| t.delete("switch", OTHER)), 4, "another row");
    assert_eq!(and(&|t| t.delete("switch", SWITCH)), 5);
    assert_eq!(
        and(&|t| t.update("switch", SWITCH, Columns::new().with("n", 1))),
        5
    );
    assert_eq!(
        and(&|t| t.mutate("switch", SWITCH, [Mutation::delete("ports", OTHER)])),
        5
    );
    let named = vec![Condition::equal("name", "x")];
    let delete = Operation::Delete {
        table: "switch".into(),
        conditions: named.clone(),
    };
    assert_eq!(and(&|t| t.push(delete.clone())), 5, "it may be this row");
    assert_eq!(
        and(&|t| t.wait(crate::operation::Wait::none("switch", named.clone()))),
        5
    );
}

#[test]
fn pairs_of_a_map_stay_apart() {
    let with = |value: &str| {
        let mut change = Transaction::new();
        change.mutate(
            "switch",
            SWITCH,
            [Mutation::insert("ids", Datum::map([("k", value)]))],
        );
        change
    };
    assert_eq!(gathered(&[with("a"), with("b")]).operations.len(), 2);
}
