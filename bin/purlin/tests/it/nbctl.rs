//! `purlin nbctl`, and a link named `ovn-nbctl`, through the node of the directory.

use crate::harness::{Ended, Node, OVN, run};
use std::process::Command;

#[test]
fn lines_go_through_the_node_and_the_api_sees_what_they_wrote() {
    let node = Node::start(OVN);
    let made = node.run(&["nbctl", "ls-add", "web", "--", "lsp-add", "web", "web-1"]);
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    let listed = node.run(&["nbctl", "lsp-list", "web"]);
    assert!(listed.out.ends_with(" (web-1)\n"), "{}", listed.out);
    assert_eq!(node.run(&["ovn", "ls", "lsp", "-o", "name"]).out, "web-1\n");
    assert_eq!(node.run(&["ovn", "create", "switch", "name=db"]).code, 0);
    let bare = [
        "nbctl",
        "--bare",
        "--columns=name",
        "find",
        "Logical_Switch",
        "name=db",
    ];
    assert_eq!(node.run(&bare).out, "db\n");
    let refused = node.run(&["nbctl", "ls-del", "nope"]);
    assert_eq!(
        (refused.code, refused.err.as_str()),
        (1, "purlin nbctl: nope: switch name not found\n")
    );
}

#[test]
fn a_link_of_that_name_is_that_tool() {
    let node = Node::start(OVN);
    let link = node.path("ovn-nbctl");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_purlin"), &link).expect("the directory is ours");
    let call = |arguments: &[&str]| -> Ended {
        let mut command = Command::new(&link);
        command.current_dir(node.dir.path()).env_clear().args(arguments);
        command.output().expect("the link leads to the binary").into()
    };
    assert_eq!(call(&["lr-add", "edge"]).code, 0);
    assert!(call(&["show"]).out.contains(" (edge)\n"));
    let again = call(&["lr-add", "edge"]);
    assert_eq!(
        (again.code, again.err.as_str()),
        (1, "ovn-nbctl: edge: a router with this name already exists\n")
    );
    assert!(call(&["--version"]).out.starts_with("ovn-nbctl 23.03.1 (Purlin "));
}

#[test]
fn a_named_database_is_never_swapped_for_the_nodes() {
    let node = Node::start(OVN);
    let elsewhere = node.run(&["nbctl", "--db=unix:nowhere.sock", "ls-add", "web"]);
    assert_eq!(elsewhere.code, 1);
    assert!(
        elsewhere
            .err
            .contains("unix:nowhere.sock: database connection failed"),
        "{}",
        elsewhere.err
    );
    assert_eq!(node.run(&["nbctl", "ls-list"]).out, "");
}

#[test]
fn without_a_node_the_usual_place_is_tried_and_the_commands_can_be_listed() {
    let lost = run(&["nbctl", "ls-list"]);
    assert_eq!(lost.code, 1);
    assert!(lost.err.starts_with("purlin nbctl: unix:"), "{}", lost.err);
    assert_eq!(run(&["nbctl", "--commands"]).out.lines().count(), 116);
    let help = run(&["nbctl", "--help"]);
    assert_eq!(help.code, 0);
    assert!(
        help.out.contains("usage: purlin nbctl [OPTION]... COMMAND"),
        "{}",
        help.out
    );
}

#[test]
fn the_socket_is_for_the_nodes_own_user() {
    use std::os::unix::fs::PermissionsExt as _;
    let node = Node::start(OVN);
    let socket = node.path("purlin-data").join("ovn-nbctl.ctl");
    let mode = std::fs::metadata(&socket)
        .expect("the node made it")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
