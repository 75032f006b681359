//! Which operation comes next: weights turned into an even, repeatable sequence.

use std::fmt;
use std::str::FromStr;

use super::options::{Operation, OptionsError};

/// Relative weights of the operations, written `dora=80,renew=20` or just `dora`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    weights: [u32; 6],
}

impl Mix {
    /// Only this operation.
    pub fn only(operation: Operation) -> Self {
        let mut weights = [0; 6];
        weights[operation as usize] = 1;
        Self { weights }
    }

    /// The weight of one operation; 0 means it never happens.
    pub fn weight(&self, operation: Operation) -> u32 {
        self.weights[operation as usize]
    }

    /// Whether some operation needs clients that hold a lease.
    pub fn needs_leases(&self) -> bool {
        self.weights[Operation::Dora as usize + 1..]
            .iter()
            .any(|&weight| weight > 0)
    }

    pub(crate) fn sequence(self) -> Sequence {
        Sequence {
            weights: self.weights,
            credit: [0; 6],
        }
    }
}

impl FromStr for Mix {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let mut weights = [0; 6];
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let operation: Operation = name.trim().parse()?;
            let weight = weight
                .trim()
                .parse::<u16>()
                .map_err(|_| OptionsError::Weight(part.to_owned()))?;
            weights[operation as usize] = u32::from(weight);
        }
        if weights.iter().all(|&weight| weight == 0) {
            return Err(OptionsError::EmptyMix);
        }
        Ok(Self { weights })
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for operation in Operation::ALL
            .into_iter()
            .filter(|&operation| self.weight(operation) > 0)
        {
            write!(f, "{separator}{operation}={}", self.weight(operation))?;
            separator = ",";
        }
        Ok(())
    }
}

/// Smooth weighted round robin: every window of the sequence holds the operations in proportion, without randomness.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    weights: [u32; 6],
    credit: [i64; 6],
}

impl Sequence {
    pub(crate) fn next(&mut self) -> Operation {
        let total: i64 = self.weights.iter().map(|&weight| i64::from(weight)).sum();
        let mut best = None;
        for operation in Operation::ALL {
            let at = operation as usize;
            self.credit[at] += i64::from(self.weights[at]);
            if self.weights[at] > 0
                && best.is_none_or(|chosen: Operation| self.credit[at] > self.credit[chosen as usize])
            {
                best = Some(operation);
            }
        }
        let chosen = best.unwrap_or(Operation::Dora);
        self.credit[chosen as usize] -= total;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_met_exactly_over_their_sum() {
        let mix: Mix = "dora=2, renew=7,release=1".parse().expect("well formed");
        let mut sequence = mix.sequence();
        let mut counts = [0; 6];
        (0..100).for_each(|_| counts[sequence.next() as usize] += 1);
        assert_eq!(counts, [20, 70, 0, 0, 10, 0]);
        assert_eq!(mix.to_string(), "dora=2,renew=7,release=1");
    }

    #[test]
    fn an_empty_or_misspelt_mix_is_refused() {
        assert_eq!("".parse::<Mix>(), Err(OptionsError::EmptyMix));
        assert_eq!("dora=0".parse::<Mix>(), Err(OptionsError::EmptyMix));
        assert_eq!(
            "doar".parse::<Mix>(),
            Err(OptionsError::UnknownOperation("doar".into()))
        );
        assert_eq!(
            "dora=many".parse::<Mix>(),
            Err(OptionsError::Weight("dora=many".into()))
        );
    }
}
