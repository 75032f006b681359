//! Values straight out of a byte stream: for what servers send, millions of them.
//!
//! Only types are checked here: a server has checked the constraints, and may have newer ones than we know.

use super::atom::Atom;
use super::intern::Interner;
use super::{Datum, real};
use crate::types::{AtomicType, ColumnType};
use crate::uuid::Uuid;
use crate::word::Word;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;

/// Reads one value of a column of the given type.
#[derive(Debug)]
pub struct DatumSeed<'a> {
    /// The column's type.
    pub kind: &'a ColumnType,
    /// Where texts are shared.
    pub interner: &'a mut Interner,
}

impl<'de> DeserializeSeed<'de> for DatumSeed<'_> {
    type Value = Datum;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DatumSeed<'_> {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind.container(), self.kind.key.atomic)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Datum, E> {
        self.scalar().visit_bool(v).map(Datum::One)
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Datum, E> {
        self.scalar().visit_i64(v).map(Datum::One)
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Datum, E> {
        self.scalar().visit_u64(v).map(Datum::One)
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Datum, E> {
        self.scalar().visit_f64(v).map(Datum::One)
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Datum, E> {
        self.scalar().visit_str(v).map(Datum::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Datum, A::Error> {
        let tag = seq
            .next_element_seed(Word(Tag::of))?
            .ok_or_else(|| short("a tag"))?;
        let datum = match (tag, &self.kind.value) {
            (Tag::Set, None) => seq.next_element_seed(Elements(self))?,
            (Tag::Map, Some(_)) => seq.next_element_seed(Pairs(self))?,
            (Tag::Uuid, None) if self.kind.key.atomic == AtomicType::Uuid => seq
                .next_element::<Uuid>()?
                .map(|uuid| Datum::One(Atom::Uuid(uuid))),
            (tag, _) => {
                let message = format_args!(
                    "a value tagged {tag}, expected {} of {}",
                    self.kind.container(),
                    self.kind.key.atomic
                );
                return Err(A::Error::custom(message));
            }
        };
        let datum = datum.ok_or_else(|| short("a value after the tag"))?;
        end(&mut seq)?;
        Ok(datum)
    }
}

/// What a value in brackets says that it is.
enum Tag {
    Set,
    Map,
    Uuid,
    Other(String),
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "\"set\"",
            Self::Map => "\"map\"",
            Self::Uuid => "\"uuid\"",
            Self::Other(tag) => return write!(f, "{tag:?}"),
        })
    }
}

impl Tag {
    fn of(text: &str) -> Self {
        match text {
            "set" => Self::Set,
            "map" => Self::Map,
            "uuid" => Self::Uuid,
            // What a peer sent must not fill our logs.
            other => Self::Other(other.chars().take(64).collect()),
        }
    }
}

fn short<E: Error>(missing: &str) -> E {
    E::custom(format_args!("an array ends before {missing}"))
}

fn end<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    match seq.next_element::<serde::de::IgnoredAny>()? {
        None => Ok(()),
        Some(_) => Err(A::Error::custom("an array of two has a third element")),
    }
}

impl<'a> DatumSeed<'a> {
    const fn scalar(self) -> AtomSeed<'a> {
        AtomSeed {
            kind: self.kind.key.atomic,
            interner: self.interner,
        }
    }
}

struct AtomSeed<'a> {
    kind: AtomicType,
    interner: &'a mut Interner,
}

impl AtomSeed<'_> {
    fn wrong<E: Error>(&self, found: &str) -> E {
        E::custom(format_args!("{found}, expected {}", self.kind))
    }
}

impl<'de> DeserializeSeed<'de> for AtomSeed<'_> {
    type Value = Atom;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Atom, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AtomSeed<'_> {
    type Value = Atom;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Atom, E> {
        match self.kind {
            AtomicType::Boolean => Ok(Atom::Boolean(v)),
            _ => Err(self.wrong("a boolean")),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a real column holds doubles")]
    fn visit_i64<E: Error>(self, v: i64) -> Result<Atom, E> {
        match self.kind {
            AtomicType::Integer => Ok(Atom::Integer(v)),
            AtomicType::Real => Ok(Atom::Real(v as f64)),
            _ => Err(self.wrong("a number")),
        }
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Atom, E> {
        match i64::try_from(v) {
            Ok(v) => self.visit_i64(v),
            Err(_) => Err(self.wrong("a number of more than 63 bits")),
        }
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Atom, E> {
        match self.kind {
            AtomicType::Real => Ok(Atom::Real(real::canonical(v))),
            AtomicType::Integer => real::whole(v)
                .map(Atom::Integer)
                .ok_or_else(|| self.wrong("a number that is not whole")),
            _ => Err(self.wrong("a number")),
        }
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Atom, E> {
        match self.kind {
            AtomicType::String => Ok(Atom::Text(self.interner.intern(v))),
            _ => Err(self.wrong("a string")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Atom, A::Error> {
        let tag = seq
            .next_element_seed(Word(Tag::of))?
            .ok_or_else(|| short("a tag"))?;
        if !matches!(tag, Tag::Uuid) || self.kind != AtomicType::Uuid {
            return Err(self.wrong("an array"));
        }
        let uuid = seq.next_element()?.ok_or_else(|| short("a UUID"))?;
        end(&mut seq)?;
        Ok(Atom::Uuid(uuid))
    }
}

struct Elements<'a>(DatumSeed<'a>);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Datum;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Datum, A::Error> {
        let (kind, interner) = (self.0.kind.key.atomic, self.0.interner);
        let mut atoms = interner.atoms.take();
        while let Some(atom) = seq.next_element_seed(AtomSeed { kind, interner })? {
            atoms.push(atom);
        }
        if !atoms.is_sorted_by(|a, b| a < b) {
            atoms.sort_unstable();
            if atoms.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(A::Error::custom("a set holds an element twice"));
            }
        }
        let set = match atoms.len() {
            0 => Datum::EMPTY,
            1 => Datum::One(atoms.remove(0)),
            _ => Datum::Set(Some(atoms.drain(..).collect())),
        };
        interner.atoms.put(atoms);
        Ok(set)
    }
}

struct Pairs<'a>(DatumSeed<'a>);

impl<'de> DeserializeSeed<'de> for Pairs<'_> {
    type Value = Datum;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of pairs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Datum, A::Error> {
        let DatumSeed { kind, interner } = self.0;
        let value = kind
            .value
            .as_ref()
            .map_or(AtomicType::String, |value| value.atomic);
        let mut pairs = interner.pairs.take();
        while let Some(pair) = seq.next_element_seed(Pair(kind.key.atomic, value, interner))? {
            pairs.push(pair);
        }
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            pairs.sort_unstable();
            if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
                return Err(A::Error::custom("a map holds a key twice"));
            }
        }
        let map = interner.map(&mut pairs);
        interner.pairs.put(pairs);
        Ok(map)
    }
}

struct Pair<'a>(AtomicType, AtomicType, &'a mut Interner);

impl<'de> DeserializeSeed<'de> for Pair<'_> {
    type Value = (Atom, Atom);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(Atom, Atom), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Pair<'_> {
    type Value = (Atom, Atom);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key and its value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(Atom, Atom), A::Error> {
        let Self(key, value, interner) = self;
        let key = seq.next_element_seed(AtomSeed { kind: key, interner })?;
        let key = key.ok_or_else(|| short("a key"))?;
        let value = seq.next_element_seed(AtomSeed {
            kind: value,
            interner,
        })?;
        let value = value.ok_or_else(|| short("a key's value"))?;
        end(&mut seq)?;
        Ok((key, value))
    }
}
