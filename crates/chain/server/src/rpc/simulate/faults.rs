//! Why a simulated transaction cannot begin, with the codes that `eth_simulateV1` gives them.

use crate::exec::{Refused, invalid_words};
use crate::fault::Fault;
use purlin_chain_proto::Address;
use revm::context::result::InvalidTransaction as I;

/// The error of the whole simulation.
pub(super) fn refused(refused: Refused, sender: Address, gas: u64) -> Fault {
    let why = match refused {
        Refused::Fault(fault) => return fault,
        Refused::Invalid(why) => why,
    };
    let code = match &why {
        I::NonceTooLow { .. } => -38_010,
        I::NonceTooHigh { .. } => -38_011,
        I::GasPriceLessThanBasefee => -38_012,
        I::CallGasCostMoreThanGasLimit { .. } | I::GasFloorMoreThanGasLimit { .. } => -38_013,
        I::LackOfFundForMaxFee { .. } | I::OverflowPaymentInTransaction => -38_014,
        I::RejectCallerWithCode => -38_024,
        I::CreateInitCodeSizeLimit => -38_025,
        _ => -32_603,
    };
    let words = invalid_words(&why);
    Fault::new(
        code,
        format!("err: {words}: address {sender} (supplied gas {gas})"),
    )
}

/// The call wants more gas than the block has left.
pub(super) fn no_room(remaining: u64, required: u64) -> Fault {
    let message = format!("block gas limit reached: remaining: {remaining}, required: {required}");
    Fault::new(-38_015, message)
}
