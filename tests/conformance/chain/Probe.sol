// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// What the factory makes: it remembers one number.
contract Child {
    uint256 public immutable mark;

    constructor(uint256 mark_) payable {
        mark = mark_;
    }
}

/// Everything that the judges of the chain look at, in one contract.
contract Probe {
    struct Pair {
        uint256 left;
        string right;
    }

    event Stored(address indexed who, uint256 indexed key, uint256 value, string note);
    event Paid(address indexed who, uint256 amount);
    event Made(address child);

    error Refused(uint256 code, string why);

    /// Slot 0.
    uint256 public value;
    /// Slot 1: the value of a key is in slot keccak256(key . 1).
    mapping(uint256 => uint256) public table;

    constructor(uint256 first) payable {
        value = first;
    }

    receive() external payable {
        emit Paid(msg.sender, msg.value);
    }

    function store(uint256 key, uint256 to, string calldata note) external {
        value = to;
        table[key] = to;
        emit Stored(msg.sender, key, to, note);
    }

    function pay() external payable {
        emit Paid(msg.sender, msg.value);
    }

    /// Two calls to itself: frames below a frame, logs of the second after those of the first.
    function twice(uint256 key, uint256 to) external {
        this.store(key, to, "first");
        this.store(key + 1, to, "second");
    }

    function refuse(uint256 code) external pure {
        revert Refused(code, "as asked");
    }

    function complain() external pure {
        revert("not today");
    }

    function divide(uint256 a, uint256 b) external pure returns (uint256) {
        return a / b;
    }

    /// Writes, then takes it back: a failed transaction must leave nothing behind.
    function storeAndComplain(uint256 to) external {
        value = to;
        revert("not today");
    }

    /// Gas in proportion to `rounds`.
    function burn(uint256 rounds) external pure returns (bytes32 last) {
        for (uint256 i = 0; i < rounds; i++) {
            last = keccak256(abi.encode(last, i));
        }
    }

    function make(bytes32 salt, uint256 mark) external payable returns (address child) {
        child = address(new Child{salt: salt, value: msg.value}(mark));
        emit Made(child);
    }

    /// Where `make` puts it (EIP-1014).
    function where(bytes32 salt, uint256 mark) external view returns (address) {
        bytes32 code = keccak256(abi.encodePacked(type(Child).creationCode, abi.encode(mark)));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, code)))));
    }

    function echo(Pair calldata pair, bytes calldata octets) external pure returns (Pair memory, bytes memory) {
        return (pair, octets);
    }

    function surroundings()
        external
        view
        returns (uint256 number, uint256 time, uint256 chain, uint256 baseFee, address sender, uint256 balance)
    {
        return (block.number, block.timestamp, block.chainid, block.basefee, msg.sender, address(this).balance);
    }
}
