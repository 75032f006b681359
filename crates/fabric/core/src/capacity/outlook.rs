//! A forecast in words, with how far it is to be believed.

use super::Forecast;
use std::time::Duration;

const DAY: u64 = 86_400;

/// How far a forecast is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// There is nothing to believe.
    None,
    Low,
    Medium,
    High,
}

impl Confidence {
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Medium, Self::High];

    /// The word that interfaces use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How far a forecast that saw `span` seconds is to be believed. Less than a day is low whatever the numbers say: within a
/// day use rises and falls by itself. A week, and an interval of less than twice its beginning, is high.
#[must_use]
pub fn confidence(forecast: &Forecast, span: u64) -> Confidence {
    let narrow = match *forecast {
        Forecast::TooShort { .. } => return Confidence::None,
        Forecast::Full => return Confidence::High,
        Forecast::Exhausted { earliest, latest, .. } => {
            latest.map(|latest| latest.as_secs_f64() <= 2.0 * earliest.as_secs_f64())
        }
        Forecast::NoTrend | Forecast::Shrinking { .. } | Forecast::NotSoon { .. } => Some(true),
    };
    match narrow {
        _ if span < DAY => Confidence::Low,
        None => Confidence::Low,
        Some(true) if span >= 7 * DAY => Confidence::High,
        Some(_) => Confidence::Medium,
    }
}

/// One sentence, or two.
#[must_use]
pub fn words(forecast: &Forecast, span: u64) -> String {
    let seen = about(Duration::from_secs(span));
    let said = match *forecast {
        Forecast::Full => return "full: nothing is free".to_owned(),
        Forecast::TooShort { samples } => {
            return format!("not known yet: {samples} samples are no history");
        }
        Forecast::NoTrend => format!("no growth to be seen in {seen}"),
        Forecast::Shrinking { per_day } => {
            format!("use falls by {} a day, as seen over {seen}", rate(-per_day))
        }
        Forecast::NotSoon { per_day, after } => format!(
            "grows by {} a day: not full within {}, as seen over {seen}",
            rate(per_day),
            about(after)
        ),
        Forecast::Exhausted {
            per_day,
            after,
            earliest,
            latest,
        } => {
            let latest = latest.map_or_else(
                || "perhaps never".to_owned(),
                |latest| format!("at the latest in {}", about(latest)),
            );
            format!(
                "full in about {} at current growth, {} a day: with 95 % certainty not before {}, {latest}; seen over {seen}",
                about(after),
                rate(per_day),
                about(earliest)
            )
        }
    };
    if span < DAY {
        return format!("{said}. Less than a day was seen: its own rise and fall look like a trend");
    }
    said
}

fn rate(per_day: f64) -> String {
    if per_day >= 10.0 {
        format!("{per_day:.0}")
    } else {
        format!("{per_day:.1}")
    }
}

/// `3 hours`, `2 days`: two units would be more than anybody knows.
fn about(time: Duration) -> String {
    let secs = time.as_secs();
    let (count, unit) = match secs {
        0..120 => (secs, "second"),
        120..7200 => (secs / 60, "minute"),
        7200..172_800 => (secs / 3600, "hour"),
        172_800..63_072_000 => (secs / DAY, "day"),
        _ => (secs / (365 * DAY), "year"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::{Sample, forecast};

    const HOUR: u64 = 3600;

    /// So many leases an hour on top of 100, with a saw of `noise` on it.
    fn grown(hours: u64, per_hour: u64, noise: u64) -> Vec<Sample> {
        let used = |hour| 100 + hour * per_hour + (hour * 7 % 5) * noise;
        (0..=hours)
            .map(|hour| Sample {
                at: hour * HOUR,
                used: used(hour),
            })
            .collect()
    }

    #[test]
    fn what_is_said_and_how_far_it_is_to_be_believed() {
        type Row = (&'static str, Vec<Sample>, u64, &'static str, Confidence);
        let rows: Vec<Row> = vec![
            (
                "nothing",
                vec![],
                1000,
                "not known yet: 0 samples",
                Confidence::None,
            ),
            (
                "full",
                grown(48, 10, 0),
                500,
                "full: nothing is free",
                Confidence::High,
            ),
            (
                "steady",
                grown(240, 10, 0),
                3700,
                "full in about 5 days",
                Confidence::High,
            ),
            (
                "two days",
                grown(48, 10, 1),
                820,
                "full in about 23 hours",
                Confidence::Medium,
            ),
            (
                "a morning",
                grown(10, 10, 0),
                300,
                "full in about 10 hours",
                Confidence::Low,
            ),
            (
                "slow",
                grown(240, 1, 0),
                1_000_000,
                "not full within 100 days",
                Confidence::High,
            ),
            (
                "flat",
                grown(240, 0, 3),
                1000,
                "no growth to be seen in 10 days",
                Confidence::High,
            ),
        ];
        for (name, samples, capacity, begins, confident) in rows {
            let seen = forecast(&samples, capacity);
            let span = samples.last().map_or(0, |last| last.at);
            let said = words(&seen, span);
            assert!(said.contains(begins), "{name}: {said} ({seen:?})");
            assert_eq!(confidence(&seen, span), confident, "{name}: {seen:?}");
            assert_eq!(
                said.contains("Less than a day"),
                name == "a morning",
                "{name}: {said}"
            );
        }
    }

    #[test]
    fn a_range_that_may_never_end_is_low() {
        let never = Forecast::Exhausted {
            per_day: 1.0,
            after: Duration::from_secs(10 * DAY),
            earliest: Duration::from_secs(5 * DAY),
            latest: None,
        };
        assert_eq!(confidence(&never, 10 * DAY), Confidence::Low);
        assert!(words(&never, 10 * DAY).contains("perhaps never"));
    }

    #[test]
    fn times_are_told_in_one_unit() {
        for (secs, text) in [
            (0, "0 seconds"),
            (119, "119 seconds"),
            (7199, "119 minutes"),
            (86_400, "24 hours"),
            (400_000, "4 days"),
        ] {
            assert_eq!(about(Duration::from_secs(secs)), text);
        }
    }
}
