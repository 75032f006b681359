//! What of the contract is asked from outside, as `crates/chain/core/contract/Constitution.sol` declares it.

use alloy_sol_types::sol;

sol! {
    event Voted(address indexed by, bytes callData, uint64 power, uint64 quorum);
    event Changed(uint256 indexed version, uint64 from);

    function current() external view returns (
        uint64 number, uint64 from, uint64 periodMs, uint64 gasLimit, address[] memory who, uint64[] memory power
    );
    function version(uint256 index) external view returns (
        uint64 number, uint64 from, uint64 periodMs, uint64 gasLimit, address[] memory who, uint64[] memory power
    );
    function votes(bytes calldata callData) external view returns (uint64 power, uint64 quorum, address[] memory who);
}
