//! Names of rows within one command line: `--id=@name` gives one, `@name` means it.

use purlin_ovsdb::Uuid;
use purlin_ovsdb::text::RowNames;
use std::collections::BTreeMap;

/// Makes names for new rows out of a random seed; the same seed makes the same names.
#[derive(Debug, Clone, Default)]
pub struct Mint {
    seed: u64,
    count: u64,
}

impl Mint {
    /// Names that nobody else makes, as long as nobody else has the seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// Another name.
    pub fn uuid(&mut self) -> Uuid {
        let mut octets = [0; 16];
        octets[..8].copy_from_slice(&self.word().to_be_bytes());
        octets[8..].copy_from_slice(&self.word().to_be_bytes());
        Uuid::from_random(octets)
    }

    /// Splitmix64: every state another word.
    fn word(&mut self) -> u64 {
        self.count += 1;
        let mut word = self
            .seed
            .wrapping_add(self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

/// A name and what was said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// The row.
    pub uuid: Uuid,
    /// Some `--id` brings it.
    pub created: bool,
    /// Something keeps it alive.
    pub strong: bool,
    /// Something points to it, and would not keep it alive.
    pub weak: bool,
}

/// The names of one command line.
#[derive(Debug, Default)]
pub struct Symbols {
    known: BTreeMap<String, Symbol>,
    pub(crate) mint: Mint,
}

impl Symbols {
    /// No names yet.
    #[must_use]
    pub fn new(mint: Mint) -> Self {
        Self {
            mint,
            ..Self::default()
        }
    }

    fn entry(&mut self, name: &str) -> &mut Symbol {
        if !self.known.contains_key(name) {
            let symbol = Symbol {
                uuid: self.mint.uuid(),
                created: false,
                strong: false,
                weak: false,
            };
            self.known.insert(name.to_owned(), symbol);
        }
        self.known.get_mut(name).expect("just put in")
    }

    /// `--id` gives the name to a row; says whether nobody had spoken of it before.
    ///
    /// # Errors
    /// Not a name, or a second `--id` for it.
    pub fn create(&mut self, name: &str) -> Result<(Uuid, bool), String> {
        if !name.starts_with('@') {
            return Err(format!("row id \"{name}\" does not begin with \"@\""));
        }
        let new = !self.known.contains_key(name);
        let symbol = self.entry(name);
        if symbol.created {
            return Err(format!(
                "row id \"{name}\" may only be specified on one --id option"
            ));
        }
        symbol.created = true;
        Ok((symbol.uuid, new))
    }

    /// The row stays without anything that points to it.
    pub fn keep(&mut self, name: &str) {
        self.entry(name).strong = true;
    }

    /// The name means a row that is there already.
    pub fn name_row(&mut self, name: &str, uuid: Uuid) {
        let symbol = self.entry(name);
        symbol.uuid = uuid;
        symbol.strong = true;
    }

    /// What was said, name by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Symbol)> {
        self.known.iter().map(|(name, symbol)| (name.as_str(), symbol))
    }
}

impl RowNames for Symbols {
    fn refer(&mut self, name: &str, strong: Option<bool>) -> Option<Uuid> {
        let symbol = self.entry(name);
        symbol.strong |= strong == Some(true);
        symbol.weak |= strong == Some(false);
        Some(symbol.uuid)
    }
}
