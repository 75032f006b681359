//! What can go wrong, by name.

use std::fmt;
use std::time::Duration;

/// One thing that goes wrong, until it is put right again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    NodeKilled,
    NodePaused,
    NodeStopped,
    NodeDrained,
    NodeRemoved,
    NodeClockJumps,
    NodesAllKilled,
    NodesRestartInTurn,
    NodeCutFromDatabase,
    NodeHearsNoDatabase,
    NodeCutFromRedis,
    NodeCutFromClients,
    NodesCut,
    PacketsLost,
    RedisFlushed,
    RedisKilled,
    RedisFrozen,
    RedisCut,
    DatabaseRestarted,
    DatabaseAway,
    DatabaseFull,
    DatabaseSlow,
    StandbyCut,
    PrimaryKilled,
    PrimaryLagsAndDies,
    PrimaryCutOff,
}

/// Which part of a campus a fault is in. Two at once are in different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Nodes,
    Wire,
    Redis,
    Database,
}

impl Fault {
    pub const ALL: [Self; 26] = [
        Self::NodeKilled,
        Self::NodePaused,
        Self::NodeStopped,
        Self::NodeDrained,
        Self::NodeRemoved,
        Self::NodeClockJumps,
        Self::NodesAllKilled,
        Self::NodesRestartInTurn,
        Self::NodeCutFromDatabase,
        Self::NodeHearsNoDatabase,
        Self::NodeCutFromRedis,
        Self::NodeCutFromClients,
        Self::NodesCut,
        Self::PacketsLost,
        Self::RedisFlushed,
        Self::RedisKilled,
        Self::RedisFrozen,
        Self::RedisCut,
        Self::DatabaseRestarted,
        Self::DatabaseAway,
        Self::DatabaseFull,
        Self::DatabaseSlow,
        Self::StandbyCut,
        Self::PrimaryKilled,
        Self::PrimaryLagsAndDies,
        Self::PrimaryCutOff,
    ];

