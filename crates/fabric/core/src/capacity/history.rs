//! What is remembered of the use of a pool: bounded, the older the sparser.

use super::Sample;

/// Samples that are kept.
pub const SAMPLES_KEPT: usize = 240;

/// Nothing older tells about the growth of now.
const LOOK_BACK: u64 = 28 * DAY;
const DAY: u64 = 86_400;

/// Samples in order of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UseHistory(Vec<Sample>);

impl UseHistory {
    /// Adds what is in use now. A clock that was set back forgets what lies ahead of it.
    pub fn push(&mut self, sample: Sample) {
        self.0.retain(|known| known.at < sample.at);
        self.0.push(sample);
        if self.0.len() > SAMPLES_KEPT {
            // Every second one of the older half goes; the first stays, so that the span does.
            let half = self.0.len() / 2;
            let mut place = 0;
            self.0.retain(|_| {
                place += 1;
                place > half || place % 2 == 1
            });
        }
    }

    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.0
    }

    /// The samples that a forecast should see: four weeks at most and, from two days on, whole days, so that the rise of
    /// a morning is not taken for growth.
    #[must_use]
    pub fn window(&self) -> &[Sample] {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return &[];
        };
        let span = (last.at - first.at).min(LOOK_BACK);
        let span = if span >= 2 * DAY { span / DAY * DAY } else { span };
        let from = last.at - span;
        let start = self.0.partition_point(|sample| sample.at < from);
        &self.0[start..]
    }

    /// Seconds from the first to the last sample of [`Self::window`].
    #[must_use]
    pub fn span(&self) -> u64 {
        match self.window() {
            [first, .., last] => last.at - first.at,
            _ => 0,
        }
    }

    /// One line of text: `at used at used ...`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|sample| format!("{} {}", sample.at, sample.used))
            .collect();
        parts.join(" ")
    }

    /// What [`Self::to_text`] wrote; what is none of it is left out.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let numbers: Vec<Option<u64>> = text.split(' ').map(|word| word.parse().ok()).collect();
        let (pairs, _) = numbers.as_chunks::<2>();
        let mut samples: Vec<Sample> = pairs
            .iter()
            .filter_map(|&[at, used]| Some(Sample { at: at?, used: used? }))
            .collect();
        samples.sort_by_key(|sample| sample.at);
        samples.dedup_by_key(|sample| sample.at);
        let excess = samples.len().saturating_sub(SAMPLES_KEPT);
        Self(samples.split_off(excess))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(samples: u64, every: u64) -> UseHistory {
        let mut history = UseHistory::default();
        for n in 0..samples {
            history.push(Sample {
                at: 1_000_000 + n * every,
                used: n,
            });
        }
        history
    }

    #[test]
    fn a_history_is_bounded_and_keeps_its_span() {
        let history = grown(20_000, 300);
        let samples = history.samples();
        assert!(samples.len() <= SAMPLES_KEPT && samples.len() >= SAMPLES_KEPT / 2);
        assert_eq!(samples[0].at, 1_000_000, "the first stays");
        assert_eq!(samples[samples.len() - 1].used, 19_999);
        assert!(samples.is_sorted_by(|a, b| a.at < b.at));
    }

    #[test]
    fn the_window_is_whole_days_and_four_weeks_at_most() {
        assert_eq!(grown(10, 3600).span(), 9 * 3600);
        // 60 hours: two days.
        assert_eq!(grown(61, 3600).span(), 2 * DAY);
        let long = grown(100, DAY);
        assert_eq!(long.span(), LOOK_BACK);
        assert_eq!(UseHistory::default().window(), []);
    }

    #[test]
    fn text_comes_back_and_nonsense_is_left_out() {
        let history = grown(50, 60);
        assert_eq!(UseHistory::from_text(&history.to_text()), history);
        for odd in ["", "x", "5", "5 x", "x 5 y 6"] {
            assert_eq!(UseHistory::from_text(odd).samples(), [], "{odd}");
        }
        assert_eq!(UseHistory::from_text("9 1 5 2 9 3").samples().len(), 2);
    }

    #[test]
    fn a_clock_that_was_set_back_begins_anew_from_there() {
        let mut history = grown(10, 60);
        history.push(Sample {
            at: 1_000_100,
            used: 7,
        });
        let at: Vec<u64> = history.samples().iter().map(|sample| sample.at).collect();
        assert_eq!(at, [1_000_000, 1_000_060, 1_000_100]);
    }
}
