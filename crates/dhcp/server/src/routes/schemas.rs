//! The shapes of what the DHCP routes answer.

use super::bodies;
use purlin_api::route::Routes;
use purlin_api::schema::{self, Schema};

pub(super) fn components(routes: Routes) -> Routes {
    routes
        .component("PoolForecast", super::forecast::component())
        .component("Pin", super::pins::component())
        .component("Lease", lease())
        .component("ReleasedLease", released())
        .component("ReleasedLeases", released_many())
        .component("Decision", schema::object(&decision()))
        .component("Subnet", subnet())
        .component("Utilization", utilization())
        .component("PoolUtilization", of_pool())
        .component("Pool", pool())
        .component("Reservation", reservation())
        .component("Class", class())
}

fn time(words: &str) -> Schema {
    schema::formatted("date-time", words)
}

fn maybe(words: &str) -> Schema {
    schema::nullable(schema::string(words))
}

fn lease() -> Schema {
    let states = ["free", "offered", "bound", "expired", "released", "declined"];
    let hardware = schema::object(&[
        ("type", schema::count("Hardware type (ARP).")),
        ("address", schema::string("Hex pairs with colons.")),
    ]);
    schema::object(&[
        ("address", schema::formatted("ipv4", "The address.")),
        ("state", schema::one_of(&states, "Where it stands.")),
        ("mac", schema::string("Hardware address of the client.")),
        ("hardware", schema::nullable(hardware)),
        ("client_id", maybe("Client identifier (option 61) as hex pairs.")),
        ("hostname", maybe("Host name of the client.")),
        ("circuit_id", maybe("Option 82, sub-option 1, as hex pairs.")),
        (
            "circuit_id_text",
            maybe("The same as text, when it is printable."),
        ),
        ("remote_id", maybe("Option 82, sub-option 2, as hex pairs.")),
        ("remote_id_text", maybe("The same as text, when it is printable.")),
        ("vendor_class", maybe("Vendor class (option 60).")),
        (
            "giaddr",
            schema::nullable(schema::formatted("ipv4", "Relay the client came through.")),
        ),
        ("last_seen", time("Last time the client was heard.")),
        (
            "expires",
            schema::nullable(time("When the lease ends; null is never.")),
        ),
        (
            "reserved",
            schema::boolean("Whether the address is reserved for it."),
        ),
        (
            "network",
            schema::string("Shared network, or the subnet's own name."),
        ),
        ("subnet", schema::string("Subnet.")),
        (
            "holder",
            maybe("Node that decides about the address; null for a node alone, and while nobody does."),
        ),
    ])
}

/// Why an answer is not the whole, when it is not.
pub(super) fn partial() -> Schema {
    maybe("Set when leases of other nodes are missing from the answer: why.")
}

fn released() -> Schema {
    schema::object(&[
        ("address", schema::formatted("ipv4", "The address.")),
        ("released", schema::boolean("False for a dry run.")),
        ("dry_run", schema::boolean("Whether nothing was done.")),
    ])
}

fn released_many() -> Schema {
    schema::object(&[
        ("released", schema::count("Leases ended, or that would be.")),
        ("not_held", schema::count("Addresses that nobody held.")),
        (
            "elsewhere",
            schema::array(schema::string(
                "Address that another node holds, with that node: not ended.",
            )),
        ),
        (
            "more",
            schema::boolean("Whether the filters hold for more than one request may end."),
        ),
        ("dry_run", schema::boolean("Whether nothing was done.")),
    ])
}

fn decision() -> Vec<(&'static str, Schema)> {
    let outcomes = ["answered", "refused", "silent", "dropped", "noted"];
    vec![
        ("at", time("When.")),
        ("seq", schema::count("Number in its packet thread's history.")),
        ("mac", schema::string("Hardware address of the client.")),
        ("event", schema::string("What came in: `DHCPDISCOVER`.")),
        (
            "answer",
            schema::string("What went out: `DHCPOFFER`, `BOOTREPLY` to a BOOTP client, or `-`."),
        ),
        ("outcome", schema::one_of(&outcomes, "How it ended.")),
        ("code", schema::string("Reason code: `PUR-1101`.")),
        (
            "slug",
            schema::string("The reason for programs: `no_subnet_for_relay`."),
        ),
        ("text", schema::string("The reason in words.")),
        ("subnet", maybe("Subnet, when one was found.")),
        (
            "address",
            schema::nullable(schema::formatted("ipv4", "Address it was about.")),
        ),
        (
            "via",
            schema::nullable(schema::formatted("ipv4", "Relay or link it came through.")),
        ),
        ("xid", schema::string("Transaction id, hexadecimal.")),
        (
            "nanos",
            schema::nullable(schema::count("How long it took, when measured.")),
        ),
    ]
}

