//! Rules left out on purpose, one at a time: a simulator that does not notice has proved nothing.

use crate::scene::Mix;

/// A rule to leave out. The switch is in the simulator's glue or in its database, never in the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    NoTenure,
    CountFromAnswer,
    SleepingClock,
    LongLead,
    NoWindow,
    NoCommit,
    NoReuseWait,
    NoQuarantine,
    LostDecline,
    NoFence,
    UnlockedFence,
    DeafToSetbacks,
    ForgetfulSuspect,
    ReleaseUnflushed,
    ReleaseRefused,
    EarlyLoad,
    SilentRenewal,
    Twins,
    BlindToFailover,
    OldClaimsFence,
    EagerAfterFailover,
    NoSecondCopy,
    AloneByHearsay,
    NoReassert,
    AnyHistory,
    TrustAfterFailover,
    HintsDecide,
    WallLeases,
    DeafToSkew,
    Impatient,
    HopefulRenewal,
    SilentSuccessor,
    RowsOutOfOrder,
    NoUnique,
    OvertakenFill,
    DeafToGaps,
    DeafToMissed,
    AnyNotes,
    HastyAnnouncement,
    TrustingCache,
    AnyGeneration,
    BlindMove,
    DeafToConflict,
    SilentGap,
    NoLimits,
    NoWindows,
    UnwrittenDeed,
    ForgetfulLeader,
    StaleLeaderActs,
}

/// A rule of the design with its switch.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub mutation: Mutation,
    /// What `--without` takes.
    pub name: &'static str,
    /// Where the design has it.
    pub of: &'static str,
    /// What is done without it.
    pub without: &'static str,
    /// A seed that notices, when one is known. Code that draws or decides otherwise may move it: tests look on from seed 1
    /// then.
    pub seed: Option<u64>,
    /// The faults in which it is seen.
    pub mix: Mix,
}

impl Rule {
    /// The same, seen in the faults of `mix`.
    const fn within(mut self, mix: Mix) -> Self {
        self.mix = mix;
        self
    }
}

const fn rule(
    mutation: Mutation,
    (name, of): (&'static str, &'static str),
    without: &'static str,
    seed: Option<u64>,
) -> Rule {
    Rule {
        mutation,
        name,
        of,
        without,
        seed,
        mix: Mix::Any,
    }
}

