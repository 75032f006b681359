//! Points of secp256k1 as the two numbers that they are (SEC 2, section 2.4.1: y² = x³ + 7), and additions of many pairs at once.
//!
//! The slope of the line through two points is a quotient. The library's own points put divisions off with a third coordinate,
//! which takes sixteen multiplications for a sum; here all pairs of a round share one division (Montgomery's trick), and a
//! sum takes six.

use k256::elliptic_curve::point::AffineCoordinates as _;
use k256::elliptic_curve::sec1::FromEncodedPoint as _;
use k256::{AffinePoint, EncodedPoint, FieldElement, ProjectivePoint};

/// A point of the curve that is not the one at infinity. Both coordinates have magnitude 1, as the library calls it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    x: FieldElement,
    y: FieldElement,
}

/// The sum of nothing is the point at infinity.
pub(crate) type Sum = Option<Point>;

impl Point {
    /// The point whose coordinates these are, 32 octets each, if it is one of the curve.
    pub(crate) fn read(octets: &[u8; 64]) -> Option<Self> {
        let (x, y) = octets.split_at(32);
        let (x, y) = (element(x)?, element(y)?);
        let is_on_curve = (y.square() + right_side(&x).negate(2)).normalizes_to_zero();
        bool::from(is_on_curve).then_some(Self { x, y })
    }

    /// The point with this x and an odd or even y.
    pub(crate) fn with_x(x: &[u8; 32], is_odd: bool) -> Option<Self> {
        let x = element(x)?;
        let y: FieldElement = Option::from(right_side(&x).sqrt())?;
        let y = y.normalize();
        let point = Self { x, y };
        Some(if bool::from(y.is_odd()) == is_odd {
            point
        } else {
            point.negative()
        })
    }

    pub(crate) fn generator() -> Self {
        let generator = AffinePoint::GENERATOR;
        let is_odd = bool::from(generator.y_is_odd());
        Self::with_x(&generator.x().into(), is_odd).expect("the generator is a point of the curve")
    }

    pub(crate) fn negative(self) -> Self {
        let y = self.y.negate(1).normalize_weak();
        Self { y, ..self }
    }

    /// The same for the library.
    pub(crate) fn projective(self) -> ProjectivePoint {
        let octets = EncodedPoint::from_affine_coordinates(&self.x.to_bytes(), &self.y.to_bytes(), false);
        ProjectivePoint::from_encoded_point(&octets)
            .expect("points of the curve have points of the curve as sums")
    }
}

fn element(octets: &[u8]) -> Option<FieldElement> {
    let octets: [u8; 32] = octets.try_into().ok()?;
    Option::from(FieldElement::from_bytes(&octets.into()))
}

/// x³ + 7.
fn right_side(x: &FieldElement) -> FieldElement {
    x.square().mul(x) + FieldElement::from_u64(7)
}

/// Adds many pairs. Kept between rounds for its memory.
#[derive(Debug, Default)]
pub(crate) struct Adder {
    /// For each pair the divisor of its slope, and before it the product of all divisors before.
    divisors: Vec<(FieldElement, FieldElement)>,
}

impl Adder {
    /// Puts `pairs[i].0 + pairs[i].1` into `pairs[i].0`.
    pub(crate) fn add(&mut self, pairs: &mut [(Sum, Point)]) {
        self.divisors.clear();
        let mut product = FieldElement::ONE;
        for (one, other) in pairs.iter() {
            let divisor = divisor(one, other);
            self.divisors.push((product, divisor));
            product = product.mul(&divisor);
        }
        let inverse: Option<FieldElement> = product.invert().into();
        let mut rest = inverse.expect("no divisor is zero");
        for ((one, other), (before, divisor)) in pairs.iter_mut().zip(&self.divisors).rev() {
            let inverse = rest.mul(before);
            rest = rest.mul(divisor);
            *one = sum(one, other, &inverse);
        }
    }

    /// Adds `other(i)` to `sums[i]`.
    pub(crate) fn add_each(&mut self, sums: &mut [Sum], other: impl Fn(usize) -> Sum) {
        let some = (0..sums.len()).filter_map(|at| Some((at, other(at)?)));
        let (places, mut pairs): (Vec<usize>, Vec<(Sum, Point)>) =
            some.map(|(at, other)| (at, (sums[at], other))).unzip();
        self.add(&mut pairs);
        for (at, (sum, _)) in places.into_iter().zip(pairs) {
            sums[at] = sum;
        }
    }
}

/// What the slope is divided by; 1 where there is none to work out.
fn divisor(one: &Sum, other: &Point) -> FieldElement {
    let Some(one) = one else {
        return FieldElement::ONE;
    };
    let run = other.x + one.x.negate(1);
    if !bool::from(run.normalizes_to_zero()) {
        return run;
    }
    // Twice the same point: the tangent. No y is zero, because the group has no element of order 2.
    one.y.double()
}

fn sum(one: &Sum, other: &Point, inverse: &FieldElement) -> Sum {
    let Some(one) = one else {
        return Some(*other);
    };
    let rise = other.y + one.y.negate(1);
    let rise = if bool::from((other.x + one.x.negate(1)).normalizes_to_zero()) {
        if !bool::from(rise.normalizes_to_zero()) {
            return None;
        }
        one.x.square().mul_single(3)
    } else {
        rise
    };
    let slope = rise.mul(inverse);
    let x = (slope.square() + one.x.negate(1) + other.x.negate(1)).normalize_weak();
    let y = (slope.mul(&(one.x + x.negate(1))) + one.y.negate(1)).normalize_weak();
    Some(Point { x, y })
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::Scalar;

    fn times(n: u64) -> ProjectivePoint {
        ProjectivePoint::GENERATOR * Scalar::from(n)
    }

    fn point(n: u64) -> Point {
        let octets =
            k256::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(&times(n).to_affine(), false);
        Point::read(octets.as_bytes()[1..].try_into().expect("64 octets")).expect("a point")
    }

    #[test]
    fn sums_of_pairs_are_those_of_the_library() {
        let mut pairs = Vec::new();
        let mut wanted = Vec::new();
        for one in 1..12 {
            for other in 1..12 {
                pairs.push((Some(point(one)), point(other)));
                wanted.push(times(one + other));
                pairs.push((Some(point(one)), point(other).negative()));
                wanted.push(times(one) - times(other));
                pairs.push((None, point(other)));
                wanted.push(times(other));
            }
        }
        Adder::default().add(&mut pairs);
        for ((sum, _), wanted) in pairs.iter().zip(wanted) {
            assert_eq!(sum.map_or(ProjectivePoint::IDENTITY, Point::projective), wanted);
        }
    }

    #[test]
    fn what_is_not_on_the_curve_is_no_point() {
        let generator = Point::generator();
        assert_eq!(generator.projective(), ProjectivePoint::GENERATOR);
        let mut octets = [0; 64];
        octets[..32].copy_from_slice(&generator.x.to_bytes());
        octets[32..].copy_from_slice(&generator.y.to_bytes());
        assert!(Point::read(&octets).is_some());
        octets[63] ^= 1;
        assert!(Point::read(&octets).is_none());
        assert!(Point::read(&[0; 64]).is_none());
        assert!(Point::read(&[0xff; 64]).is_none());
        // 5 is the x of no point (5³ + 7 = 132 is no square); the prime itself is no number of the field.
        let five = FieldElement::from_u64(5).to_bytes().into();
        assert!(Point::with_x(&five, true).is_none());
        assert!(Point::with_x(&[0xff; 32], true).is_none());
    }
}
