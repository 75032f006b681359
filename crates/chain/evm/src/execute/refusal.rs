//! Why a transaction may not stand in a block, in geth's words.

use purlin_chain_proto::Address;
use revm::context::result::InvalidTransaction;

/// A transaction that the block does not take. Nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecutionRefusal {
    #[error("gas limit reached: the transaction may use {wanted}, the block has {left} left")]
    BlockGas { wanted: u64, left: u64 },
    #[error(
        "block size limit reached: the transaction has {wanted} octets, the block has room for {left} (EIP-7934)"
    )]
    BlockSize { wanted: usize, left: usize },
    #[error("transaction type not supported: blocks made here carry no blobs")]
    Blobs,
    #[error(
        "only replay-protected (EIP-155) transactions of this chain are valid here: the signature names chain {0}"
    )]
    ForeignChain(u64),
    #[error("{}", text(.invalid, .sender))]
    Invalid {
        invalid: InvalidTransaction,
        sender: Address,
    },
}

impl ExecutionRefusal {
    pub(super) fn new(invalid: InvalidTransaction, sender: Address) -> Self {
        Self::Invalid { invalid, sender }
    }

    /// Whether a later block may take the same transaction: it stays in a pool. Otherwise it may be dropped.
    pub fn may_pass_later(&self) -> bool {
        use InvalidTransaction as I;
        match self {
            Self::BlockGas { .. } | Self::BlockSize { .. } => true,
            Self::Blobs | Self::ForeignChain(_) => false,
            Self::Invalid { invalid, .. } => matches!(
                invalid,
                I::GasPriceLessThanBasefee
                    | I::BlobGasPriceGreaterThanMax { .. }
                    | I::NonceTooHigh { .. }
                    | I::LackOfFundForMaxFee { .. }
                    | I::CallerGasLimitMoreThanBlock
            ),
        }
    }
}

/// Geth's message where it has one, because tools match on it; revm's otherwise.
fn text(invalid: &InvalidTransaction, sender: &Address) -> String {
    use InvalidTransaction as I;
    match invalid {
        I::NonceTooLow { tx, state } => format!("nonce too low: address {sender}, tx: {tx} state: {state}"),
        I::NonceTooHigh { tx, state } => format!("nonce too high: address {sender}, tx: {tx} state: {state}"),
        I::NonceOverflowInTransaction => format!("nonce has max value: address {sender}"),
        I::LackOfFundForMaxFee { fee, balance } => {
            format!("insufficient funds for gas * price + value: address {sender} have {balance} want {fee}")
        }
        I::OverflowPaymentInTransaction => {
            format!("insufficient funds for gas * price + value: address {sender}")
        }
        I::GasPriceLessThanBasefee => format!("max fee per gas less than block base fee: address {sender}"),
        I::PriorityFeeGreaterThanMaxFee => {
            format!("max priority fee per gas higher than max fee per gas: address {sender}")
        }
        I::CallGasCostMoreThanGasLimit {
            initial_gas,
            gas_limit,
        } => {
            format!("intrinsic gas too low: have {gas_limit}, want {initial_gas}")
        }
        I::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
            format!("insufficient gas for floor data gas cost: have {gas_limit}, want {gas_floor}")
        }
        I::CallerGasLimitMoreThanBlock => "exceeds block gas limit".to_owned(),
        I::TxGasLimitGreaterThanCap { gas_limit, cap } => {
            format!("transaction gas limit too high: cap: {cap}, tx: {gas_limit}")
        }
        I::RejectCallerWithCode => format!("sender not an eoa: address {sender}"),
        I::CreateInitCodeSizeLimit => "max initcode size exceeded".to_owned(),
        I::InvalidChainId => "invalid chain id for signer".to_owned(),
        I::BlobGasPriceGreaterThanMax {
            block_blob_gas_price,
            tx_max_fee_per_blob_gas,
        } => format!(
            "max fee per blob gas less than block blob gas fee: address {sender} \
             blobGasFeeCap: {tx_max_fee_per_blob_gas}, blobBaseFee: {block_blob_gas_price}"
        ),
        I::AccessListNotSupported
        | I::Eip2930NotSupported
        | I::Eip1559NotSupported
        | I::Eip4844NotSupported
        | I::Eip7702NotSupported => format!("transaction type not supported: {invalid}"),
        other => other.to_string(),
    }
}
