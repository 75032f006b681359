//! A client for OVSDB, the database of Open vSwitch and OVN.
//!
//! ```text
//!   value  types  schema        atoms, sets, maps; what columns may hold          RFC 7047, sections 3 and 5.1
//!   schemas                     those of OVN, as texts
//!   condition  mutation  row    the parts of operations
//!   operation  outcome          transactions and their answers                    RFC 7047, section 5.2
//!   session  monitor            one connection without a socket                   RFC 7047, section 4
//!   cache                       copies of rows, old states, what changed
//!   typed  nb  sb               columns whose types the compiler knows
//!   client                      sockets, clusters, group commit, replicas that resume
//! ```
//!
//! ```no_run
//! # #[cfg(all(feature = "client", feature = "ovn"))]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use purlin_ovsdb::cache::Index;
//! use purlin_ovsdb::client::{Client, Config, Spec, TableSpec, parse_endpoints};
//! use purlin_ovsdb::nb::{self, LogicalSwitch};
//! use purlin_ovsdb::{Insert, Transaction};
//!
//! let members = parse_endpoints("tcp:10.0.0.1:6641,tcp:10.0.0.2:6641,tcp:10.0.0.3:6641")?;
//! let client = Client::start(Config::new(nb::DATABASE, members));
//! let switches = TableSpec::of::<LogicalSwitch>().index(Index::column("name"));
//! let replica = client.replicate(Spec::new().table(LogicalSwitch::TABLE, switches));
//! replica.live().await;
//!
//! let mut change = Transaction::new();
//! change.insert(Insert::new(LogicalSwitch::TABLE).set(LogicalSwitch::NAME, "web"));
//! change.comment("added by an example");
//! let committed = client.commit(change).await?;
//! replica.has_seen(&committed).await;
//!
//! let snapshot = replica.snapshot();
//! let switches = snapshot.table(LogicalSwitch::TABLE).ok_or("an old server")?;
//! assert!(switches.find_one("name", "web").is_some());
//! # Ok(())
//! # }
//! ```
//!
//! All but `client` know no socket, clock or runtime. Source of the extensions: ovsdb-server(7) and ovsdb(7).

mod arithmetic;
pub mod cache;
#[cfg(feature = "client")]
pub mod client;
mod condition;
mod error;
pub mod monitor;
mod mutation;
#[cfg(feature = "ovn")]
pub mod nb;
mod operation;
mod outcome;
mod row;
#[cfg(feature = "ovn")]
pub mod sb;
pub mod schema;
pub mod schemas;
pub mod session;
pub mod text;
pub mod typed;
pub mod types;
mod uuid;
pub mod value;
mod word;

pub use condition::{Condition, Function};
pub use error::{Error, Fault};
pub use mutation::{Mutation, Mutator};
pub use operation::{Insert, Operation, Transaction, Wait};
pub use outcome::{Done, Failure, Outcome, Refusal};
pub use row::{Name, Row};
pub use schema::{ColumnSchema, DatabaseSchema, Pointing, TableSchema};
pub use types::{AtomicType, BaseType, ColumnType};
pub use uuid::{NotAUuid, Uuid};
pub use value::{Atom, Datum, Names, Str};
