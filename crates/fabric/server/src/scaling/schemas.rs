//! What the scaling routes answer with.

use purlin_api::route::Routes;
use purlin_api::schema::{self, Schema};

const DIRECTIONS: [&str; 3] = ["maintain", "scale_up", "scale_down"];

pub(super) fn components(routes: Routes) -> Routes {
    routes
        .component("ScalingMetrics", metrics())
        .component("ScalingDecision", decision())
        .component("ScalingAction", action())
        .component("ScalingSettings", settings())
}

fn metrics() -> Schema {
    schema::object(&[
        ("nodes", schema::count("Nodes that live.")),
        ("target_nodes", schema::count("Nodes that there should be.")),
        (
            "cpu_utilization",
            schema::count("Percent of the processors in use, the mean of the nodes."),
        ),
        (
            "memory_utilization",
            schema::count("Percent of the memory in use, the mean of the nodes."),
        ),
        (
            "request_rate",
            schema::count("Requests per second of all nodes: DHCP messages and boot file requests."),
        ),
        (
            "scaling_recommendation",
            schema::one_of(&DIRECTIONS, "What to do."),
        ),
    ])
}

fn load() -> Schema {
    let measure = |what| schema::nullable(schema::number(what));
    schema::object(&[
        ("node", schema::string("Name of the node.")),
        ("ready", schema::boolean("Whether it counts for the utilisation.")),
        ("slots", schema::count("Slots that it holds.")),
        ("cpu", measure("Percent of its processors.")),
        ("memory", measure("Percent of its memory.")),
        ("requests", measure("Requests per second.")),
        ("leases", schema::nullable(schema::count("Leases in its slots."))),
        (
            "sessions",
            schema::nullable(schema::count("Sessions that it holds.")),
        ),
        (
            "source",
            schema::one_of(
                &["own", "heartbeat", "record", "nothing"],
                "How the node that answers knows.",
            ),
        ),
        (
            "age_seconds",
            measure("How old that was when the decision was made."),
        ),
    ])
}

fn decision() -> Schema {
    schema::object(&[
        ("recommendation", schema::one_of(&DIRECTIONS, "What to do.")),
        ("reason", schema::string("Why, in one sentence.")),
        ("nodes", schema::count("Nodes that stay.")),
        ("target_nodes", schema::count("Nodes that there should be.")),
        (
            "desired_nodes",
            schema::count("What the load of this moment alone asks for."),
        ),
        ("acts", schema::boolean("Whether the driver is told.")),
        (
            "hold",
            schema::nullable(schema::string("Why no node could be removed now.")),
        ),
        (
            "shortage",
            schema::nullable(schema::string(
                "What is short and no further node would help against: a pool of addresses that is full, or will be soon.",
            )),
        ),
        (
            "cooldown_up_seconds",
            schema::count("Until a node may be added again."),
        ),
        (
            "cooldown_down_seconds",
            schema::count("Until a node may be removed again."),
        ),
        ("driver", schema::string("Who acts: recommend is nobody here.")),
        (
            "rehearsal",
            schema::boolean("Whether it is about a load that was asked about."),
        ),
        ("decided_by", schema::string("The node that decided.")),
        (
            "decided_at",
            schema::nullable(schema::formatted("date-time", "When it did.")),
        ),
        (
            "of_leader",
            schema::boolean("Whether it is the leader's word, and not only this node's opinion."),
        ),
        ("loads", schema::array(load())),
        ("moves?", schema::reference("Moves")),
    ])
}

fn action() -> Schema {
    schema::object(&[
        ("number", schema::count("Counts up; a driver is told it.")),
        ("at", schema::formatted("date-time", "When it was decided.")),
        ("leader", schema::string("The node that decided.")),
        ("direction", schema::one_of(&DIRECTIONS, "Which way.")),
        ("from", schema::count("Nodes before.")),
        ("to", schema::count("Nodes that there should be.")),
        ("reason", schema::string("Why.")),
        ("driver", schema::string("Who was told.")),
        (
            "state",
            schema::one_of(
                &["recommended", "running", "done", "failed", "lost"],
                "What came of it; lost: its leader went before it told.",
            ),
        ),
        ("output", schema::string("What the driver said.")),
        ("took_seconds", schema::number("How long the driver took.")),
    ])
}

fn settings() -> Schema {
    let seconds = schema::number;
    schema::object(&[
        (
            "enabled",
            schema::boolean("Whether anybody acts; recommendations are made in any case."),
        ),
        ("driver", schema::string("Who acts: recommend is nobody here.")),
        ("min_nodes", schema::count("Never fewer.")),
        ("max_nodes", schema::count("Never more.")),
        (
            "scale_up_threshold",
            schema::count("Percent above which nodes are added; at it, none is."),
        ),
        (
            "scale_down_threshold",
            schema::count("Percent below which one is removed; at it, none is."),
        ),
        (
            "target_utilization",
            schema::number("Percent that a change of the number aims at."),
        ),
        (
            "cooldown_seconds",
            seconds("Between two actions of one direction, and from adding to removing."),
        ),
        (
            "scale_up_after_seconds",
            seconds("How long a load lasts to count."),
        ),
        (
            "scale_down_after_seconds",
            seconds("How long no more nodes must have been needed."),
        ),
        (
            "requests_per_node",
            schema::nullable(schema::number("Requests per second that a node is meant for.")),
        ),
        ("method", schema::string("How shares are given to nodes.")),
        ("virtual_nodes", schema::count("Points per node on the ring.")),
        ("replication_factor", schema::count("Nodes named for each share.")),
        (
            "required_copies",
            schema::nullable(schema::count(
                "Nodes that a removal must leave, where the replication factor was set.",
            )),
        ),
    ])
}
