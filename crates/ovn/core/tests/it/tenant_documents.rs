//! A tenant's part of the network as a document.

use crate::base::{database, id, state, text};
use crate::tenants::{acme, town};
use purlin_ovn_core::document::{Apply, Document, Options, apply, drift, export};
use purlin_ovn_core::model::{Kind, State, nb_schema};
use purlin_ovn_core::plan::{Plan, Reach, Refusal, Writer};
use purlin_ovn_core::tenant::{Confine, view};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::cache::Database;
use serde_json::{Value, json};

const PRUNE: Options = Options {
    prune: true,
    adopt: false,
};

fn put<'a>(state: &State<'a>, document: &Value, options: Options) -> Result<Plan<'a>, Refusal> {
    let document = Document::read(document, state).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut next = 100u8;
    let mut uuids = || {
        next += 1;
        Uuid::from_bytes([next; 16])
    };
    let writer = &Writer {
        owner: "shop".to_owned(),
        reach: Reach::Own,
    };
    let (actor, id) = ("alice", "req-1");
    apply(
        state,
        &document,
        Apply {
            actor,
            id,
            writer,
            options,
            uuids: &mut uuids,
        },
    )
}

fn external() -> Confine {
    Confine {
        external: true,
        ..acme()
    }
}

/// What a tenant's document would change.
fn changed(whole: &Database, confine: &Confine, document: &Value, options: Options) -> Vec<(Kind, String)> {
    let part = view(nb_schema(), whole, confine);
    let state = State::new(nb_schema(), &part).confined(confine);
    let plan = put(&state, document, options).unwrap_or_else(|refusal| panic!("{refusal}"));
    let rows = plan.diff.rows.into_iter();
    rows.map(|row| (row.kind, row.label)).collect()
}

fn both() -> Value {
    json!({
        "switches": [{"name": "web", "ports": [{"name": "vm1"}, {"name": "acme-vm2"}]}],
        "routers": [{"name": "r0", "ports": [{"name": "r0-web", "mac": "02:00:00:00:00:01", "networks": ["10.0.0.1/24"]}]}],
    })
}

#[test]
fn names_are_found_with_the_prefix_and_without() {
    assert_eq!(changed(&town(), &acme(), &both(), PRUNE), [], "it is so already");
    let group = json!({"port_groups": [{"name": "all", "ports": ["vm1", "acme-vm2"]}]});
    assert_eq!(
        changed(&town(), &acme(), &group, Options::default()),
        [(Kind::Added, "acme_all".to_owned())]
    );
}

#[test]
fn pruning_stays_within_the_tenant() {
    // Rows of the same owner are everywhere: bolt's, and one that is shared.
    let labels = changed(&town(), &external(), &json!({}), PRUNE);
    let labels: Vec<&str> = labels.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(
        labels,
        ["acme-r0", "acme-r0-web", "acme-web", "acme-vm1", "acme-vm2"]
    );
    let whole = town();
    let outside = put(&state(&whole), &json!({}), PRUNE).unwrap();
    let rows: Vec<&str> = outside.diff.rows.iter().map(|row| row.label.as_str()).collect();
    assert_eq!(
        rows,
        ["outside", "uplink"],
        "and the installation's own document outside of all"
    );
}

#[test]
fn a_tenants_port_in_a_switch_of_the_installation_is_no_port_too_much() {
    let owner = json!({"purlin-owner": "shop"});
    let lent = json!({"purlin-owner": "shop", "purlin-tenant": "t-acme"});
    let whole = database(&[
        (
            "Logical_Switch",
            3,
            json!({"name": "outside", "ports": [text(15), text(16)], "external_ids": owner}),
        ),
        (
            "Logical_Switch_Port",
            15,
            json!({"name": "old", "external_ids": owner}),
        ),
        (
            "Logical_Switch_Port",
            16,
            json!({"name": "acme-vm1", "external_ids": lent}),
        ),
    ]);
    let plan = put(
        &state(&whole),
        &json!({"switches": [{"name": "outside", "ports": []}]}),
        PRUNE,
    )
    .unwrap();
    let gone = plan.diff.rows.iter().filter(|row| row.kind == Kind::Removed);
    let gone: Vec<&str> = gone.map(|row| row.label.as_str()).collect();
    assert_eq!(gone, ["old"]);
}

#[test]
fn what_is_shared_is_named_and_not_written() {
    let whole = town();
    let part = view(nb_schema(), &whole, &external());
    let confine = external();
    let mut bare = external();
    bare.prefix.clear();
    let state = State::new(nb_schema(), &part).confined(&bare);
    let outside = json!({"switches": [{"name": "outside", "ports": []}]});
    let adopt = Options {
        prune: true,
        adopt: true,
    };
    let refusal = put(&state, &outside, adopt).map(|_| ()).unwrap_err();
    assert!(
        refusal.to_string().contains("shared with this tenant"),
        "{refusal}"
    );
    // With a prefix it is another name.
    let came = changed(&whole, &confine, &outside, Options::default());
    assert_eq!(came, [(Kind::Added, "acme-outside".to_owned())]);
}

#[test]
fn nobody_elses_rows_are_there_to_be_named() {
    for name in ["bolt-vm1", &id(14).to_string(), "uplink", &id(15).to_string()] {
        let group = json!({"port_groups": [{"name": "all", "ports": [name]}]});
        for confine in [acme(), external()] {
            let part = view(nb_schema(), &town(), &confine);
            let state = State::new(nb_schema(), &part).confined(&confine);
            let refusal = put(&state, &group, Options::default()).map(|_| ()).unwrap_err();
            let words = refusal.to_string();
            assert!(
                words.contains(&format!("there is no Logical_Switch_Port `{name}`")),
                "{words}"
            );
            assert!(!words.contains("did you mean `bolt"), "{words}");
        }
    }
}

#[test]
fn an_export_is_of_the_part_and_changes_nothing() {
    let (whole, confine) = (town(), external());
    let part = view(nb_schema(), &whole, &confine);
    let seen = State::new(nb_schema(), &part).confined(&confine);
    let document = export(&seen, "shop");
    let words = document.to_string();
    for other in ["bolt", "outside", "t-acme", "uplink"] {
        assert!(!words.contains(other), "{other}: {document:#}");
    }
    assert_eq!(changed(&whole, &confine, &document, PRUNE), []);
    let read = Document::read(&both(), &seen).unwrap();
    assert!(drift(&seen, &read, "shop").unwrap().is_none());
    let all = export(&state(&whole), "shop").to_string();
    assert!(
        all.contains("outside") && !all.contains("bolt") && !all.contains("acme"),
        "{all}"
    );
}
