//! The programs that a load runs: a token, a store of slots, and one that pays many accounts at once.
//!
//! Written as EVM instructions, one part a line, with the place of each part and the stack after it (top at the right).
//! Made for measuring: the token is worth nothing, and anybody may grant himself some.

use alloy_primitives::{Address, U256, hex};

/// `transfer(address,uint256)`, as ERC-20 has it.
const TRANSFER: [u8; 4] = hex!("a9059cbb");
/// `balanceOf(address)`, as ERC-20 has it.
const BALANCE_OF: [u8; 4] = hex!("70a08231");
/// The token's own: an amount, and the accounts that get it, a word each.
const GRANT: [u8; 4] = *b"gran";

/// Returns the code that stands behind these 11 octets; its length is the second of them.
const DEPLOY: [u8; 11] = hex!("60 00 80 60 0b 60 00 39 60 00 f3");

/// The token. The balance of an account is at keccak256(account . 0), as a mapping in slot 0 would have it.
const TOKEN: [u8; 197] = hex!(
    // 00 which function was meant?
    "60 00 35 60 e0 1c"                 // PUSH1 0, CALLDATALOAD, PUSH1 224, SHR            selector
    "80 63 a9059cbb 14 60 28 57"        // DUP1, PUSH4 transfer, EQ, PUSH1 28, JUMPI        selector
    "80 63 70a08231 14 60 8b 57"        // DUP1, PUSH4 balanceOf, EQ, PUSH1 8b, JUMPI       selector
    "63 6772616e 14 60 a0 57"           // PUSH4 grant, EQ, PUSH1 a0, JUMPI
    // 23 no, said with no words
    "5b 60 00 80 fd"                    // JUMPDEST, PUSH1 0, DUP1, REVERT
    // 28 transfer: the caller's balance loses the amount, if it has so much
    "5b 33 60 00 52"                    // JUMPDEST, CALLER, PUSH1 0, MSTORE                selector
    "60 40 60 00 20"                    // PUSH1 64, PUSH1 0, KECCAK256                     selector from
    "80 54 60 24 35"                    // DUP1, SLOAD, PUSH1 36, CALLDATALOAD              selector from has amount
    "80 82 10 60 23 57"                 // DUP1, DUP3, LT, PUSH1 23, JUMPI                  selector from has amount
    "80 91 03 90 91 55"                 // DUP1, SWAP2, SUB, SWAP1, SWAP2, SSTORE           selector amount
    // 43 the other account's gains it
    "60 04 35 60 00 52"                 // PUSH1 4, CALLDATALOAD, PUSH1 0, MSTORE           selector amount
    "60 40 60 00 20"                    // PUSH1 64, PUSH1 0, KECCAK256                     selector amount to
    "80 54 82 01 90 55"                 // DUP1, SLOAD, DUP3, ADD, SWAP1, SSTORE            selector amount
    // 54 Transfer(from, to, amount) is logged, and the answer is true
    "60 00 52 60 04 35 33"              // PUSH1 0, MSTORE, PUSH1 4, CALLDATALOAD, CALLER   selector to from
    "7f ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"   // PUSH32       selector to from topic
    "60 20 60 00 a3"                    // PUSH1 32, PUSH1 0, LOG3                          selector
    "60 01 60 00 52 60 20 60 00 f3"     // PUSH1 1, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN
    // 8b balanceOf
    "5b 60 04 35 60 00 52"              // JUMPDEST, PUSH1 4, CALLDATALOAD, PUSH1 0, MSTORE selector
    "60 40 60 00 20 54"                 // PUSH1 64, PUSH1 0, KECCAK256, SLOAD              selector has
    "60 00 52 60 20 60 00 f3"           // PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN
    // a0 grant: from the word at 36 to the end of the call, each account's balance gains the amount
    "5b 60 24"                          // JUMPDEST, PUSH1 36                               at
    "5b 36 81 10 15 60 c3 57"           // JUMPDEST, CALLDATASIZE, DUP2, LT, ISZERO, PUSH1 c3, JUMPI   at
    "80 35 60 00 52"                    // DUP1, CALLDATALOAD, PUSH1 0, MSTORE              at
    "60 40 60 00 20"                    // PUSH1 64, PUSH1 0, KECCAK256                     at who
    "80 54 60 04 35 01 90 55"           // DUP1, SLOAD, PUSH1 4, CALLDATALOAD, ADD, SWAP1, SSTORE      at
    "60 20 01 60 a3 56"                 // PUSH1 32, ADD, PUSH1 a3, JUMP                    at
    // c3 the end
    "5b 00"                             // JUMPDEST, STOP
);

/// Writes the second word of the call into the slot that the first word names.
const STORAGE: [u8; 8] = hex!("60 20 35 60 00 35 55 00"); // PUSH1 32, CALLDATALOAD, PUSH1 0, CALLDATALOAD, SSTORE, STOP

