//! What a simulation has changed, as the store computes roots of it. Values that are as they were may be among them: they
//! change no root.

use crate::source::{Account, Changes, SceneDb};
use revm::database::AccountState;

pub(super) fn of(db: &SceneDb) -> Changes {
    let mut changes = Changes::default();
    for (hash, code) in &db.cache.contracts {
        if !code.is_empty() {
            changes.codes.insert(*hash, code.original_bytes());
        }
    }
    for (address, account) in &db.cache.accounts {
        let info = account.info();
        let Some(info) = info.filter(|info| !info.is_empty()) else {
            changes.accounts.insert(*address, None);
            continue;
        };
        let now = Account {
            nonce: info.nonce,
            balance: info.balance,
            code_hash: info.code_hash,
        };
        changes.accounts.insert(*address, Some(now));
        if account.account_state == AccountState::StorageCleared {
            changes.wiped.insert(*address);
        }
        let slots = account.storage.iter().map(|(slot, value)| (*slot, *value));
        let slots: std::collections::BTreeMap<_, _> = slots.collect();
        if !slots.is_empty() {
            changes.storage.insert(*address, slots);
        }
    }
    changes
}
