//! What was answered is there after the end of the process, and other programs can read it.

use crate::world::{NB, World, random, schema};
use purlin_ovn_embedded::{LogError, Server};
use std::fs::OpenOptions;
use std::io::Write;

#[test]
fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start(&folder, &[NB]);
    world.nbctl("ls-add web -- lsp-add web web-1");
    world.nbctl("ls-add lab -- ls-del web -- set Logical_Switch lab external_ids:owner=me");
    drop(world);
    let world = World::start(&folder, &[NB]);
    assert_eq!(
        world.nbctl("--bare --columns=name list Logical_Switch").trim(),
        "lab"
    );
    assert_eq!(
        world.nbctl("get Logical_Switch lab external_ids:owner").trim(),
        "me"
    );
    assert_eq!(
        world
            .nbctl("--bare --columns=name list Logical_Switch_Port")
            .trim(),
        ""
    );
}

#[test]
fn the_tools_of_open_vswitch_read_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start(&folder, &[NB]);
    world.nbctl("ls-add web");
    world.transact(
        r#"{"op":"comment","comment":"by hand"},{"op":"insert","table":"Address_Set","row":{"name":"lab"}}"#,
    );
    let log = world.folder().join("OVN_Northbound.db").display().to_string();
    assert_eq!(
        world.run("ovsdb-tool", &["db-name", &log]).trim(),
        "OVN_Northbound"
    );
    let shown = world.run("ovsdb-tool", &["-mm", "show-log", &log]);
    assert!(shown.contains("by hand") && shown.contains("name=web"), "{shown}");
    let rows = world.run(
        "ovsdb-tool",
        &[
            "query",
            &log,
            r#"["OVN_Northbound",{"op":"select","table":"Logical_Switch","where":[],"columns":["name"]}]"#,
        ],
    );
    assert!(rows.contains("web"), "{rows}");
}

#[test]
fn a_log_that_ovsdb_tool_made_is_taken_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(here("nb.ovsschema"), NB).expect("a file");
    let empty = World::at(&std::env::temp_dir().join(folder.path()), &[]);
    empty.run(
        "ovsdb-tool",
        &["create", &here("OVN_Northbound.db"), &here("nb.ovsschema")],
    );
    let insert = r#"["OVN_Northbound",{"op":"insert","table":"Logical_Switch","row":{"name":"theirs","other_config":["map",[["a","1"],["b","2"]]]}}]"#;
    empty.run("ovsdb-tool", &["transact", &here("OVN_Northbound.db"), insert]);
    let mutate = r#"["OVN_Northbound",{"op":"mutate","table":"Logical_Switch","where":[],"mutations":[["other_config","delete",["set",["a"]]]]}]"#;
    empty.run("ovsdb-tool", &["transact", &here("OVN_Northbound.db"), mutate]);
    drop(empty);
    let world = World::start(&folder, &[NB]);
    assert_eq!(
        world.nbctl("--bare --columns=name list Logical_Switch").trim(),
        "theirs"
    );
    assert_eq!(
        world.nbctl("get Logical_Switch theirs other_config").trim(),
        "{b=\"2\"}"
    );
}

#[test]
fn a_record_that_was_cut_off_is_cut_away_and_a_damaged_one_is_not_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start(&folder, &[NB]);
    world.nbctl("ls-add web");
    let log = folder.path().join("OVN_Northbound.db");
    let one = std::fs::metadata(&log).expect("it is there").len();
    world.nbctl("ls-add lab");
    drop(world);
    let whole = std::fs::read(&log).expect("it is there");

    for length in [one + 1, one + 30, whole.len() as u64 - 1] {
        let torn = OpenOptions::new().write(true).open(&log).expect("it is there");
        torn.set_len(length).expect("it is cut");
        let world = World::start(&folder, &[NB]);
        assert_eq!(
            world.nbctl("--bare --columns=name list Logical_Switch").trim(),
            "web"
        );
        drop(world);
        assert_eq!(std::fs::metadata(&log).expect("it is there").len(), one);
        std::fs::write(&log, &whole).expect("it is whole again");
    }

    let mut damaged = whole.clone();
    damaged[one as usize - 3] ^= 1;
    std::fs::File::create(&log)
        .and_then(|mut file| file.write_all(&damaged))
        .expect("a file");
    let error = Server::new(random())
        .open(&schema(NB), &log)
        .expect_err("it is damaged");
    assert!(matches!(error, LogError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("octet"), "{error}");
    assert_eq!(
        std::fs::read(&log).expect("it is there"),
        damaged,
        "nothing is touched"
    );
}
