// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Who decides about a chain's blocks, how often, and what their gas limit goes to.
///
/// Validators change it by vote, each with a transaction of its own account. When votes of more than two thirds of the
/// power want the same, a new version is appended and counts from two blocks later on; all other votes lapse.
contract Constitution {
    struct Member {
        address who;
        uint64 power;
    }

    struct Version {
        /// The first block that it decides.
        uint64 from;
        /// From one block to the next, in milliseconds.
        uint64 periodMs;
        /// What the gas limit of every block goes to.
        uint64 gasLimit;
        /// In the order of their addresses, nobody twice, nobody without power.
        Member[] members;
    }

    /// An eighth of 2^63, so that sums and thirds never overflow 64 bits.
    uint256 private constant POWER_MAX = uint256(uint64(type(int64).max)) / 8;
    uint256 private constant MEMBERS_MAX = 100;

    /// The set of the next block is fixed when a block is decided.
    uint64 private constant DELAY = 2;

    /// Slot 0. Version 0 is the genesis document's.
    Version[] private versions;

    /// Slot 1. The key names how many versions there are: whatever was open lapses with the next one.
    mapping(bytes32 => mapping(address => bool)) private approved;

    event Voted(address indexed by, bytes callData, uint64 power, uint64 quorum);
    event Changed(uint256 indexed version, uint64 from);

    /// Votes for a new validator.
    function voteAdd(address who, uint64 power) external {
        Version storage last = begin(68);
        Member[] memory old = last.members;
        uint256 spot = place(old, who);
        require(who != address(0), "nobody signs for address 0: name the address of a key");
        require(spot == old.length || old[spot].who != who, "it is a validator already: voteWeight gives it another power");
        require(power > 0, "a validator has a power of 1 at least");
        require(old.length < MEMBERS_MAX, "there are 100 validators already, which is the most: remove one first");
        Member[] memory next = new Member[](old.length + 1);
        for (uint256 i = 0; i < next.length; i++) {
            next[i] = i < spot ? old[i] : i == spot ? Member(who, power) : old[i - 1];
        }
        judge(old, next);
        approve(last, last.periodMs, last.gasLimit, next);
    }

    /// Votes for a validator to go.
    function voteRemove(address who) external {
        Version storage last = begin(36);
        Member[] memory old = last.members;
        uint256 spot = known(old, who);
        require(old.length > 1, "it is the last validator: without it no block is ever decided");
        Member[] memory next = new Member[](old.length - 1);
        for (uint256 i = 0; i < next.length; i++) {
            next[i] = i < spot ? old[i] : old[i + 1];
        }
        judge(old, next);
        approve(last, last.periodMs, last.gasLimit, next);
    }

    /// Votes for a validator to have another power.
    function voteWeight(address who, uint64 power) external {
        Version storage last = begin(68);
        Member[] memory old = last.members;
        uint256 spot = known(old, who);
        require(power > 0, "a validator has a power of 1 at least: voteRemove removes it");
        require(old[spot].power != power, "it has that power already");
        Member[] memory next = last.members;
        next[spot].power = power;
        judge(old, next);
        approve(last, last.periodMs, last.gasLimit, next);
    }

    /// Votes for another time from one block to the next.
    function votePeriod(uint64 ms) external {
        Version storage last = begin(36);
        require(ms >= 50 && ms <= 3600000, "the period is from 50 to 3600000 ms (an hour)");
        require(ms != last.periodMs, "the period is that already");
        approve(last, ms, last.gasLimit, last.members);
    }

    /// Votes for another gas limit, to which blocks then go by less than 1/1024 each.
    function voteGasLimit(uint64 gas) external {
        Version storage last = begin(36);
        require(
            gas >= 5000000 && gas <= uint64(type(int64).max),
            "the gas limit is from 5000000, which any vote fits into, to 9223372036854775807"
        );
        require(gas != last.gasLimit, "the gas limit is that already");
        approve(last, last.periodMs, gas, last.members);
    }

    /// How many versions there are.
    function count() external view returns (uint256) {
        return versions.length;
    }

    /// The newest version, which need not count yet.
    function current()
        external
        view
        returns (
            uint64 number,
            uint64 from,
            uint64 periodMs,
            uint64 gasLimit,
            address[] memory who,
            uint64[] memory power
        )
    {
        return describe(versions.length - 1);
    }

    /// One version.
    function version(uint256 index)
        external
        view
        returns (
            uint64 number,
            uint64 from,
            uint64 periodMs,
            uint64 gasLimit,
            address[] memory who,
            uint64[] memory power
        )
    {
        require(index < versions.length, "there is no such version: count says how many there are");
        return describe(index);
    }

    /// Who has voted for a call since the newest version, and with which power; `quorum` is needed.
    function votes(bytes calldata callData)
        external
        view
        returns (uint64 power, uint64 quorum, address[] memory who)
    {
        Member[] memory members = versions[versions.length - 1].members;
        bytes32 id = identity(callData);
        uint256 found = 0;
        who = new address[](members.length);
        for (uint256 i = 0; i < members.length; i++) {
            if (approved[id][members[i].who]) {
                who[found++] = members[i].who;
            }
        }
        assembly ("memory-safe") {
            mstore(who, found)
        }
        (power, quorum) = tally(id, members);
    }

    /// What every vote is held to first. `length` is that of the call: whoever adds octets would vote for something else.
    function begin(uint256 length) private view returns (Version storage last) {
        last = versions[versions.length - 1];
        require(last.from <= block.number, "a change is on its way already: vote again when it counts");
        Member[] memory members = last.members;
        uint256 spot = place(members, msg.sender);
        require(
            spot < members.length && members[spot].who == msg.sender,
            "only validators vote, and the sender is none"
        );
        require(msg.data.length == length, "the call is longer than its arguments");
    }

    /// Counts the sender's vote, and makes the change when it is a quorum's.
    function approve(Version storage last, uint64 periodMs, uint64 gasLimit, Member[] memory wanted) private {
        bytes32 id = identity(msg.data);
        require(!approved[id][msg.sender], "the sender has voted for this already");
        approved[id][msg.sender] = true;
        (uint64 power, uint64 quorum) = tally(id, last.members);
        emit Voted(msg.sender, msg.data, power, quorum);
        if (power < quorum) {
            return;
        }
        Version storage next = versions.push();
        next.from = uint64(block.number) + DELAY;
        next.periodMs = periodMs;
        next.gasLimit = gasLimit;
        for (uint256 i = 0; i < wanted.length; i++) {
            next.members.push(wanted[i]);
        }
        emit Changed(versions.length - 1, next.from);
    }

    /// Whether one set may follow another: those who went by the old one must not be led astray by the new. Shared power is
    /// the lesser of before and after, held against the larger total. One validator may grow into two of equal power: there
    /// was nobody whose word could be outvoted.
    function judge(Member[] memory old, Member[] memory next) private pure {
        uint256 total = sum(next);
        require(total <= POWER_MAX, "the power of all validators together is at most 1152921504606846975");
        uint256 shared = 0;
        uint256 spot = 0;
        for (uint256 i = 0; i < old.length; i++) {
            while (spot < next.length && next[spot].who < old[i].who) {
                spot++;
            }
            if (spot < next.length && next[spot].who == old[i].who) {
                shared += next[spot].power < old[i].power ? next[spot].power : old[i].power;
            }
        }
        uint256 before = sum(old);
        total = before > total ? before : total;
        require(
            old.length == 1 || shared * 3 >= total * 2,
            "old and new validators would share less than two thirds of the power: change it in smaller steps"
        );
    }

    function describe(uint256 index)
        private
        view
        returns (uint64, uint64, uint64, uint64, address[] memory who, uint64[] memory power)
    {
        Version storage it = versions[index];
        Member[] memory members = it.members;
        who = new address[](members.length);
        power = new uint64[](members.length);
        for (uint256 i = 0; i < members.length; i++) {
            (who[i], power[i]) = (members[i].who, members[i].power);
        }
        return (uint64(index), it.from, it.periodMs, it.gasLimit, who, power);
    }

    function identity(bytes calldata callData) private view returns (bytes32) {
        return keccak256(abi.encodePacked(versions.length, callData));
    }

    function tally(bytes32 id, Member[] memory members) private view returns (uint64 power, uint64 quorum) {
        for (uint256 i = 0; i < members.length; i++) {
            if (approved[id][members[i].who]) {
                power += members[i].power;
            }
        }
        quorum = uint64((sum(members) * 2) / 3 + 1);
    }

    function sum(Member[] memory members) private pure returns (uint256 total) {
        for (uint256 i = 0; i < members.length; i++) {
            total += members[i].power;
        }
    }

    /// Where somebody is in the order, or would be.
    function place(Member[] memory members, address who) private pure returns (uint256 spot) {
        while (spot < members.length && members[spot].who < who) {
            spot++;
        }
    }

    function known(Member[] memory members, address who) private pure returns (uint256 spot) {
        spot = place(members, who);
        require(spot < members.length && members[spot].who == who, "it is no validator");
    }
}
