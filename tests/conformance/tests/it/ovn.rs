//! OVN: from the API to packets, over a real hypervisor with its datapath in user space.

mod dhcp;
mod network;

use purlin_conformance::{Node, Ovn, until};
use serde_json::{Value, json};

/// A node that serves this OVN; `dhcp` is its section.
fn config(ovn: &Ovn<'_>, dhcp: &str) -> String {
    format!("[node]\nid = \"lab\"\n\n{dhcp}\n\n{}", ovn.section())
}

/// Waits until the hypervisor is known: before, a change has nobody to be applied on.
fn hypervisor(node: &Node<'_>) {
    until("the hypervisor was known", || {
        let chassis = node.get("/api/v1/ovn/chassis");
        chassis["items"][0]["hostname"] == "hypervisor-1"
    });
}

/// Makes an object by its noun.
fn made(node: &Node<'_>, noun: &str, object: &Value) -> Value {
    node.done("POST", &format!("/api/v1/ovn/{noun}"), object)
}

/// The same, and waits until the hypervisor has it.
fn applied(node: &Node<'_>, method: &str, path: &str, body: &Value) -> Value {
    let joint = if path.contains('?') { '&' } else { '?' };
    let answer = node.done(method, &format!("{path}{joint}wait=hv&timeout=40"), body);
    let realised = &answer["realised"];
    assert_eq!(
        (
            &realised["done"],
            &realised["chassis_applied"],
            &realised["chassis"]
        ),
        (&json!(true), &json!(1), &json!(1)),
        "{answer:#}"
    );
    answer
}

/// A port with one address, applied.
fn port(node: &Node<'_>, switch: &str, name: &str, mac: &str, address: &str) {
    let both = format!("{mac} {address}");
    let port = json!({ "name": name, "switch": switch, "addresses": [both], "port_security": [both] });
    let _ = applied(node, "POST", "/api/v1/ovn/ports", &port);
}
