//! The OVN platform's reason codes: 3000 to 3999.

use purlin_telemetry::{Reason, ReasonCode};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $slug:literal, $text:literal, $explain:literal, $fix:literal;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: Reason = Reason {
                code: ReasonCode($code),
                slug: $slug,
                text: $text,
                explain: $explain,
                fix: $fix,
            };
        )*

        /// Every reason of the OVN platform, in order of code.
        pub static REASONS: &[Reason] = &[$($name),*];
    };
}

reasons! {
    /// 503: no snapshot to read from.
    NOT_CONNECTED = 3001, "ovn_not_connected", "the OVN database is not reached",
        "Nothing was ever read from the database, or what was read is older than the last lost connection and a write cannot rely on it.",
        "Look at /api/v1/ovn for the endpoints and what is wrong with each; 'ovn-nbctl --db=ENDPOINT show' tells whether the database answers.";
    /// 404: the schema has no such table.
    NO_SUCH_TABLE = 3002, "ovn_no_such_table", "the database has no such table",
        "Tables have the names of the OVN schema, capitals and underscores included, like Logical_Switch_Port.",
        "See /api/v1/ovn/nb for the tables there are.";
    /// 422: the change breaks a rule of OVN or of its schema.
    INVALID = 3003, "ovn_invalid", "the change makes no valid network",
        "Every row that a change brings or touches is checked before anything is sent: types, references, names, match expressions, addresses, DHCP options.",
        "Each entry of problems names the row and column, what is wrong and what would be right.";
    /// 409: somebody else's row.
    FOREIGN = 3004, "ovn_foreign", "the row belongs to somebody else",
        "Rows carry the mark of the manager that made them. Those of others are shown and not written, because two managers of one row undo each other's work.",
        "Change it where it was made; an admin who knows better says force=true.";
    /// 409: a guard did not hold.
    OVERTAKEN = 3005, "ovn_overtaken", "the network was changed meanwhile",
        "What the change was decided on was no longer so when it reached the database, several times in a row. Nothing of it happened.",
        "Try again; with If-Match read the row again first.";
    /// 502 or 504: the database refused or was silent.
    REFUSED = 3006, "ovn_refused", "the OVN database refused the change",
        "The change passed every check here and the database refused it all the same; its own words are in the detail.",
        "Read the detail; when it looks like a fault of the check, report it with the request.";
    /// 504: nobody took it in time.
    NO_LEADER = 3007, "ovn_no_leader", "no member of the OVN database took the change in time",
        "A cluster without a leader takes no writes. Nothing of the change happened.",
        "See /api/v1/ovn for the members; a cluster of three goes on as long as two of them reach each other.";
    /// 504: the answer was lost.
    UNKNOWN = 3008, "ovn_outcome_unknown", "the answer of the OVN database was lost",
        "The change was sent and the connection broke before the answer. It may or may not have happened, and it left no trace by which one could tell.",
        "Read the rows, then decide.";
}
