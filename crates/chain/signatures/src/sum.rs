//! So many times one point, and so many times another: the sum of all, by the method of Pippenger (1976).
//!
//! ```text
//!   factors, cut into windows   3 -1 | 0  2        a digit may be negative: half as many heaps
//!   in each window, heaps       [points with 1] [with 2] ...   each halved by adding pairs, until it is one point
//!   weighed by their digits     from the highest down, the sum of the sums
//!   all windows                 the highest first, doubled for each bit in between
//! ```

use crate::curve::{Adder, Point, Sum};
use k256::elliptic_curve::PrimeField as _;
use k256::{ProjectivePoint, Scalar};

/// So many times a point.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) point: Point,
    pub(crate) times: Scalar,
}

/// Points that are looked at in one go: enough for pairs that share a division, few enough for a core's cache.
const TOGETHER: usize = 8_192;

/// The bits of a factor, and one for the last carry.
const BITS: usize = 257;

/// The sum of the terms.
pub(crate) fn sum(terms: &[Term]) -> ProjectivePoint {
    let width = width(terms.len());
    let (windows, heaps) = (BITS.div_ceil(width), 1 << (width - 1));
    let digits: Vec<i16> = terms.iter().flat_map(|term| digits(&term.times, width)).collect();
    let mut adder = Adder::default();
    let mut sums: Vec<Sum> = Vec::with_capacity(windows * heaps);
    let windows_at_once = (TOGETHER / terms.len().max(1)).max(1);
    for first in (0..windows).step_by(windows_at_once) {
        let those = first..windows.min(first + windows_at_once);
        let mut placed = Vec::with_capacity(terms.len() * those.len());
        for (term, digits) in terms.iter().zip(digits.chunks_exact(windows)) {
            for (window, digit) in digits[those.clone()].iter().enumerate() {
                if let Some(at) = usize::from(digit.unsigned_abs()).checked_sub(1) {
                    let (heap, negative) = (window * heaps + at, *digit < 0);
                    placed.push((heap, &term.point, negative));
                }
            }
        }
        sums.extend(Heaps::new(those.len() * heaps, &placed).sums(&mut adder));
    }
    let mut sum = ProjectivePoint::IDENTITY;
    for window in weighed(&sums, heaps, &mut adder).into_iter().rev() {
        (0..width).for_each(|_| sum = sum.double());
        sum += window.map_or(ProjectivePoint::IDENTITY, Point::projective);
    }
    sum
}

/// Bits of a window: where the additions into heaps and those of the heaps are balanced. Every other factor has half the
/// bits (see [`crate::claims`]), and the latter come in smaller rounds.
fn width(terms: usize) -> usize {
    let cost = |width: &usize| BITS.div_ceil(*width) * (3 * terms + 10 * (1 << (width - 1)));
    (2..=13).min_by_key(cost).unwrap_or(2)
}

/// The digits of a number, the least first, each from -(2^(width-1) - 1) to 2^(width-1).
fn digits(number: &Scalar, width: usize) -> impl Iterator<Item = i16> + use<> {
    let mut octets: [u8; 40] = [0; 40];
    octets[..32].copy_from_slice(&number.to_repr());
    octets[..32].reverse();
    let mut carry = 0;
    (0..BITS.div_ceil(width)).map(move |window| {
        let first = window * width;
        let eight = octets[first / 8..]
            .first_chunk()
            .map_or(0, |eight| u64::from_le_bytes(*eight));
        let bits = (eight >> (first % 8)) & ((1 << width) - 1);
        // At most 2^13, so that it has room in 16 bits.
        let digit = bits as i16 + carry;
        carry = i16::from(digit > 1 << (width - 1));
        digit - (carry << width)
    })
}

/// Points on heaps: those of the first heap, those of the second, and so on.
struct Heaps {
    points: Vec<Point>,
    heights: Vec<usize>,
}

impl Heaps {
    /// `placed` names a heap, a point, and whether its negative is meant; in any order.
    fn new(count: usize, placed: &[(usize, &Point, bool)]) -> Self {
        let mut heights = vec![0; count];
        for (heap, ..) in placed {
            heights[*heap] += 1;
        }
        let starts = heights.iter().scan(0, |next, height| {
            *next += height;
            Some(*next - height)
        });
        let mut free: Vec<usize> = starts.collect();
        let mut order = vec![0; placed.len()];
        for (index, (heap, ..)) in placed.iter().enumerate() {
            order[free[*heap]] = index;
            free[*heap] += 1;
        }
        let point = |index: usize| match placed[index] {
            (_, point, false) => *point,
            (_, point, true) => point.negative(),
        };
        let points = order.into_iter().map(point).collect();
        Self { points, heights }
    }

