//! Smooth weighted round robin, as nginx does it: everybody's credit grows by the weight, the richest is chosen and pays
//! for all. Weights 5, 1, 1 give `a a b a c a a` rather than `a a a a a b c`.

use super::BackendView;

#[derive(Debug, Default)]
pub(super) struct Smooth {
    credit: Vec<i64>,
}

impl Smooth {
    pub(super) fn choose(&mut self, backends: &[BackendView]) -> Option<usize> {
        self.credit.resize(backends.len(), 0);
        let mut total = 0;
        let mut best = None;
        for (index, (backend, credit)) in backends.iter().zip(&mut self.credit).enumerate() {
            if backend.weight == 0 {
                // Credit saved up while away would come back as a burst.
                *credit = 0;
                continue;
            }
            total += i64::from(backend.weight);
            *credit += i64::from(backend.weight);
            if best.is_none_or(|(_, most)| *credit > most) {
                best = Some((index, *credit));
            }
        }
        let (index, _) = best?;
        self.credit[index] -= total;
        Some(index)
    }
}
