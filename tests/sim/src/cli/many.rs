//! Many seeds on all processors.

use super::bar::{Bar, Progress};
use super::show::{counts, fault};
use super::{Form, Options};
use purlin_sim::{Broken, Level, Tally, run_mix};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the threads share.
struct Work<'a> {
    options: &'a Options,
    start: Instant,
    next: AtomicU64,
    sum: Mutex<Sum>,
}

struct Sum {
    done: u64,
    broken: Vec<(u64, Broken)>,
    tally: Tally,
    bar: Bar,
}

/// Runs them: whether everything held in all of them, and what there is to say.
pub(crate) fn many(options: &Options) -> (bool, String) {
    let work = Work {
        options,
        start: Instant::now(),
        next: AtomicU64::new(options.from),
        sum: Mutex::new(Sum {
            done: 0,
            broken: Vec::new(),
            tally: Tally::default(),
            bar: Bar::new(),
        }),
    };
    let jobs = options
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, 256) {
            scope.spawn(|| work.run());
        }
    });
    let elapsed = work.start.elapsed();
    let mut sum = work.sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.bar.clear();
    sum.broken.sort_by_key(|(seed, _)| *seed);
    (sum.broken.is_empty(), sum.shown(options, elapsed))
}

impl Work<'_> {
    fn run(&self) {
        loop {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if self.share(seed) >= 1.0 {
                return;
            }
            let outcome = run_mix(seed, self.options.mix(), self.options.without, Level::Silent);
            let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.done += 1;
            sum.tally += outcome.tally;
            if let Some(broken) = &outcome.broken {
                sum.bar.clear();
                if self.options.form() == Form::Text {
                    println!("{}", outcome.verdict());
                }
                sum.broken.push((seed, broken.clone()));
                if self.options.first {
                    self.next.store(u64::MAX / 2, Ordering::Relaxed);
                }
            }
            let progress = Progress {
                done: sum.done,
                share: self.share(seed),
                broken: sum.broken.len() as u64,
                elapsed: self.start.elapsed(),
            };
            sum.bar.show(progress);
        }
    }

    /// How much is behind us when that seed is next.
    fn share(&self, seed: u64) -> f64 {
        let begun = seed.saturating_sub(self.options.from);
        let minutes = self.options.minutes.filter(|_| begun < u64::MAX / 4);
        let by_time =
            minutes.map(|minutes| self.start.elapsed().as_secs_f64() / (60 * minutes.max(1)) as f64);
        by_time.unwrap_or_else(|| begun as f64 / self.options.seeds.max(1) as f64)
    }
}

impl Sum {
    fn shown(&self, options: &Options, elapsed: Duration) -> String {
        let (done, seconds, tally) = (self.done, elapsed.as_secs_f64(), &self.tally);
        match options.form() {
            Form::Text => {
                let broken = self.broken.len();
                format!(
                    "{done} seeds from {} in {seconds:.0} s, {broken} broken; {tally}\n",
                    options.from
                )
            }
            Form::Json => {
                let broken: Vec<_> = self
                    .broken
                    .iter()
                    .map(|(seed, broken)| fault(*seed, broken))
                    .collect();
                let without = options.without.map(|mutation| mutation.rule().name);
                let document = json!({
                    "seeds": done,
                    "from": options.from,
                    "mix": options.mix().name(),
                    "without": without,
                    "seconds": seconds,
                    "broken": broken,
                    "tally": counts(tally),
                });
                document.to_string()
            }
        }
    }
}
