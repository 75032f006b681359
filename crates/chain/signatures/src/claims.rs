//! Signatures of which somebody says whose they are, checked many at a time.
//!
//! Who has recovered the signer of a transaction can tell the public key with it. A signature (r, s) of a digest z is that of
//! the key Q when R = (z/s)·G + (r/s)·Q, where R is the point that r and the parity name. That many such equations
//! hold is one equation, in which each has a random weight a (the small exponents test of Bellare, Garay and Rabin, 1998):
//!
//! ```text
//!   Σ a·(z/s) · G  +  Σ a·(r/s) · Q  -  Σ a · R  =  0
//! ```
//!
//! A set with a wrong one passes with a probability of 2^-128; the group's order is a prime, so that no small subgroup helps a
//! liar. A sum of many terms costs less than its terms: where hundreds come together, a signature costs half of what recovering
//! does, and a third where a key has signed ten of them.

use crate::curve::Point;
use crate::signer::PublicKey;
use crate::sum::{Term, sum};
use alloy_primitives::{B256, Signature, keccak256};
use k256::Scalar;
use k256::elliptic_curve::PrimeField as _;
use k256::elliptic_curve::group::Group as _;
use k256::elliptic_curve::ops::{Invert as _, Reduce};
use std::collections::HashMap;

/// Fewer are as well recovered one by one (`docs/performance.md`).
pub const WORTH_IT: usize = 64;

/// That this key made this signature of this digest.
#[derive(Debug, Clone)]
pub struct Claim {
    pub digest: B256,
    pub signature: Signature,
    pub key: PublicKey,
}

/// Whether all claims are right. `secret` makes the weights: whoever makes claims must not know it.
pub fn are_right(claims: &[Claim], secret: B256) -> bool {
    let read: Option<Vec<Equation>> = claims.iter().map(Equation::read).collect();
    let Some(equations) = read else {
        return false;
    };
    let Some(inverses) = inverses(equations.iter().map(|one| one.s)) else {
        return false;
    };
    let mut terms = Vec::with_capacity(2 * claims.len() + 1);
    let mut of_generator = Scalar::ZERO;
    // Who has signed many has one term: its place.
    let mut of_keys = HashMap::new();
    for (index, ((one, inverse), claim)) in equations.iter().zip(inverses).zip(claims).enumerate() {
        let weight = weight(secret, index);
        let weighted = weight * inverse;
        of_generator += weighted * one.z;
        let (point, times) = (one.point.negative(), weight);
        terms.push(Term { point, times });
        let (point, times) = (one.key, weighted * one.r);
        let place = *of_keys.entry(claim.key).or_insert(terms.len());
        match terms.get_mut(place) {
            Some(term) => term.times += times,
            None => terms.push(Term { point, times }),
        }
    }
    let (point, times) = (Point::generator(), of_generator);
    terms.push(Term { point, times });
    bool::from(sum(&terms).is_identity())
}

/// A claim as numbers and points.
struct Equation {
    z: Scalar,
    r: Scalar,
    s: Scalar,
    point: Point,
    key: Point,
}

impl Equation {
    /// `None` where a number or a point is none of the group.
    fn read(claim: &Claim) -> Option<Self> {
        let scalar = |octets: [u8; 32]| Option::<Scalar>::from(Scalar::from_repr(octets.into()));
        let x: [u8; 32] = claim.signature.r().to_be_bytes();
        let r = scalar(x)?;
        Some(Self {
            // A digest may be above the order, and is meant modulo the order.
            z: reduced(claim.digest),
            r: Some(r).filter(|r| !bool::from(r.is_zero()))?,
            s: scalar(claim.signature.s().to_be_bytes())?,
            point: Point::with_x(&x, claim.signature.v())?,
            key: Point::read(&claim.key)?,
        })
    }
}

fn reduced(digest: B256) -> Scalar {
    <Scalar as Reduce<k256::U256>>::reduce_bytes(&digest.0.into())
}

/// 128 bits that nobody can foresee.
fn weight(secret: B256, index: usize) -> Scalar {
    let mut octets = [0; 40];
    octets[..32].copy_from_slice(secret.as_slice());
    octets[32..].copy_from_slice(&(index as u64).to_be_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&keccak256(octets)[..16]);
    Scalar::from(u128::from_be_bytes(half))
}

/// One over each, with a single division; `None` where one is zero.
fn inverses(all: impl Iterator<Item = Scalar> + Clone) -> Option<Vec<Scalar>> {
    let mut product = Scalar::ONE;
    let mut before = Vec::new();
    for one in all.clone() {
        before.push(product);
        product *= one;
    }
    let mut rest: Scalar = Option::from(product.invert_vartime())?;
    let all: Vec<Scalar> = all.collect();
    for (place, one) in before.iter_mut().zip(&all).rev() {
        *place *= rest;
        rest *= one;
    }
    Some(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;
    use k256::ecdsa::SigningKey;

    const SECRET: B256 = B256::repeat_byte(9);

    fn claim(n: u8) -> Claim {
        let key = SigningKey::from_slice(&[n; 32]).expect("a key");
        let digest = keccak256([n]);
        let (signature, parity) = key.sign_prehash_recoverable(digest.as_slice()).expect("signs");
        let point = key.verifying_key().to_encoded_point(false);
        Claim {
            digest,
            signature: Signature::from((signature, parity)),
            key: point.as_bytes()[1..].try_into().expect("64 octets"),
        }
    }

    fn claims() -> Vec<Claim> {
        (1..=40).map(claim).collect()
    }

    #[test]
    fn right_claims_pass_alone_and_together() {
        assert!(are_right(&[], SECRET));
        for claim in claims() {
            assert!(are_right(&[claim], SECRET));
        }
        assert!(are_right(&claims(), SECRET));
        let twice: Vec<Claim> = claims().into_iter().chain(claims()).collect();
        assert!(are_right(&twice, SECRET));
    }

    #[test]
    fn one_wrong_claim_among_right_ones_is_found() {
        let check = |spoil: fn(&mut Claim)| {
            for at in [0, 17, 39] {
                let mut all = claims();
                spoil(&mut all[at]);
                assert!(!are_right(&all, SECRET));
                assert!(!are_right(&all[at..=at], SECRET));
            }
        };
        check(|one| one.digest.0[31] ^= 1);
        check(|one| one.key = claim(99).key);
        check(|one| one.key[63] ^= 1);
        check(|one| one.key = [0; 64]);
        check(|one| one.signature = one.signature.with_parity(!one.signature.v()));
        check(|one| one.signature = Signature::new(U256::ZERO, one.signature.s(), false));
        check(|one| one.signature = Signature::new(one.signature.r(), U256::ZERO, false));
        check(|one| one.signature = Signature::new(one.signature.r(), U256::MAX, false));
    }

    #[test]
    fn two_wrong_claims_do_not_make_up_for_each_other() {
        let mut all = claims();
        let key = all[3].key;
        all[3].key = all[4].key;
        all[4].key = key;
        assert!(!are_right(&all, SECRET));
    }
}
