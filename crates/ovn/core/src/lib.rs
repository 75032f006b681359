//! What Purlin knows about OVN, as values: nothing here opens a connection, reads a clock or keeps a file.
//!
//! ```text
//!   expr      match expressions: read, named, judged by a solver          review    rules that others leave nothing
//!   dhcp      options, typed and written by us                            address   grammar, pools, who collides
//!   model     a state, changes, owners, differences, ETags                check     every rule for every row
//!   plan      wanted changes -> one guarded transaction, and its undo     document  an owner's part: apply, prune, drift
//!   trace     questions to ovn-trace, answers with our objects            topology  the network as a graph
//!   template  sets of rules with typed variables                          policy    what the ACLs say, port by port
//!   serving   who answers DHCP on a switch
//!   backup    rows as they are kept, and the changes that bring them back
//!   tenant    whose part of the network a row is: what one sees, what one may
//! ```
//!
//! The way of a write: [`model::State`] over a cache's snapshot, [`plan::plan`] (or [`document::apply`]) with the wanted
//! changes, and out come a transaction that the database itself refuses when its ground has moved, the exact difference,
//! warnings, and the ports that may notice. [`plan::undo`] makes the way back of the difference.

pub mod address;
pub mod backup;
pub mod check;
pub mod dhcp;
pub mod document;
pub mod expr;
pub mod model;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod review;
pub mod serving;
pub mod template;
pub mod tenant;
pub mod topology;
pub mod trace;
