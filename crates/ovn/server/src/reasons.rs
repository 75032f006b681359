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
    /// 504: the answer was lost, or is none.
    UNKNOWN = 3008, "ovn_outcome_unknown", "what became of the change is not known",
        "The change was sent, and its answer was lost with the connection or could not be understood. It may or may not have happened, and it left no trace by which one could tell.",
        "Read the rows, then decide.";
    /// 409: an undo whose rows have been written again.
    MOVED_ON = 3020, "ovn_moved_on", "the network has moved on since",
        "A transaction is undone only while all that it left is still so. Rows that it brought or changed were written again, or are gone.",
        "problems names each row and column; undo what was done since first, or change the rows by hand.";
    /// 422: a document, a template or a backup that cannot be read.
    BAD_DOCUMENT = 3021, "ovn_bad_document", "the document cannot be put into force",
        "A document is read as a whole before anything is decided: its form, its keys, the names that it refers to, whose rows it names.",
        "Each entry of problems has the place, with line and column where the text has it, what is wrong and what would be right.";
    /// 503: a packaged program is missing.
    TOOL_MISSING = 3030, "ovn_tool_missing", "a program of OVN is not installed",
        "Traces are asked of OVN's own ovn-trace, and what-if questions are answered by ovsdb-server and ovn-northd over copies of the databases.",
        "Install the packages ovn-common and ovn-central (Debian) on this node, or ask a node that has them.";
    /// 503: nothing is known of flows.
    NO_SOUTHBOUND = 3031, "ovn_no_southbound", "this node has no southbound database",
        "A trace follows the logical flows that ovn-northd has written into the southbound database. This node was given none, or keeps a northbound by itself, which nobody turns into flows.",
        "Set ovn.southbound, or install ovn-central so that the node starts ovn-northd.";
    /// 502: a packaged program did not do what it was asked.
    TOOL_FAILED = 3032, "ovn_tool_failed", "a program of OVN failed",
        "The program ran and gave no answer; its own words are in the detail.",
        "Read the detail; ovn-trace with the same arguments by hand tells more.";
    /// 504: a packaged program took too long.
    TOOL_TOO_SLOW = 3033, "ovn_tool_too_slow", "a program of OVN did not end in time",
        "Its database may be out of reach or very large, or ovn-northd has much to compute. It was ended.",
        "See /api/v1/ovn for the members of the southbound; ask for less at once.";
    /// 503: too many at once.
    TOOL_BUSY = 3034, "ovn_tool_busy", "too many questions are being answered",
        "Each trace runs a program and each what-if a whole OVN beside the real one, so only a few run at a time.",
        "Try again in a moment.";
    /// 422: the question makes no packet.
    NO_QUESTION = 3035, "ovn_no_question", "no packet can be made of the question",
        "A trace needs a port where the packet enters and addresses that it carries. What is not said is read from the rows.",
        "The detail names the port that has no address, the name that is not known, or the place in the expression that is wrong.";
    /// 409: too few members would be left.
    QUORUM = 3050, "ovn_quorum", "the cluster of the database would lose its quorum",
        "A cluster writes as long as more than half of its members reach each other. Without this one they would not, or they do not now.",
        "Start the members that are down first, or take out one of those that are down.";
    /// 409: the program is on another machine.
    NO_CONTROL = 3051, "ovn_no_control", "the member's control socket is not reached",
        "Compaction, elections and membership are asked for at a socket file of the member's own machine, /var/run/ovn/ovnnb_db.ctl by custom.",
        "Name it, or its folder, in ovn.control_sockets of the node on that machine, and ask that node.";
}
