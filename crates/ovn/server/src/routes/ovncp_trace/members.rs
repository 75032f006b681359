//! Members of questions and answers.

use purlin_api::route::Routes;
use purlin_api::schema::{self, Schema};

fn ends() -> Vec<(&'static str, Schema)> {
    vec![
        (
            "source_port",
            schema::word("Switch port where the packet enters: a name or a UUID."),
        ),
        ("source_mac?", schema::string("Instead of the port's own.")),
        ("source_ip?", schema::string("Instead of the port's own.")),
        (
            "destination_mac?",
            schema::string("Instead of the one that the rows say."),
        ),
        ("destination_ip", schema::word("Where it is to go.")),
    ]
}

pub(super) fn flow() -> Vec<(&'static str, Schema)> {
    let port = |words: &str| schema::whole(0, 65_535, words);
    let mut members = ends();
    members.extend([
        (
            "protocol",
            schema::one_of(&["tcp", "udp", "icmp", "icmp6"], "What is sent."),
        ),
        ("source_port_num?", port("Port of the sender.")),
        ("destination_port_num?", port("Port of the receiver.")),
        (
            "verbose?",
            schema::boolean("Whether the words of ovn-trace are wanted too."),
        ),
        (
            "max_hops?",
            schema::count("Hops that are told at most; 0 for all."),
        ),
    ]);
    members
}

pub(super) fn paths() -> Vec<(&'static str, Schema)> {
    let mut members = ends();
    members.extend([
        (
            "protocols?",
            schema::array(schema::one_of(&["tcp", "udp", "icmp", "icmp6"], "A protocol.")),
        ),
        (
            "ports?",
            schema::array(schema::whole(0, 65_535, "A port of the receiver.")),
        ),
    ]);
    members
}

pub(in crate::routes) fn components(routes: Routes) -> Routes {
    let hop = schema::open_object(
        &["index", "type", "component", "action", "description"],
        &[
            ("type", schema::one_of(&["switch", "router", ""], "What it is.")),
            ("component", schema::string("Its name.")),
            (
                "action",
                schema::one_of(&["forward", "modify", "drop"], "What it does."),
            ),
        ],
    );
    let trace = schema::open_object(
        &["request", "success", "reaches_destination", "hops", "summary"],
        &[
            (
                "success",
                schema::boolean("Whether the packet was followed to its end."),
            ),
            (
                "reaches_destination",
                schema::boolean("Whether it comes to the destination."),
            ),
            ("hops", schema::array(hop)),
            (
                "dropped_at",
                schema::nullable(schema::anything("The hop that ends it.")),
            ),
            ("drop_reason", schema::nullable(schema::string("Why, in words."))),
            ("summary", schema::string("All of it in one sentence.")),
        ],
    );
    routes.component("OvncpTrace", trace)
}
