//! Resume tokens: which life of the process, and the next number of each lane. `5f3c9a01-12.3.44`. In a cluster the place
//! that all nodes understand comes after it: `5f3c9a01-12.3.44@17592186044428`.

use std::fmt;
use std::str::FromStr;

/// A place in the stream of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Differs between lives of a process: numbers of a former life say nothing about this one.
    pub life: u32,
    /// The next number wanted, by lane.
    pub next: Vec<u64>,
    /// What other nodes, and other lives of this one, understand of it; empty when there is nothing.
    pub place: String,
}

/// Longest place of ours.
const PLACE_MAX: usize = 100;
/// Most lanes that are read; more is no token of ours.
const LANES_MAX: usize = 1024;

impl Cursor {
    /// A place that only this life of the process understands.
    #[must_use]
    pub fn new(life: u32, next: Vec<u64>) -> Self {
        Self {
            life,
            next,
            place: String::new(),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.life)?;
        for (lane, next) in self.next.iter().enumerate() {
            write!(f, "{}{next}", if lane == 0 { '-' } else { '.' })?;
        }
        if !self.place.is_empty() {
            write!(f, "@{}", self.place)?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (text, place) = text.split_once('@').unwrap_or((text, ""));
        if place.len() > PLACE_MAX {
            return Err(());
        }
        let (life, next) = text.split_once('-').ok_or(())?;
        let life = u32::from_str_radix(life, 16).map_err(|_| ())?;
        let next = next
            .split('.')
            .take(LANES_MAX + 1)
            .map(str::parse)
            .collect::<Result<Vec<u64>, _>>();
        match next {
            Ok(next) if next.len() <= LANES_MAX => Ok(Self {
                life,
                next,
                place: place.to_owned(),
            }),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn tokens_read_back() {
        let cursor = Cursor::new(0x5f3c_9a01, vec![12, 3, 44]);
        assert_eq!(cursor.to_string(), "5f3c9a01-12.3.44");
        assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
        let shared = Cursor {
            place: "17592186044428".to_owned(),
            ..cursor
        };
        assert_eq!(shared.to_string(), "5f3c9a01-12.3.44@17592186044428");
        assert_eq!(shared.to_string().parse(), Ok(shared));
        for bad in ["", "-", "x-1", "1", "1-", "1-a", "1-1.", "1-99999999999999999999"] {
            assert_eq!(bad.parse::<Cursor>(), Err(()), "{bad}");
        }
    }
}