/// Of a program that pays: over a part that gives everything back.
const PAY_BEGIN: [u8; 9] = hex!(
    "60 08 56"          // 0 PUSH1 8, JUMP
    "5b 60 00 80 fd"    // 3 JUMPDEST, PUSH1 0, DUP1, REVERT
    "5b"                // 8 JUMPDEST
);
/// One payment: `PUSH1 0, DUP1, DUP1, DUP1` (no input, no output), `PUSH16 value`, `PUSH20 account`, then the rest.
const PAY_HEAD: [u8; 6] = hex!("60 00 80 80 80 6f");
const PAY_ACCOUNT: u8 = 0x73;
/// `GAS, CALL, ISZERO, PUSH1 3, JUMPI`: one that fails takes back all.
const PAY_TAIL: [u8; 6] = hex!("5a f1 15 60 03 57");

pub(crate) fn token() -> Vec<u8> {
    deployed(&TOKEN)
}

pub(crate) fn storage() -> Vec<u8> {
    deployed(&STORAGE)
}

/// The data that creates a contract with this code of fewer than 256 octets.
fn deployed(code: &[u8]) -> Vec<u8> {
    let mut data = DEPLOY.to_vec();
    data[1] = u8::try_from(code.len()).expect("our programs are short");
    data.extend(code);
    data
}

/// The data of a creation that pays these accounts and leaves nothing behind.
pub(crate) fn payments(to: &[(Address, u128)]) -> Vec<u8> {
    let mut data = PAY_BEGIN.to_vec();
    for (account, value) in to {
        data.extend(PAY_HEAD);
        data.extend(value.to_be_bytes());
        data.push(PAY_ACCOUNT);
        data.extend(account);
        data.extend(PAY_TAIL);
    }
    data.push(0); // STOP
    data
}

/// A call of the token that gives each account `amount`.
pub(crate) fn grant(amount: u64, to: &[Address]) -> Vec<u8> {
    let mut data = GRANT.to_vec();
    data.extend(U256::from(amount).to_be_bytes::<32>());
    for account in to {
        data.extend(account.into_word());
    }
    data
}

pub(crate) fn transfer(to: Address, amount: u64) -> Vec<u8> {
    let mut data = TRANSFER.to_vec();
    data.extend(to.into_word());
    data.extend(U256::from(amount).to_be_bytes::<32>());
    data
}

pub(crate) fn balance_of(account: Address) -> Vec<u8> {
    let mut data = BALANCE_OF.to_vec();
    data.extend(account.into_word());
    data
}

/// A call of the store of slots.
pub(crate) fn write(slot: U256, value: U256) -> Vec<u8> {
    [slot.to_be_bytes::<32>(), value.to_be_bytes::<32>()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    const JUMP: u8 = 0x56;
    const JUMPI: u8 = 0x57;
    const JUMPDEST: u8 = 0x5b;

    /// Places of instructions: what follows a PUSH is no instruction.
    fn instructions(code: &[u8]) -> Vec<usize> {
        let mut places = Vec::new();
        let mut at = 0;
        while at < code.len() {
            places.push(at);
            let pushed = match code[at] {
                push @ 0x60..=0x7f => usize::from(push - 0x5f),
                _ => 0,
            };
            at += 1 + pushed;
        }
        places
    }

    fn check_jumps(code: &[u8]) -> usize {
        let places = instructions(code);
        let jumps = places
            .windows(2)
            .filter(|pair| matches!(code[pair[1]], JUMP | JUMPI));
        let targets: Vec<usize> = jumps.map(|pair| usize::from(code[pair[0] + 1])).collect();
        for target in &targets {
            assert_eq!(code[*target], JUMPDEST, "{target:x}");
            assert!(places.contains(target), "{target:x}");
        }
        targets.len()
    }

    #[test]
    fn every_jump_lands_where_it_may() {
        assert_eq!(check_jumps(&TOKEN), 6);
        assert_eq!(check_jumps(&payments(&[(Address::repeat_byte(0x5b), 7); 3])), 4);
    }

    #[test]
    fn the_tokens_words_are_those_of_erc_20() {
        assert_eq!(keccak256("transfer(address,uint256)")[..4], TRANSFER);
        assert_eq!(keccak256("balanceOf(address)")[..4], BALANCE_OF);
        let topic = keccak256("Transfer(address,address,uint256)");
        assert_eq!(TOKEN[0x5c..0x7c], topic[..]);
        assert_eq!(GRANT, hex!("6772616e"));
    }

    #[test]
    fn a_creation_names_the_length_of_its_code() {
        let data = token();
        assert_eq!(usize::from(data[1]), TOKEN.len());
        assert_eq!(data[usize::from(data[4])..], TOKEN);
    }

    #[test]
    fn calls_are_words_behind_a_selector() {
        let account = Address::repeat_byte(1);
        assert_eq!(transfer(account, 5).len(), 4 + 2 * 32);
        assert_eq!(grant(5, &[account, account]).len(), 4 + 3 * 32);
        assert_eq!(balance_of(account)[4 + 12..], account[..]);
        assert_eq!(write(U256::from(1), U256::from(2))[63], 2);
    }
}
