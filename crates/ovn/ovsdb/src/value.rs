//! Values: atoms, and what columns hold of them.
//!
//! A column holds one atom, a set, or a map (RFC 7047, section 5.1). A set of one element and the element alone mean
//! the same on the wire; here they are the same value too, [`Datum::One`].

mod atom;
mod datum;
mod diff;
mod intern;
mod parse;
mod real;
mod stream;

pub use atom::{Atom, Str};
pub use datum::Datum;
pub use intern::Interner;
pub use parse::Names;
pub use stream::DatumSeed;