/// A part of the configuration: the keys that lie at `pointer` in its schema, and `members` told better or besides.
fn configured(pointer: &str, required: &[&str], members: &[(&str, Schema)]) -> Schema {
    let mut schema = schema::open_object(required, members);
    let keys = bodies::of_config(pointer);
    if let (Some(all), Some(keys)) = (
        schema["properties"].as_object_mut(),
        keys["properties"].as_object(),
    ) {
        for (name, key) in keys {
            all.entry(name.as_str()).or_insert_with(|| key.clone());
        }
    }
    schema["description"] = "Members are keys of the configuration; see `purlin config explain`.".into();
    schema
}

fn read_only(mut schema: Schema) -> Schema {
    schema["readOnly"] = true.into();
    schema
}

fn subnet() -> Schema {
    let members = [
        (
            "name",
            schema::string("Name; the text of the network when absent."),
        ),
        ("network", schema::string("`10.0.0.0/8`, host bits zero.")),
        (
            "pools",
            schema::array(schema::anything(
                "A range, or a table with range, classes and options.",
            )),
        ),
        ("lease_time", schema::anything("`1h`.")),
        ("shared_network", maybe("Shared network it belongs to.")),
        ("utilization", read_only(schema::reference("Utilization"))),
    ];
    configured(bodies::SUBNET, &["network"], &members)
}

fn utilization() -> Schema {
    let mut members = vec![
        ("size", schema::count("Addresses in its pools.")),
        ("reserved", schema::count("Reserved.")),
        (
            "outside",
            schema::count("Leased, and in none of its pools: reserved addresses, and those of former pools."),
        ),
    ];
    members.extend(counts());
    schema::object(&members)
}

fn of_pool() -> Schema {
    let mut members = vec![("size", schema::count("Addresses in it."))];
    members.extend(counts());
    schema::object(&members)
}

/// What is counted in a subnet as in a pool.
fn counts() -> [(&'static str, Schema); 8] {
    [
        ("bound", schema::count("Leased.")),
        ("offered", schema::count("Offered a moment ago.")),
        (
            "declined",
            schema::count("Out of use because somebody else uses them."),
        ),
        (
            "reusable",
            schema::count("Lease ended; free for anyone once nothing fresher is left."),
        ),
        ("free", schema::count("Neither leased, offered nor declined.")),
        (
            "ratio",
            schema::number("Leased part of the addresses in pools, 0 to 1."),
        ),
        (
            "age_secs",
            schema::count("How old the count is: with several nodes it is kept for a few seconds."),
        ),
        ("partial", partial()),
    ]
}

fn pool() -> Schema {
    let members = [
        ("id", read_only(schema::string("The range in its one form."))),
        ("range", schema::string("`10.1.0.0-10.1.255.255`.")),
        ("subnet", maybe("Subnet it belongs to.")),
        ("size", read_only(schema::count("Addresses."))),
        ("utilization", read_only(schema::reference("PoolUtilization"))),
        (
            "classes",
            schema::array(schema::string(
                "Class that is admitted: a configured one, `KNOWN`, `UNKNOWN`, `BOOTP` or `ALL`.",
            )),
        ),
    ];
    configured(bodies::POOL, &["range"], &members)
}

fn reservation() -> Schema {
    let members = [
        (
            "id",
            read_only(schema::string("Whom it is for: `mac:02:00:00:00:00:01`.")),
        ),
        (
            "subnet",
            maybe("Subnet it is written in; null for one that holds everywhere."),
        ),
        ("mac", schema::string("Hardware address.")),
        ("client_id", schema::string("Client identifier (option 61).")),
        ("circuit_id", schema::string("Option 82, sub-option 1.")),
        ("remote_id", schema::string("Option 82, sub-option 2.")),
        ("uuid", schema::string("Machine UUID (option 97).")),
        ("flex_id", schema::string("Value of dhcp.flex_id.")),
        ("address", schema::formatted("ipv4", "The address.")),
        ("hostname", schema::string("Host name told to the client.")),
    ];
    configured(bodies::RESERVATION, &[], &members)
}

fn class() -> Schema {
    let members = [
        ("name", schema::string("Name.")),
        ("test", schema::string("Expression that tells members.")),
        ("drop", schema::boolean("Members get no answer.")),
    ];
    configured(bodies::CLASS, &["name"], &members)
}
