//! What was answered is there after the end of the process, and other programs can read it.

use crate::world::{NB, World, random, schema};
use purlin_ovn_embedded::{LogError, Server};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;

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

/// A file system of one megabyte, when this process may mount one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(folder: &'a Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder)
            .output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: no right to mount a small disk");
        None
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // It may be in use by what ends after this.
        let _ = Command::new("umount").arg("--lazy").arg(self.0).output();
    }
}

/// A switch with a large column.
fn large(name: usize) -> String {
    let text = "x".repeat(100_000);
    format!(
        r#"{{"op":"insert","table":"Logical_Switch","row":{{"name":"s{name}","external_ids":["map",[["note","{text}"]]]}}}}"#
    )
}

#[test]
fn what_a_full_disk_does_not_take_is_refused_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_disk) = SmallDisk::mount(folder.path()) else {
        return;
    };
    let world = World::start(&folder, &[NB]);
    let log = folder.path().join("OVN_Northbound.db");
    let (mut kept, mut refused, mut length) = (0, 0, 0);
    for n in 0..20 {
        let results = world.transact(&large(n));
        let now = std::fs::metadata(&log).expect("the log").len();
        if results.get(1).is_none() {
            kept += 1;
        } else {
            refused += 1;
            assert_eq!(results[1]["error"], "I/O error", "{results}");
            let details = results[1]["details"].as_str().expect("words");
            assert!(details.contains("No space left"), "{details}");
            assert_eq!(now, length, "what was written of it is cut away");
        }
        length = now;
    }
    assert!(kept > 0 && refused > 0, "{kept} and {refused}");
    // Reading goes on, and so does what fits.
    let names = |world: &World| {
        let told = world.nbctl("--bare --columns=name list Logical_Switch");
        let mut names: Vec<String> = told.split_whitespace().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(names(&world).len(), kept);
    world.nbctl("ls-add small");
    let before = names(&world);
    assert_eq!(before.len(), kept + 1);
    drop(world);
    let world = World::start(&folder, &[NB]);
    assert_eq!(names(&world), before, "and no half of a record is in between");
}
