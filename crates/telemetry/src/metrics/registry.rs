//! Who is asked at a scrape, and the families of what is not hot.

use super::{Encoder, Histogram, Kind, NameFault, SERIES_MAX, Summary, name};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Someone who has values to show. Called at every scrape, from the thread that answers it; must not wait.
pub trait Collector {
    fn collect(&self, encoder: &mut Encoder);
}

impl<F: Fn(&mut Encoder)> Collector for F {
    fn collect(&self, encoder: &mut Encoder) {
        self(encoder);
    }
}

/// All families and collectors of a process. Shared by `Arc`.
#[derive(Default)]
pub struct Registry {
    collectors: Mutex<Vec<Arc<dyn Collector + Send + Sync>>>,
    folded: Mutex<BTreeMap<&'static str, u64>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("collectors", &locked(&self.collectors).len())
            .finish_non_exhaustive()
    }
}

/// A number that only grows.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds to the value; negative numbers lower it.
    pub fn add(&self, change: f64) {
        let add = |bits| Some((f64::from_bits(bits) + change).to_bits());
        // The closure always gives a value, so the update cannot fail.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    #[must_use]
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// A [`Histogram`] or [`Summary`] behind a lock, for what several threads measure now and then.
#[derive(Debug)]
pub struct Shared<T>(Arc<Mutex<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Shared<T> {
    /// Works on the value; keep it short.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut locked(&self.0))
    }
}

/// A family of own metrics by the values of its labels, bounded in number.
#[derive(Debug)]
pub struct Vector<M>(Arc<Inner<M>>);

impl<M> Clone for Vector<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<M> {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    labels: &'static [&'static str],
    budget: usize,
    make: Box<dyn Fn() -> M + Send + Sync>,
    show: fn(&M, &mut super::Family<'_>, super::encode::Labels<'_>),
    series: Mutex<BTreeMap<Vec<String>, M>>,
    folded: AtomicU64,
}

impl<M> fmt::Debug for Inner<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<M: Clone> Vector<M> {
    /// The metric of these label values, made when it is new; the one of `other` when the budget is used up.
    /// Missing values are empty, surplus ones are left out.
    #[must_use]
    pub fn with(&self, values: &[&str]) -> M {
        let inner = &*self.0;
        let fitted = |i: usize| values.get(i).copied().unwrap_or_default().to_owned();
        let mut key: Vec<String> = (0..inner.labels.len()).map(fitted).collect();
        let mut series = locked(&inner.series);
        // One place of the budget is kept for `other`.
        if !series.contains_key(&key) && series.len() + 1 >= inner.budget && !key.is_empty() {
            key.fill("other".to_owned());
            inner.folded.fetch_add(1, Ordering::Relaxed);
        }
        series.entry(key).or_insert_with(|| (inner.make)()).clone()
    }
}

impl<M> Collector for Vector<M> {
    fn collect(&self, encoder: &mut Encoder) {
        let inner = &*self.0;
        let mut family = encoder
            .family(inner.name, inner.kind, inner.help)
            .budget(usize::MAX);
        for (values, metric) in &*locked(&inner.series) {
            let labels: Vec<_> = inner
                .labels
                .iter()
                .copied()
                .zip(values.iter().map(String::as_str))
                .collect();
            (inner.show)(metric, &mut family, &labels);
        }
        encoder.note_folded(inner.name, inner.folded.swap(0, Ordering::Relaxed));
    }
}

impl Registry {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks `collector` at every scrape from now on.
    pub fn register(&self, collector: Arc<dyn Collector + Send + Sync>) {
        locked(&self.collectors).push(collector);
    }

    /// A family of counters with these labels.
    ///
    /// # Errors
    /// When a name does not keep the rules.
    pub fn counters(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Result<Vector<Counter>, NameFault> {
        self.own(
            name,
            Kind::Counter,
            help,
            labels,
            Counter::default,
            |metric, family, labels| {
                family.count(labels, metric.get());
            },
        )
    }

    /// A family of gauges with these labels.
    ///
    /// # Errors
    /// When a name does not keep the rules.
    pub fn gauges(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Result<Vector<Gauge>, NameFault> {
        self.own(
            name,
            Kind::Gauge,
            help,
            labels,
            Gauge::default,
            |metric, family, labels| {
                family.value(labels, metric.get());
            },
        )
    }

    /// A family of histograms, each like `model`.
    ///
    /// # Errors
    /// When a name does not keep the rules.
    pub fn histograms(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        model: Histogram,
    ) -> Result<Vector<Shared<Histogram>>, NameFault> {
        let make = move || Shared(Arc::new(Mutex::new(model.clone())));
        self.own(
            name,
            Kind::Histogram,
            help,
            labels,
            make,
            |metric, family, labels| {
                metric.with(|histogram| family.histogram(labels, histogram));
            },
        )
    }

    /// A family of summaries, each like `model`.
    ///
    /// # Errors
    /// When a name does not keep the rules.
    pub fn summaries(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        model: Summary,
    ) -> Result<Vector<Shared<Summary>>, NameFault> {
        let make = move || Shared(Arc::new(Mutex::new(model.clone())));
        self.own(
            name,
            Kind::Summary,
            help,
            labels,
            make,
            |metric, family, labels| {
                metric.with(|summary| family.summary(labels, summary));
            },
        )
    }

    fn own<M: Clone + Send + Sync + 'static>(
        &self,
        name: &'static str,
        kind: Kind,
        help: &'static str,
        labels: &'static [&'static str],
        make: impl Fn() -> M + Send + Sync + 'static,
        show: fn(&M, &mut super::Family<'_>, super::encode::Labels<'_>),
    ) -> Result<Vector<M>, NameFault> {
        name::check_family(name, kind, help)?;
        labels.iter().try_for_each(|label| name::check_label(label))?;
        let (make, series, folded) = (Box::new(make), Mutex::default(), AtomicU64::new(0));
        let inner = Inner {
            name,
            kind,
            help,
            labels,
            budget: SERIES_MAX,
            make,
            show,
            series,
            folded,
        };
        let vector = Vector(Arc::new(inner));
        self.register(Arc::new(vector.clone()));
        Ok(vector)
    }

    /// Asks everyone.
    #[must_use]
    pub fn gather(&self) -> Encoder {
        let mut encoder = Encoder::default();
        // Collectors run without the lock, so that one of them may register another.
        let collectors = locked(&self.collectors).clone();
        for collector in collectors {
            collector.collect(&mut encoder);
        }
        let mut totals = locked(&self.folded);
        for (family, count) in encoder.folded() {
            *totals.entry(family).or_default() += count;
        }
        let mut family = encoder.counter(
            "purlin_metric_series_folded_total",
            "How often a series went to the labels 'other' because its family had used up its budget.",
        );
        for (name, count) in &*totals {
            family.count(&[("family", name)], *count);
        }
        drop(totals);
        encoder
    }

    /// The text of a scrape; its content type is `text/plain; version=0.0.4`.
    #[must_use]
    pub fn text(&self) -> String {
        self.gather().text()
    }
}

/// Nothing here panics while it holds a lock, so a poisoned one is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
