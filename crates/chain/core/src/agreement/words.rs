//! Times and lists as people read them.

use std::time::Duration;

/// Names that are told; of the others it is told how many.
const NAMES_MAX: usize = 5;

/// `0.3 ms`, `480 ms`, `1.2 s`, `42 s`.
pub(super) fn time(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1e3 => format!("{ms:.0} ms"),
        ms if ms < 1e4 => format!("{:.1} s", ms / 1e3),
        ms => format!("{:.0} s", ms / 1e3),
    }
}

/// `a, b and 7 more`.
pub(super) fn named(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    match names.len().checked_sub(NAMES_MAX) {
        Some(more) if more > 0 => format!("{} and {more} more", names[..NAMES_MAX].join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_or_three_digits() {
        let told = [300, 480_000, 1_240_000, 42_000_000].map(|us| time(Duration::from_micros(us)));
        assert_eq!(told, ["0.3 ms", "480 ms", "1.2 s", "42 s"]);
    }

    #[test]
    fn long_lists_are_cut() {
        let names = |count: usize| named((0..count).map(|n| n.to_string()));
        assert_eq!(names(0), "");
        assert_eq!(names(5), "0, 1, 2, 3, 4");
        assert_eq!(names(7), "0, 1, 2, 3, 4 and 2 more");
    }
}
