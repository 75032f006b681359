//! Backups as files of others.

use super::{BACKUPS, back_up, dump, everything};
use crate::world::World;
use serde_json::json;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

#[tokio::test(flavor = "multi_thread")]
async fn the_tools_of_ovn_take_a_backup_in_their_own_format() {
    let world = World::new().await;
    everything(&world);
    world
        .until("/api/v1/ovn/nb/Chassis_Template_Var", |rows| {
            rows["items"][0].is_object()
        })
        .await;
    let key = "correct horse battery";
    let made = back_up(
        &world,
        json!({ "name": "x", "encrypt": true, "encryption_key": key, "compress": true }),
    )
    .await;
    let id = made["id"].as_str().expect("an id");
    let file = world
        .octets(
            &format!("{BACKUPS}/{id}/export?format=ovsdb"),
            &[("x-decryption-key", key)],
        )
        .await;
    let path = world.folder().join("backup.db");
    std::fs::write(&path, &file).expect("written");
    let log = Command::new("ovsdb-tool")
        .arg("show-log")
        .arg(&path)
        .output()
        .expect("ovsdb-tool runs");
    assert!(log.status.success(), "{}", String::from_utf8_lossy(&log.stderr));
    let whole = dump(&world);
    world.nbctl("ls-del web -- lr-del r0 -- ls-add else");
    let restored = Command::new("ovsdb-client")
        .arg("restore")
        .arg(format!("unix:{}", world.folder().join("db.sock").display()))
        .arg("OVN_Northbound")
        .stdin(Stdio::from(std::fs::File::open(&path).expect("opened")))
        .output()
        .expect("ovsdb-client runs");
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
    // ovsdb-client gives rows new UUIDs.
    assert_eq!(nameless(&dump(&world)), nameless(&whole));
}

fn nameless(rows: &BTreeSet<String>) -> Vec<String> {
    let mut rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut parts = row.split("[\"uuid\",\"");
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| text + "[uuid" + &part[36..])
        })
        .collect();
    rows.sort();
    rows
}
