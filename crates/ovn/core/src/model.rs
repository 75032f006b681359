//! The northbound database as Purlin thinks of it: a state, changes to it, whose rows they are, what differs afterwards.

mod attribute;
mod change;
mod diff;
mod etag;
mod names;
mod naming;
mod natural;
mod owner;
mod schema;
mod state;
mod told;

pub use attribute::{Attributed, Known, attribute};
pub(crate) use attribute::{changed, keys};
pub use change::{Change, Child};
pub use diff::{ColumnDiff, Diff, Kind, RowDiff, Why};
pub use etag::etag;
pub(crate) use names::addresses_of;
pub(crate) use naming::NAMING;
pub use natural::{from_natural, natural, object, row_from_natural, row_natural};
pub use owner::{NAME_KEY, OWNER_KEY, Owner, owner};
pub use schema::target;
pub use schema::{METERED, Reference, is_volatile, label_column, layout, nb_schema, references};
pub use state::State;
pub(crate) use state::label_of;
pub use told::Told;
