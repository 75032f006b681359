//! Blocks, transactions and rules of an EVM chain.
