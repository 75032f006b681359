//! What the chain's constitution says at this node's height: who decides, how often, and what is on its way.

use purlin_chain_core::constitution::{Constitution, Constitutions};
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_evm::Chain;
use purlin_chain_proto::Address;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The constitution of a chain that has validators. It follows the chain by itself.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    chain: Chain,
}

impl Rules {
    /// `None` for a chain without validators.
    pub(crate) fn of(chain: &Chain) -> Option<Self> {
        let chain = chain.clone();
        chain.constitutions().is_some().then_some(Self { chain })
    }

    /// The height that is decided next.
    fn next(&self) -> u64 {
        self.chain.head().header.number + 1
    }

    fn all(&self) -> Arc<Constitutions> {
        let all = self.chain.constitutions();
        all.expect("a chain with validators has validators for ever")
    }

    /// What counts at a height, as far as it is decided: two heights above the head, and what is newest beyond.
    pub(crate) fn at(&self, height: u64) -> Arc<Constitution> {
        Arc::clone(self.all().at(height))
    }

    /// What counts at the height that is decided next.
    pub(crate) fn now(&self) -> Arc<Constitution> {
        self.at(self.next())
    }

    /// What is decided and counts from a later height on.
    pub(crate) fn coming(&self) -> Option<Arc<Constitution>> {
        let (next, all) = (self.next(), self.all());
        (all.newest().from > next).then(|| Arc::clone(all.newest()))
    }

    /// The number of the version that counts at a height; 0 is the genesis document's.
    pub(crate) fn version(&self, height: u64) -> u64 {
        self.all().index_at(height) as u64
    }

    /// The version that counts at the height that is decided next.
    pub(crate) fn next_version(&self) -> u64 {
        self.version(self.next())
    }

    /// Whether this is a validator's key now, or will be soon.
    pub(crate) fn has(&self, id: &Address) -> bool {
        let among = |version: &Constitution| version.validators.power(id).is_some();
        among(&self.now()) || self.coming().is_some_and(|coming| among(&coming))
    }

    /// What the owner of this key should know, when it holds it in order to vote.
    pub(crate) fn about(&self, me: &Address) -> Option<String> {
        let now = self.now().validators.power(me).is_some();
        let coming = self.coming();
        let then = coming
            .as_ref()
            .map(|coming| coming.validators.power(me).is_some());
        let from = coming.as_ref().map_or(0, |coming| coming.from);
        match (now, then) {
            (true, Some(false)) => Some(format!("{me} is no validator any more from height {from} on")),
            (false, Some(true)) => Some(format!("{me} becomes a validator at height {from}")),
            (true, _) => None,
            (false, _) => Some(format!(
                "{me} is no validator: this node follows until a vote adds it (purlin chain vote add {me})"
            )),
        }
    }
}

/// What one version changes of the one before it, a sentence each.
pub(crate) fn differences(old: &Constitution, new: &Constitution) -> Vec<String> {
    let mut said = members(&old.validators, &new.validators);
    if old.period != new.period {
        said.push(format!(
            "a block comes every {:?}, and every {:?} before",
            new.period, old.period
        ));
    }
    if old.gas_limit != new.gas_limit {
        said.push(format!(
            "the gas limit of blocks goes to {}, and went to {} before",
            new.gas_limit, old.gas_limit
        ));
    }
    said
}

fn members(old: &ValidatorSet, new: &ValidatorSet) -> Vec<String> {
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) = (old.members().collect(), new.members().collect());
    let came = new.iter().filter_map(|(who, power)| match old.get(who) {
        None => Some(format!("validator {who} was added with power {power}")),
        Some(before) if before != power => Some(format!(
            "validator {who} has power {power}, and had {before} before"
        )),
        Some(_) => None,
    });
    let went = old.keys().filter(|who| !new.contains_key(*who));
    came.chain(went.map(|who| format!("validator {who} was removed")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn version(members: &[(u8, u64)], period: u64, gas_limit: u64) -> Constitution {
        let members = members
            .iter()
            .map(|(who, power)| (Address::with_last_byte(*who), *power));
        Constitution {
            from: 0,
            validators: ValidatorSet::new(members).expect("a set"),
            period: Duration::from_millis(period),
            gas_limit,
        }
    }

    #[test]
    fn every_difference_is_said_and_nothing_else() {
        let old = version(&[(1, 1), (2, 1), (3, 1)], 1_000, 5_000_000);
        assert_eq!(differences(&old, &old), Vec::<String>::new());
        let new = version(&[(1, 1), (2, 2), (4, 1)], 500, 6_000_000);
        let said = differences(&old, &new);
        let who = |n| Address::with_last_byte(n);
        let expected = [
            format!("validator {} has power 2, and had 1 before", who(2)),
            format!("validator {} was added with power 1", who(4)),
            format!("validator {} was removed", who(3)),
            "a block comes every 500ms, and every 1s before".to_owned(),
            "the gas limit of blocks goes to 6000000, and went to 5000000 before".to_owned(),
        ];
        assert_eq!(said, expected);
    }
}