/// Every rule.
pub const RULES: &[Rule] = &[
    rule(
        Mutation::NoTenure,
        ("tenure", "R0"),
        "services decide and send however long the node's lease has ended",
        Some(86),
    ),
    rule(
        Mutation::CountFromAnswer,
        ("count-from-sending", "2.2"),
        "the lease is counted from the answer of a renewal instead of from its sending",
        Some(35),
    ),
    rule(
        Mutation::SleepingClock,
        ("boot-time", "2.2"),
        "the lease is counted by a clock that stands still while the machine sleeps",
        Some(13),
    ),
    rule(
        Mutation::LongLead,
        ("lead-bound", "R1"),
        "services promise four times as much beyond the record as the fabric waits out",
        Some(3),
    ),
    rule(
        Mutation::NoWindow,
        ("window", "R2"),
        "windows are not handed to the successor",
        Some(5),
    ),
    rule(
        Mutation::NoCommit,
        ("commit", "R2, R3"),
        "replies that must wait for their record do not",
        Some(2),
    ),
    rule(
        Mutation::NoReuseWait,
        ("reuse-wait", "R3"),
        "an inherited address goes to another client as soon as its lease has ended",
        Some(1),
    ),
    rule(
        Mutation::NoQuarantine,
        ("quarantine", "R4"),
        "nothing is quarantined after a takeover by force",
        Some(10),
    ),
    rule(
        Mutation::LostDecline,
        ("decline", "R5"),
        "that a client has declined an address is not written",
        Some(2),
    ),
    rule(
        Mutation::NoFence,
        ("fence", "R7"),
        "rows are taken from anybody",
        Some(13),
    ),
    rule(
        Mutation::UnlockedFence,
        ("fence-lock", "R7"),
        "claims are looked at and not locked until the rows are committed (FOR KEY SHARE)",
        Some(1),
    ),
    rule(
        Mutation::DeafToSetbacks,
        ("setbacks", "R7"),
        "a row that was refused is taken for written",
        Some(3),
    ),
    rule(
        Mutation::ForgetfulSuspect,
        ("durable-suspect", "2.2 b"),
        "a second takeover forgets that the first had to quarantine",
        Some(549),
    ),
    rule(
        Mutation::ReleaseUnflushed,
        ("flush-before-release", "2.2"),
        "slots are released before their records are with the store",
        Some(5),
    ),
    rule(
        Mutation::ReleaseRefused,
        ("doubt-of-refused", "2.2"),
        "slots of which a record was refused are given back as if everything were recorded",
        Some(5),
    ),
    rule(
        Mutation::EarlyLoad,
        ("load-after-grant", "R7"),
        "rows of a gained slot are read before its claim is granted",
        Some(288),
    ),
    rule(
        Mutation::SilentRenewal,
        ("sequence", "2.2 c"),
        "a renewal leaves the number that contenders watch as it was",
        Some(1),
    ),
    rule(
        Mutation::Twins,
        ("one-incarnation", "2.5"),
        "a second node of the same id is let in while the first is alive",
        Some(3),
    ),
    rule(
        Mutation::BlindToFailover,
        ("timeline", "2.2"),
        "nobody notices that the database has failed over: watches go on, claims of the old history count",
        Some(1),
    ),
    rule(
        Mutation::OldClaimsFence,
        ("old-claims", "2.2 a"),
        "the database lets claims of a lost history fence",
        Some(65),
    ),
    rule(
        Mutation::EagerAfterFailover,
        ("wait-after-failover", "2.2"),
        "after a failover nobody waits for claims that nobody holds",
        Some(253),
    ),
    rule(
        Mutation::NoSecondCopy,
        ("second-copy", "2.3 db"),
        "a standby that commits do not wait for is not thought of",
        Some(6),
    ),
    rule(
        Mutation::AloneByHearsay,
        ("alone-after-commit", "2.3 db"),
        "a database that had no standby when it was asked last is taken to have none when it commits",
        None,
    ),
    rule(
        Mutation::NoReassert,
        ("say-again", "2.2"),
        "what was held all the while is read back after a failover instead of said again",
        Some(14),
    ),
    rule(
        Mutation::AnyHistory,
        ("history-of-rows", "2.2"),
        "rows are taken over from a history that came after the claim",
        Some(47),
    )
    .within(Mix::Handovers),
    rule(
        Mutation::TrustAfterFailover,
        ("distrust", "2.2"),
        "after a failover unrecorded addresses outside of windows are free at once",
        Some(428),
    ),
    rule(
        Mutation::HintsDecide,
        ("hints", "2.1"),
        "whom Redis does not show is taken for dead",
        Some(1),
    ),
    rule(
        Mutation::WallLeases,
        ("steady-clock", "2.2"),
        "leases are counted by a wall clock that is set while they run",
        Some(1),
    )
    .within(Mix::Clocks),
    rule(
        Mutation::DeafToSkew,
        ("wall-skew", "2.2"),
        "a node whose wall clock is off takes slots and keeps them",
        Some(65),
    ),
    rule(
        Mutation::Impatient,
        ("patience", "2.2"),
        "contenders do not watch a silent owner for as long as its lease may hold",
        Some(1),
    ),
    rule(
        Mutation::HopefulRenewal,
        ("answered-renewals", "2.2"),
        "a renewal whose answer does not come is taken for done",
        Some(7),
    ),
    rule(
        Mutation::SilentSuccessor,
        ("known-at-once", "R4"),
        "after a takeover by force nobody is served, recorded or not, before the quarantine is over",
        Some(2),
    ),
    rule(
        Mutation::RowsOutOfOrder,
        ("row-order", "R7"),
        "what comes last is kept, even if it was said earlier",
        Some(6),
    ),
    rule(
        Mutation::NoUnique,
        ("unique", "R7"),
        "a client may have two live rows",
        Some(6),
    ),
    rule(
        Mutation::OvertakenFill,
        ("fill-version", "I9"),
        "what was loaded before an invalidation is kept after it",
        Some(2),
    ),
    rule(
        Mutation::DeafToGaps,
        ("gapless-notes", "I9"),
        "an announcement is taken for the next one whatever its number is",
        Some(2),
    ),
    rule(
        Mutation::DeafToMissed,
        ("missed-notes", "I9"),
        "notes that cannot be told any more, trimmed or of another history, are taken for none",
        Some(1),
    ),
    rule(
        Mutation::AnyNotes,
        ("history-of-notes", "I9"),
        "an announcement is taken for the next one whatever history its number is of",
        Some(633),
    )
    .within(Mix::News),
    rule(
        Mutation::HastyAnnouncement,
        ("commit-first", "I9"),
        "a change is announced before it is committed",
        Some(2),
    ),
    rule(
        Mutation::TrustingCache,
        ("degraded-ttl", "I9"),
        "values are kept as long as ever while nobody is heard",
        Some(1),
    ),
    rule(
        Mutation::AnyGeneration,
        ("session-generation", "I10"),
        "a node takes writes of a session that it once had, under any generation",
        Some(2),
    ),
    rule(
        Mutation::BlindMove,
        ("session-compare", "I10"),
        "a session moves whatever generation it is at",
        Some(3),
    ),
    rule(
        Mutation::DeafToConflict,
        ("session-conflict", "I10"),
        "a node that is told that a session lives elsewhere keeps it",
        Some(2),
    ),
    rule(
        Mutation::SilentGap,
        ("session-gap", "I10"),
        "a client whose events are lost with its node is not told of it",
        Some(2),
    ),
    rule(
        Mutation::NoLimits,
        ("scaling-limits", "I11"),
        "the least and the greatest number of nodes are not heeded",
        Some(2),
    ),
    rule(
        Mutation::NoWindows,
        ("scaling-windows", "I11"),
        "what is asked for at one moment is done at once",
        Some(18),
    ),
    rule(
        Mutation::UnwrittenDeed,
        ("scaling-record", "I11"),
        "the autoscaler acts before its action is written down",
        Some(28),
    ),
    rule(
        Mutation::ForgetfulLeader,
        ("scaling-look-back", "I11"),
        "a new leader does not look at what its predecessors did",
        Some(4),
    ),
    rule(
        Mutation::StaleLeaderActs,
        ("scaling-right", "I11"),
        "an action is written whatever right to lead its node has",
        None,
    ),
];

impl Mutation {
    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let found = RULES.iter().find(|rule| rule.name == name);
        found.map(|rule| rule.mutation)
    }

    /// Its rule.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        let found = RULES.iter().find(|rule| rule.mutation == self);
        found.expect("every mutation is one rule's")
    }
}
