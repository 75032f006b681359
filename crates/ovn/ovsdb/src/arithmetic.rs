//! Calculations of mutations, with the faults that RFC 7047, section 5.2.4, names.

use crate::error::{Error, Fault};
use crate::mutation::Mutator;
use crate::value::Atom;

pub(crate) fn calculate(atom: &Atom, mutator: Mutator, argument: &Atom) -> Result<Atom, Error> {
    match (atom, argument) {
        (Atom::Integer(a), Atom::Integer(b)) => integer(*a, mutator, *b).map(Atom::Integer),
        (Atom::Real(a), Atom::Real(b)) => real(*a, mutator, *b).map(Atom::Real),
        _ => Err(Error::constraint("only numbers can be calculated with")),
    }
}

fn integer(a: i64, mutator: Mutator, b: i64) -> Result<i64, Error> {
    if b == 0 && matches!(mutator, Mutator::Divide | Mutator::Remainder) {
        return Err(Error::new(Fault::Domain, "Division by zero."));
    }
    let result = match mutator {
        Mutator::Add => a.checked_add(b),
        Mutator::Subtract => a.checked_sub(b),
        Mutator::Multiply => a.checked_mul(b),
        Mutator::Divide => a.checked_div(b),
        // The least integer by -1 has no quotient of 64 bits, but it has a remainder.
        Mutator::Remainder => Some(a.wrapping_rem(b)),
        Mutator::Insert | Mutator::Delete => None,
    };
    result.ok_or_else(|| out_of_range(mutator))
}

fn real(a: f64, mutator: Mutator, b: f64) -> Result<f64, Error> {
    if b == 0.0 && mutator == Mutator::Divide {
        return Err(Error::new(Fault::Domain, "Division by zero."));
    }
    let result = match mutator {
        Mutator::Add => a + b,
        Mutator::Subtract => a - b,
        Mutator::Multiply => a * b,
        Mutator::Divide => a / b,
        Mutator::Remainder | Mutator::Insert | Mutator::Delete => f64::NAN,
    };
    if result.is_finite() {
        Ok(result)
    } else {
        Err(out_of_range(mutator))
    }
}

fn out_of_range(mutator: Mutator) -> Error {
    let name = mutator.name();
    Error::new(
        Fault::Range,
        format!("Result of \"{name}\" operation is out of range."),
    )
}
