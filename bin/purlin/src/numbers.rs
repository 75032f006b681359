//! Reading the Prometheus text format, as far as lines of numbers go.

/// One line: a name, its labels as written, a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: &'a str,
    pub(crate) value: f64,
}

/// All samples of a page; comments are left out.
pub(crate) fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let (key, value) = line.rsplit_once(' ')?;
    let (name, labels) = match key.split_once('{') {
        Some((name, rest)) => (name, rest.strip_suffix('}')?),
        None => (key, ""),
    };
    let value = value.parse().ok()?;
    Some(Sample { name, labels, value })
}

/// The sum over all labels of a metric.
pub(crate) fn total(text: &str, name: &str) -> f64 {
    add(samples(text).filter(|sample| sample.name == name))
}

/// The sum over samples that have this label.
pub(crate) fn labelled(text: &str, name: &str, label: &str) -> f64 {
    let those = samples(text).filter(|sample| sample.name == name && sample.labels.contains(label));
    add(those)
}

/// The sum; 0 of nothing.
fn add<'a>(samples: impl Iterator<Item = Sample<'a>>) -> f64 {
    samples.fold(0.0, |sum, sample| sum + sample.value)
}

/// The value below which a share of a histogram's observations lie: the upper bound of the bucket it falls into. `None`
/// without observations, infinite beyond the last bound.
pub(crate) fn quantile(text: &str, name: &str, share: f64) -> Option<f64> {
    let bucket = format!("{name}_bucket");
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for sample in samples(text).filter(|sample| sample.name == bucket) {
        let bound = bound(sample.labels)?;
        match buckets.iter_mut().find(|(known, _)| *known == bound) {
            Some((_, count)) => *count += sample.value,
            None => buckets.push((bound, sample.value)),
        }
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = buckets.last()?.1;
    if all == 0.0 {
        return None;
    }
    buckets
        .iter()
        .find(|(_, count)| *count >= all * share)
        .map(|(bound, _)| *bound)
}

/// The upper bound in `le="0.005"`.
fn bound(labels: &str) -> Option<f64> {
    let (_, rest) = labels.split_once("le=\"")?;
    match rest.split('"').next()? {
        "+Inf" => Some(f64::INFINITY),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP c Something.\n# TYPE c counter\nc{reason=\"sent\"} 3\nc{reason=\"lost\"} 1\n\
        h_bucket{le=\"0.001\"} 90\nh_bucket{le=\"0.01\"} 99\nh_bucket{le=\"+Inf\"} 100\nh_sum 1.5\nh_count 100\ng 7\n";

    #[test]
    fn samples_are_read_and_summed() {
        assert_eq!(samples(PAGE).count(), 8);
        assert_eq!(total(PAGE, "c"), 4.0);
        assert_eq!(labelled(PAGE, "c", "reason=\"lost\""), 1.0);
        assert_eq!(total(PAGE, "g"), 7.0);
        assert_eq!(total(PAGE, "nothing"), 0.0);
    }

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket() {
        assert_eq!(quantile(PAGE, "h", 0.5), Some(0.001));
        assert_eq!(quantile(PAGE, "h", 0.99), Some(0.01));
        assert_eq!(quantile(PAGE, "h", 0.999), Some(f64::INFINITY));
        assert_eq!(quantile(PAGE, "nothing", 0.5), None);
    }
}
