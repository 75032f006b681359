//! Amounts of ether as people write them, and wei as the chain counts them.

use purlin_chain_proto::U256;

/// Decimal places of an ether.
const PLACES: usize = 18;

/// Wei of an amount of ether: `10000`, `0.5`.
pub(super) fn wei(text: &str) -> Result<U256, String> {
    let wrong = || format!("{text} is no amount of ether; write 10000 or 0.5");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if whole.is_empty() || part.len() > PLACES || !digits(whole) || !digits(part) {
        return Err(wrong());
    }
    U256::from_str_radix(&format!("{whole}{part:0<PLACES$}"), 10).map_err(|_| wrong())
}

/// An amount of wei in ether, exactly.
pub(super) fn ether(wei: U256) -> String {
    let text = format!("{wei:0>width$}", wei = wei.to_string(), width = PLACES + 1);
    let (whole, part) = text.split_at(text.len() - PLACES);
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_shown_exactly() {
        for (text, digits) in [
            ("0", "0"),
            ("1", "1000000000000000000"),
            ("0.5", "500000000000000000"),
            ("10000.000000000000000001", "10000000000000000000001"),
        ] {
            let amount = wei(text).unwrap();
            assert_eq!(amount.to_string(), digits);
            assert_eq!(ether(amount), text);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".5", "-1", "1e3", "1.0000000000000000001", "0x10", "1.2.3"] {
            assert!(wei(text).is_err(), "{text}");
        }
    }
}
