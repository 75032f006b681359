//! What people run against a northbound database, unchanged.

use crate::world::{NB, SB, World};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn ovn_nbctl_builds_and_shows_a_network() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start(&folder, &[NB]);
    world.nbctl("ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 02:00:00:00:00:01");
    world.nbctl("lr-add edge -- lrp-add edge edge-web 02:00:00:00:01:01 10.0.0.1/24");
    world.nbctl("acl-add web to-lport 1000 tcp drop");
    world.nbctl("lb-add front 192.0.2.1:80 10.0.0.2:80 tcp -- ls-lb-add web front");
    world.nbctl("pg-add servers web-1 -- set Logical_Switch web other_config:subnet=10.0.0.0/24");
    let shown = world.nbctl("show");
    for part in ["switch", "web-1", "02:00:00:00:00:01", "router", "10.0.0.1/24"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(world.nbctl("acl-list web").contains("to-lport  1000"));
    assert_eq!(
        world.nbctl("get Logical_Switch web other_config:subnet").trim(),
        "\"10.0.0.0/24\""
    );

    let twice = world.fail("ovn-nbctl", &["--timeout=10", "ls-add", "web"]);
    assert!(twice.contains("already exists"), "{twice}");
    world.nbctl("lsp-del web-1 -- ls-del web");
    assert!(!world.nbctl("show").contains("web-1"));
    assert_eq!(
        world.nbctl("--bare --columns=_uuid list ACL").trim(),
        "",
        "nobody points at it any more"
    );
}

/// Ends with the test.
struct Northd(Child);

impl Drop for Northd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn ovn_northd_turns_the_northbound_into_flows() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start(&folder, &[NB, SB]);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let northd = Command::new("ovn-northd")
        .arg(format!("--ovnnb-db={}", world.socket()))
        .arg(format!("--ovnsb-db={}", world.socket()))
        .arg(format!("--unixctl={}", at("northd.ctl")))
        .arg(format!("--log-file={}", at("northd.log")))
        .stderr(Stdio::null())
        .spawn()
        .expect("ovn-northd starts");
    let _northd = Northd(northd);
    world.nbctl("--wait=sb ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 02:00:00:00:00:01");
    let flows = world.run("ovn-sbctl", &["--timeout=10", "lflow-list", "web"]);
    assert!(
        flows.contains("ls_in_l2_lkup") && flows.contains("02:00:00:00:00:01"),
        "{flows}"
    );
    world.nbctl("--wait=sb lsp-del web-1");
    let flows = world.run("ovn-sbctl", &["--timeout=10", "lflow-list", "web"]);
    assert!(!flows.contains("02:00:00:00:00:01"), "{flows}");
}

#[test]
fn a_monitor_of_ovsdb_client_sees_every_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start(&folder, &[NB]);
    let out = folder.path().join("seen");
    let file = std::fs::File::create(&out).expect("a file");
    let monitor = Command::new("ovsdb-client")
        .args([
            "monitor",
            "--format=csv",
            &world.socket(),
            "OVN_Northbound",
            "Address_Set",
            "name,addresses",
        ])
        .stdout(file)
        .stderr(Stdio::null())
        .spawn()
        .expect("ovsdb-client starts");
    let _monitor = Northd(monitor);
    let seen = |word: &str| {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            let seen = std::fs::read_to_string(&out).expect("it is there");
            if seen.contains(word) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("{word} was not seen");
    };
    world.nbctl("create Address_Set name=lab addresses=10.0.0.7");
    seen("10.0.0.7");
    world.nbctl("add Address_Set lab addresses 10.0.0.8");
    seen("10.0.0.8");
    world.nbctl("destroy Address_Set lab");
    seen("delete");
}
