//! Decisions of an EVM chain, pure.