    /// As `--scenario` knows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NodeKilled => "node-killed",
            Self::NodePaused => "node-paused",
            Self::NodeStopped => "node-stopped",
            Self::NodeDrained => "node-drained",
            Self::NodeRemoved => "node-removed",
            Self::NodeClockJumps => "node-clock-jumps",
            Self::NodesAllKilled => "nodes-all-killed",
            Self::NodesRestartInTurn => "nodes-restart-in-turn",
            Self::NodeCutFromDatabase => "node-cut-from-database",
            Self::NodeHearsNoDatabase => "node-hears-no-database",
            Self::NodeCutFromRedis => "node-cut-from-redis",
            Self::NodeCutFromClients => "node-cut-from-clients",
            Self::NodesCut => "nodes-cut",
            Self::PacketsLost => "packets-lost",
            Self::RedisFlushed => "redis-flushed",
            Self::RedisKilled => "redis-killed",
            Self::RedisFrozen => "redis-frozen",
            Self::RedisCut => "redis-cut",
            Self::DatabaseRestarted => "database-restarted",
            Self::DatabaseAway => "database-away",
            Self::DatabaseFull => "database-full",
            Self::DatabaseSlow => "database-slow",
            Self::StandbyCut => "standby-cut",
            Self::PrimaryKilled => "primary-killed",
            Self::PrimaryLagsAndDies => "primary-lags-and-dies",
            Self::PrimaryCutOff => "primary-cut-off",
        }
    }

    /// What happens, in a few words.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::NodeKilled => "a node dies (kill -9) and comes back",
            Self::NodePaused => "a node stands still for longer than its lease, and wakes",
            Self::NodeStopped => "a node stops in order and comes back",
            Self::NodeDrained => "a node is drained and resumes",
            Self::NodeRemoved => "a node is removed in order and joins again",
            Self::NodeClockJumps => "a node's wall clock is an hour off, and right again",
            Self::NodesAllKilled => "every node dies at once, and all come back",
            Self::NodesRestartInTurn => "every node is restarted in order, one after the other",
            Self::NodeCutFromDatabase => "a node and the database lose each other",
            Self::NodeHearsNoDatabase => "what a node asks reaches the database, no answer comes back",
            Self::NodeCutFromRedis => "a node and Redis lose each other",
            Self::NodeCutFromClients => "a node and all clients lose each other",
            Self::NodesCut => "two nodes lose each other",
            Self::PacketsLost => "a fifth of what reaches a node is lost",
            Self::RedisFlushed => "Redis forgets everything",
            Self::RedisKilled => "the Redis master dies, and comes back as a replica",
            Self::RedisFrozen => "the Redis master stands still, and wakes",
            Self::RedisCut => "the Redis master is cut off from its replicas",
            Self::DatabaseRestarted => "the database dies and comes back within seconds",
            Self::DatabaseAway => "the database is away for half a minute",
            Self::DatabaseFull => "the database's disk is full, and has room again",
            Self::DatabaseSlow => "every flush of the database's disk takes a tenth of a second",
            Self::StandbyCut => "primary and standby lose each other",
            Self::PrimaryKilled => "the primary dies, its standby is promoted",
            Self::PrimaryLagsAndDies => "the same with a standby that lacks the last commits",
            Self::PrimaryCutOff => "the standby is promoted beside a primary that one node still reaches",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::NodeKilled
            | Self::NodePaused
            | Self::NodeStopped
            | Self::NodeDrained
            | Self::NodeRemoved
            | Self::NodeClockJumps
            | Self::NodesAllKilled
            | Self::NodesRestartInTurn => Part::Nodes,
            Self::NodeCutFromDatabase
            | Self::NodeHearsNoDatabase
            | Self::NodeCutFromRedis
            | Self::NodeCutFromClients
            | Self::NodesCut
            | Self::PacketsLost => Part::Wire,
            Self::RedisFlushed | Self::RedisKilled | Self::RedisFrozen | Self::RedisCut => Part::Redis,
            Self::DatabaseRestarted
            | Self::DatabaseAway
            | Self::DatabaseFull
            | Self::DatabaseSlow
            | Self::StandbyCut
            | Self::PrimaryKilled
            | Self::PrimaryLagsAndDies
            | Self::PrimaryCutOff => Part::Database,
        }
    }

    /// Whether clients of a node are without it from one moment on, while everything else works: they must be served
    /// again within the time of a takeover.
    #[must_use]
    pub const fn is_a_loss_of_one_node(self) -> bool {
        matches!(
            self,
            Self::NodeKilled
                | Self::NodePaused
                | Self::NodeStopped
                | Self::NodeDrained
                | Self::NodeRemoved
                | Self::NodeClockJumps
                | Self::NodeCutFromDatabase
                | Self::NodeHearsNoDatabase
        )
    }

    /// Whether nobody may notice anything but a little less speed.
    #[must_use]
    pub const fn is_harmless(self) -> bool {
        self.needs_redis() || matches!(self, Self::NodesRestartInTurn | Self::DatabaseSlow)
    }

    /// Whether it is between two, rather than at one.
    #[must_use]
    pub const fn has_two(self) -> bool {
        matches!(self.part(), Part::Wire) && !matches!(self, Self::PacketsLost)
            || matches!(self, Self::StandbyCut | Self::PrimaryCutOff)
    }

    /// Whether it is brought about by a command that the database must take in.
    #[must_use]
    pub const fn needs_whole_database(self) -> bool {
        matches!(
            self,
            Self::NodeStopped | Self::NodeDrained | Self::NodeRemoved | Self::NodesRestartInTurn
        )
    }

    #[must_use]
    pub const fn needs_redis(self) -> bool {
        matches!(self.part(), Part::Redis) || matches!(self, Self::NodeCutFromRedis)
    }

    /// How long it lasts, where that is not left to chance.
    #[must_use]
    pub const fn lasts(self) -> Option<Duration> {
        match self {
            Self::DatabaseAway => Some(Duration::from_secs(30)),
            // Over when it has been brought about.
            Self::NodesRestartInTurn | Self::RedisFlushed => Some(Duration::ZERO),
            _ => None,
        }
    }

    /// Whether putting it right heals the wire.
    #[must_use]
    pub const fn uses_wire(self) -> bool {
        matches!(
            self,
            Self::RedisCut | Self::StandbyCut | Self::PrimaryLagsAndDies | Self::PrimaryCutOff
        )
    }

    /// Whether it makes sense only where commits wait for the standby: else two primaries serve, each its own nodes.
    #[must_use]
    pub const fn needs_synchronous(self) -> bool {
        matches!(self, Self::PrimaryCutOff)
    }

    /// Whether it makes sense only where commits do not wait for the standby.
    #[must_use]
    pub const fn needs_asynchronous(self) -> bool {
        matches!(self, Self::PrimaryLagsAndDies)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
