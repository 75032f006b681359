//! The contract that holds a chain's constitution: its code is what its source says.

use purlin_conformance::constitution_compiled;

const COMMITTED: &str = include_str!("../../../../../crates/chain/core/contract/Constitution.hex");

#[test]
fn the_contract_in_a_genesis_is_what_solc_makes_of_its_source() {
    if let Some(compiled) = constitution_compiled() {
        assert!(
            compiled == COMMITTED,
            "crates/chain/core/contract/README.md says how to compile it again"
        );
    }
}
