//! Resume tokens: which life of the process, and the next number of each lane. `5f3c9a01-12.3.44`.

use std::fmt;
use std::str::FromStr;

/// A place in the stream of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Differs between lives of a process: numbers of a former life say nothing about this one.
    pub life: u32,
    /// The next number wanted, by lane.
    pub next: Vec<u64>,
}

/// Most lanes that are read; more is no token of ours.
const LANES_MAX: usize = 1024;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.life)?;
        for (lane, next) in self.next.iter().enumerate() {
            write!(f, "{}{next}", if lane == 0 { '-' } else { '.' })?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (life, next) = text.split_once('-').ok_or(())?;
        let life = u32::from_str_radix(life, 16).map_err(|_| ())?;
        let next = next
            .split('.')
            .take(LANES_MAX + 1)
            .map(str::parse)
            .collect::<Result<Vec<u64>, _>>();
        match next {
            Ok(next) if next.len() <= LANES_MAX => Ok(Self { life, next }),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn tokens_read_back() {
        let cursor = Cursor {
            life: 0x5f3c_9a01,
            next: vec![12, 3, 44],
        };
        assert_eq!(cursor.to_string(), "5f3c9a01-12.3.44");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "-", "x-1", "1", "1-", "1-a", "1-1.", "1-99999999999999999999"] {
            assert_eq!(bad.parse::<Cursor>(), Err(()), "{bad}");
        }
    }
}