    /// What each heap comes to.
    fn sums(mut self, adder: &mut Adder) -> impl Iterator<Item = Sum> + use<> {
        let mut pairs = Vec::with_capacity(self.points.len() / 2);
        while self.heights.iter().any(|height| *height > 1) {
            pairs.extend(
                self.runs()
                    .flat_map(|run| run.chunks_exact(2))
                    .map(|two| (Some(two[0]), two[1])),
            );
            adder.add(&mut pairs);
            self.halve(pairs.drain(..).map(|(sum, _)| sum));
        }
        let mut left = self.points.into_iter();
        self.heights
            .into_iter()
            .map(move |height| if height == 0 { None } else { left.next() })
    }

    fn runs(&self) -> impl Iterator<Item = &[Point]> {
        let mut rest = self.points.as_slice();
        self.heights.iter().map(move |height| {
            let (run, later) = rest.split_at(*height);
            rest = later;
            run
        })
    }

    /// Puts the sums in the place of their pairs. Whoever had no other on his heap stays.
    fn halve(&mut self, mut sums: impl Iterator<Item = Sum>) {
        let (mut read, mut written) = (0, 0);
        for height in &mut self.heights {
            let (first, odd) = (written, *height % 2 == 1);
            for sum in sums.by_ref().take(*height / 2).flatten() {
                self.points[written] = sum;
                written += 1;
            }
            read += *height;
            if odd {
                self.points[written] = self.points[read - 1];
                written += 1;
            }
            *height = written - first;
        }
        self.points.truncate(written);
    }
}

/// For each window the sum of its heaps, each so many times as its digit says.
fn weighed(sums: &[Sum], heaps: usize, adder: &mut Adder) -> Vec<Sum> {
    let windows = sums.len() / heaps;
    let (mut of_this_and_above, mut weighed) = (vec![None; windows], vec![None; windows]);
    for heap in (0..heaps).rev() {
        adder.add_each(&mut of_this_and_above, |window| sums[window * heaps + heap]);
        adder.add_each(&mut weighed, |window| of_this_and_above[window]);
    }
    weighed
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::elliptic_curve::sec1::ToEncodedPoint as _;
    use proptest::prelude::*;

    fn point(n: u64) -> Point {
        let octets = (ProjectivePoint::GENERATOR * Scalar::from(n))
            .to_affine()
            .to_encoded_point(false);
        Point::read(octets.as_bytes()[1..].try_into().expect("64 octets")).expect("a point")
    }

    /// A number of 256 bits; every octet is one of those that make carries, or any other.
    fn factor() -> impl Strategy<Value = Scalar> {
        let octet = prop_oneof![Just(0), Just(0xff), Just(0x80), Just(0x7f), any::<u8>()];
        prop::array::uniform32(octet).prop_map(|octets| {
            <Scalar as k256::elliptic_curve::ops::Reduce<k256::U256>>::reduce_bytes(&octets.into())
        })
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_number(number in factor(), width in 2_usize..=13) {
            let base = Scalar::from(1_u64 << width);
            let digits: Vec<i16> = digits(&number, width).collect();
            prop_assert!(digits.iter().all(|digit| digit.unsigned_abs() <= 1 << (width - 1)));
            let sum = digits.iter().rev().fold(Scalar::ZERO, |sum, digit| {
                let size = Scalar::from(u64::from(digit.unsigned_abs()));
                sum * base + if *digit < 0 { -size } else { size }
            });
            prop_assert_eq!(sum, number);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Few points, so that equal ones and opposite ones meet.
        #[test]
        fn sums_are_those_of_the_terms(
            terms in prop::collection::vec((1_u64..6, any::<bool>(), factor()), 0..300),
        ) {
            let plain: ProjectivePoint = terms
                .iter()
                .map(|(n, negative, times)| {
                    let product = ProjectivePoint::GENERATOR * Scalar::from(*n) * times;
                    if *negative { -product } else { product }
                })
                .sum();
            let terms: Vec<Term> = terms
                .into_iter()
                .map(|(n, negative, times)| {
                    let point = point(n);
                    let point = if negative { point.negative() } else { point };
                    Term { point, times }
                })
                .collect();
            prop_assert_eq!(sum(&terms), plain);
        }
    }

    #[test]
    fn what_many_points_on_one_heap_cancel_is_nothing() {
        for count in [1, 2, 7, 500, 9_000] {
            let mut terms: Vec<Term> = (0..count)
                .map(|n| Term {
                    point: if n % 2 == 0 { point(3) } else { point(3).negative() },
                    times: Scalar::from(77_u64),
                })
                .collect();
            let odd = terms.len() % 2 == 1;
            let wanted = ProjectivePoint::GENERATOR * Scalar::from(if odd { 3 * 77 } else { 0_u64 });
            assert_eq!(sum(&terms), wanted);
            terms.clear();
            assert_eq!(sum(&terms), ProjectivePoint::IDENTITY);
        }
    }
}
