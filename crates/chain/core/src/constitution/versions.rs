//! Which version counts at which height.

use super::Constitution;
use std::sync::Arc;

/// The constitution of a chain, one version after the other. Never empty, the first counts from height 0 on, and each later one
/// from a greater height than the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constitutions(Vec<Arc<Constitution>>);

/// Versions that cannot follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Order {
    #[error("there is no version of it: the genesis document's is missing")]
    Empty,
    #[error("version 0 counts from height {0} on, and a chain begins at height 0")]
    Late(u64),
    #[error("version {version} counts from height {from} on, and the one before it from height {before}")]
    Backwards { version: usize, before: u64, from: u64 },
}

impl Constitutions {
    /// A chain with these versions, the oldest first.
    ///
    /// # Errors
    ///
    /// Heights that are out of order.
    pub fn new(versions: impl IntoIterator<Item = Constitution>) -> Result<Self, Order> {
        let mut versions = versions.into_iter();
        let first = versions.next().ok_or(Order::Empty)?;
        if first.from != 0 {
            return Err(Order::Late(first.from));
        }
        let mut all = Self(vec![Arc::new(first)]);
        versions.try_for_each(|next| all.push(next))?;
        Ok(all)
    }

    /// One more version.
    ///
    /// # Errors
    ///
    /// It does not count from a greater height than the newest.
    pub fn push(&mut self, next: Constitution) -> Result<(), Order> {
        let (version, before, from) = (self.0.len(), self.newest().from, next.from);
        if from <= before {
            return Err(Order::Backwards {
                version,
                before,
                from,
            });
        }
        self.0.push(Arc::new(next));
        Ok(())
    }

    /// The version in force at `height`.
    #[must_use]
    pub fn at(&self, height: u64) -> &Arc<Constitution> {
        &self.0[self.index_at(height)]
    }

    /// The number of the version in force at `height`.
    #[must_use]
    pub fn index_at(&self, height: u64) -> usize {
        // The first one counts from 0 on.
        self.0.partition_point(|version| version.from <= height) - 1
    }

    /// The one that was decided last; it need not be in force yet.
    #[must_use]
    pub fn newest(&self) -> &Arc<Constitution> {
        self.0.last().expect("a chain has one version at least")
    }

    /// The versions, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Constitution>> + ExactSizeIterator {
        self.0.iter()
    }

    /// How many versions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: a chain has one version at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
