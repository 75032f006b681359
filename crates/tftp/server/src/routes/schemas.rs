//! The shapes of what the boot file routes answer and take.

mod bodies;
mod stand;

use purlin_api::route::Routes;
use purlin_api::schema::{self, Schema};

pub(super) fn components(routes: Routes) -> Routes {
    let profile = bodies::profile();
    routes
        .component("BootRecord", record())
        .component("Transfer", transfer())
        .component("TftpStatus", stand::status())
        .component("BootFile", file())
        .component("DroppedCache", dropped())
        .component("ResolvedName", resolved())
        .component("BootProfilePatch", bodies::patch(&profile))
        .component("BootProfile", bodies::shown(&profile))
        .component("NewBootProfile", profile)
}

fn time(words: &str) -> Schema {
    schema::formatted("date-time", words)
}

fn maybe(words: &str) -> Schema {
    schema::nullable(schema::string(words))
}

fn maybe_count(words: &str) -> Schema {
    schema::nullable(schema::count(words))
}

fn maybe_number(words: &str) -> Schema {
    schema::nullable(schema::number(words))
}

fn record() -> Schema {
    let outcomes = ["answered", "refused", "silent", "dropped", "noted"];
    schema::object(&[
        ("at", time("When it ended.")),
        ("asked", time("When the request came.")),
        (
            "seq",
            schema::count("Number in the history of its packet thread, or of HTTP."),
        ),
        ("client", schema::string("The client's IP address.")),
        ("port", schema::count("The client's port.")),
        (
            "event",
            schema::string(
                "What came in: `RRQ`, `WRQ`, or `HTTP` and its method, as `HTTP GET`; `DATA`, `ACK`, `ERROR` or `OACK` that belongs to no transfer, `-` for what is no packet.",
            ),
        ),
        (
            "answer",
            schema::string("What went out: `DATA`, `ACK`, `OACK`, `ERROR`, `-`, or a status of HTTP."),
        ),
        ("outcome", schema::one_of(&outcomes, "How it ended.")),
        ("code", schema::string("Reason code: `PUR-2101`.")),
        ("slug", schema::string("The reason for programs: `not_found`.")),
        ("text", schema::string("The reason in words.")),
        (
            "fix",
            schema::string("What to do about it; empty when nothing is wrong."),
        ),
        (
            "file",
            schema::string("The name asked for, or the end of a long one."),
        ),
        (
            "mode",
            schema::one_of(&["octet", "netascii"], "How the content is sent."),
        ),
        ("octets", schema::count("Octets that arrived.")),
        ("size", maybe_count("Octets of the file, when known.")),
        (
            "opened_ms",
            maybe_number("From the request until the file was open: queue and disk."),
        ),
        (
            "first_ms",
            maybe_number("From the request until the first block left."),
        ),
        ("took_ms", maybe_number("From the request until the end.")),
        ("retransmissions", schema::count("Blocks sent again.")),
        ("blksize", maybe_count("Octets per block; null over HTTP.")),
        (
            "windowsize",
            maybe_count("Blocks per acknowledgement; null over HTTP."),
        ),
        (
            "limited_by",
            schema::nullable(schema::one_of(
                &["disk", "loss", "window", "path"],
                "What kept a whole transfer from being faster; null when it cannot be told.",
            )),
        ),
    ])
}

fn transfer() -> Schema {
    let stages = [
        "opening",
        "offered",
        "sending",
        "waiting",
        "receiving",
        "storing",
        "dallying",
    ];
    schema::object(&[
        ("client", schema::string("The client's address and port.")),
        ("file", schema::string("The name asked for.")),
        (
            "direction",
            schema::one_of(&["read", "write"], "Which way the content goes."),
        ),
        (
            "mode",
            schema::one_of(&["octet", "netascii"], "How the content is sent."),
        ),
        (
            "stage",
            schema::one_of(&stages, "Where it stands; `waiting` is for the disk."),
        ),
        ("asked", time("When the request came.")),
        (
            "octets",
            schema::count("Octets that have arrived on the other side."),
        ),
        ("size", maybe_count("Octets of the file, when known.")),
        ("blksize", schema::count("Octets per block.")),
        ("windowsize", schema::count("Blocks per acknowledgement.")),
        ("retransmissions", schema::count("Blocks sent again.")),
        ("round_trip_ms", maybe_number("Smoothed round trip.")),
    ])
}

fn file() -> Schema {
    schema::object(&[
        (
            "name",
            schema::string("Path below its root, or the name of a made text."),
        ),
        ("size", schema::count("Octets.")),
        ("cached", schema::count("Octets of it in memory.")),
        (
            "holders",
            schema::count("Transfers and remembered names that have it."),
        ),
    ])
}

fn dropped() -> Schema {
    schema::object(&[
        ("octets", schema::count("Octets that were in memory.")),
        ("files", schema::count("Files that were.")),
        ("dry_run", schema::boolean("Whether nothing was done.")),
    ])
}

fn resolved() -> Schema {
    let known = schema::object(&[
        ("mac", maybe("Hardware address.")),
        ("hostname", maybe("Host name.")),
        ("arch", maybe("Architecture.")),
        ("user_class", maybe("User class.")),
        ("subnet", maybe("Subnet.")),
    ]);
    let rule = schema::object(&[
        (
            "rule",
            maybe("The rule in one line, in the notation of tftp.remap."),
        ),
        ("before", schema::string("The name as the rule found it.")),
    ]);
    schema::object(&[
        ("name", schema::string("The name asked for.")),
        ("client", schema::string("The client's address.")),
        ("write", schema::boolean("Whether the client would write.")),
        (
            "kind",
            schema::one_of(
                &["file", "made", "refused"],
                "A file, a text made for the client, or nothing.",
            ),
        ),
        ("summary", schema::string("What the client would get, in words.")),
        ("rules", schema::array(rule)),
        ("root", maybe("The tree.")),
        ("path", maybe("The path below it, after all rules.")),
        ("text", maybe("A made text, its first 64 KiB.")),
        (
            "exists",
            schema::nullable(schema::boolean("Whether the file is there.")),
        ),
        ("size", maybe_count("Octets.")),
        (
            "modified",
            schema::nullable(time("When the file was changed last.")),
        ),
        ("code", maybe("Why it would be refused.")),
        ("fix", schema::string("What to do about it.")),
        ("profile", maybe("The boot profile that fits the client.")),
        ("known", schema::nullable(known)),
    ])
}
