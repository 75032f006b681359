//! What can go wrong, by name.

use std::fmt;

/// One thing that goes wrong, until it is put right again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    NodeKilled,
    NodePaused,
    NodeStopped,
    NodeDrained,
    NodeRemoved,
    NodeCutFromDatabase,
    NodeHearsNoDatabase,
    NodeCutFromRedis,
    NodesCut,
    PacketsLost,
    RedisFlushed,
    RedisKilled,
    RedisFrozen,
    RedisCut,
    DatabaseRestarted,
    DatabaseFull,
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
    pub const ALL: [Self; 20] = [
        Self::NodeKilled,
        Self::NodePaused,
        Self::NodeStopped,
        Self::NodeDrained,
        Self::NodeRemoved,
        Self::NodeCutFromDatabase,
        Self::NodeHearsNoDatabase,
        Self::NodeCutFromRedis,
        Self::NodesCut,
        Self::PacketsLost,
        Self::RedisFlushed,
        Self::RedisKilled,
        Self::RedisFrozen,
        Self::RedisCut,
        Self::DatabaseRestarted,
        Self::DatabaseFull,
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
            Self::NodeCutFromDatabase => "node-cut-from-database",
            Self::NodeHearsNoDatabase => "node-hears-no-database",
            Self::NodeCutFromRedis => "node-cut-from-redis",
            Self::NodesCut => "nodes-cut",
            Self::PacketsLost => "packets-lost",
            Self::RedisFlushed => "redis-flushed",
            Self::RedisKilled => "redis-killed",
            Self::RedisFrozen => "redis-frozen",
            Self::RedisCut => "redis-cut",
            Self::DatabaseRestarted => "database-restarted",
            Self::DatabaseFull => "database-full",
            Self::StandbyCut => "standby-cut",
            Self::PrimaryKilled => "primary-killed",
            Self::PrimaryLagsAndDies => "primary-lags-and-dies",
            Self::PrimaryCutOff => "primary-cut-off",
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
            | Self::NodeRemoved => Part::Nodes,
            Self::NodeCutFromDatabase
            | Self::NodeHearsNoDatabase
            | Self::NodeCutFromRedis
            | Self::NodesCut
            | Self::PacketsLost => Part::Wire,
            Self::RedisFlushed | Self::RedisKilled | Self::RedisFrozen | Self::RedisCut => Part::Redis,
            Self::DatabaseRestarted
            | Self::DatabaseFull
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
                | Self::NodeCutFromDatabase
                | Self::NodeHearsNoDatabase
        )
    }

    /// Whether nobody may notice anything but a little less speed.
    #[must_use]
    pub const fn is_harmless(self) -> bool {
        matches!(self.part(), Part::Redis) || matches!(self, Self::NodeCutFromRedis)
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
