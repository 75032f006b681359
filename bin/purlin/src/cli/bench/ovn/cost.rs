//! What processes have used.

use purlin_load::Usage;

/// The processes that are looked at, beside this one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Processes {
    pub(super) node: Option<u32>,
    pub(super) database: Option<u32>,
}

/// CPU seconds in user mode and in the kernel, as far as known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Costs {
    pub(super) generator: Option<f64>,
    pub(super) node: Option<f64>,
    pub(super) database: Option<f64>,
}

impl Costs {
    /// So far.
    pub(super) fn read(of: &Processes) -> Self {
        let seconds = |pid: u32| Usage::read(Some(pid)).map(|usage| usage.cpu_seconds());
        Self {
            generator: seconds(std::process::id()),
            node: of.node.and_then(seconds),
            database: of.database.and_then(seconds),
        }
    }

    /// From then to now.
    pub(super) fn until(&self, now: &Self) -> Self {
        let between = |then: Option<f64>, now: Option<f64>| Some((now? - then?).max(0.0));
        Self {
            generator: between(self.generator, now.generator),
            node: between(self.node, now.node),
            database: between(self.database, now.database),
        }
    }
}
