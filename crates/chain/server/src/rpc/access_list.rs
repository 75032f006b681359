//! `eth_createAccessList`: what the transaction touches, asked again until naming it changes nothing more.

use super::call::arguments;
use super::{Method, Query, answer};
use crate::exec::halt_words;
use crate::fault::{Answer, Fault};
use alloy_eips::eip2930::AccessList;
use alloy_primitives::U64;
use revm::context::result::ExecutionResult;
use revm_inspectors::access_list::AccessListInspector;
use serde_json::json;

pub(super) const METHODS: &[Method] = &[Method::execute("eth_createAccessList", 4, create)];

/// Rounds at most: gas that a list saves may lead the code elsewhere, but hardly more than once or twice.
const ROUNDS: usize = 8;

fn create(query: &Query<'_>) -> Answer {
    let (mut scene, mut transaction) = arguments(query)?;
    transaction.tx_type = transaction.tx_type.max(1);
    let mut list = transaction.access_list.clone();
    for _ in 0..ROUNDS {
        query.in_time()?;
        transaction.access_list = list.clone();
        let mut inspector = AccessListInspector::new(list.clone());
        let result = scene
            .inspect(transaction.clone(), &mut inspector)
            .map_err(Fault::from)?
            .result;
        let touched = inspector.into_access_list();
        if touched == list {
            return answer(&shown(&list, &result));
        }
        list = touched;
    }
    Err(Fault::server("the access list changes whenever it is used"))
}

fn shown(list: &AccessList, result: &ExecutionResult) -> serde_json::Value {
    let mut shown = json!({ "accessList": list, "gasUsed": U64::from(result.tx_gas_used()) });
    let error = match result {
        ExecutionResult::Success { .. } => return shown,
        ExecutionResult::Revert { .. } => "execution reverted".to_owned(),
        ExecutionResult::Halt { reason, .. } => halt_words(reason),
    };
    shown["error"] = error.into();
    shown
}
