//! The small notations inside strings: durations and hex octets.

use std::time::Duration;

/// Reads `90s`, `1h30m`, `300ms`, `7d`, `1w`, or bare seconds (`90`, also `0.5`).
///
/// # Errors
/// A sentence saying what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let wrong = || format!("{text:?} is no duration");
    if text.is_empty() || text.len() > 64 {
        return Err(wrong());
    }
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let millis: u64 = match &rest[..letters] {
            "ms" => 1,
            "s" | "sec" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            other => return Err(format!("unknown unit {other:?} in {text:?}")),
        };
        let part = number.checked_mul(millis).ok_or_else(wrong)?;
        total = total.checked_add(Duration::from_millis(part)).ok_or_else(wrong)?;
        rest = rest[letters..].trim_start();
    }
    Ok(total)
}

/// The shortest text that [`parse_duration`] reads back: `1h30m`, `300ms`, `0s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut millis = duration.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if millis >= size {
            text.push_str(&format!("{}{unit}", millis / size));
            millis %= size;
        }
    }
    text
}

/// Reads hex octets: `01:02:0a`, `01020a`, `0x01020a`, spaces and dashes allowed between pairs.
///
/// # Errors
/// A sentence naming the first character that is no hex digit, or an odd count.
pub fn parse_hex(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut octets = Vec::with_capacity(digits.len() / 2);
    let mut high: Option<u8> = None;
    for c in digits.chars() {
        match (c.to_digit(16), high) {
            (Some(digit), None) => high = Some(digit as u8),
            (Some(digit), Some(first)) => {
                octets.push((first << 4) | digit as u8);
                high = None;
            }
            (None, None) if matches!(c, ':' | '-' | '.' | ' ') => {}
            (None, _) => return Err(format!("expected pairs of hexadecimal digits, found {c:?}")),
        }
    }
    match high {
        Some(_) => Err("expected pairs of hexadecimal digits, found an odd number".to_owned()),
        None => Ok(octets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let cases = [
            ("90", 90_000),
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            ("300ms", 300),
            ("1d 2h", 93_600_000),
            ("1w", 604_800_000),
        ];
        for (text, millis) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(
            parse_duration("5 parsecs"),
            Err("unknown unit \"parsecs\" in \"5 parsecs\"".into())
        );
        for bad in ["", "h", "1h30", "-5s", "99999999999999999999s", "99999999999999w"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_printed_duration_reads_back() {
        for millis in [0, 1, 999, 1000, 5_400_000, 86_461_001] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }

    #[test]
    fn hex_is_read_with_any_separator() {
        for text in ["01:02:0a", "01020A", "0x01020a", "01 02 0a", "01-02-0a"] {
            assert_eq!(parse_hex(text), Ok(vec![1, 2, 10]), "{text}");
        }
        assert!(parse_hex("0:1").is_err());
        assert!(parse_hex("xyz").is_err());
    }
}
