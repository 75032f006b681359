//! How nodes of one cluster know and call each other.
//!
//! ```text
//!   cluster.secret ─► Authority (sealed, in the cluster's store) ─► a certificate per node, 30 days
//!                                                                     │
//!   Mesh::serve  TCP ─► first octet, ALPN ─► purlin-mesh/1: both sides show a certificate ─► router, knows the Peer
//!                                        ├─► purlin-join/1: a token instead                ─► a certificate, once
//!                                        └─► anything else: told in words what is wrong
//!   Mesh::call   node address, expected node id, path, JSON ─► JSON
//!   SealedHints  what nodes tell each other through a third party's service, for nobody else to read
//! ```
//!
//! A certificate says which node somebody is, and nothing else. What a node may do is decided elsewhere: ownership by
//! claims, people by the API's tokens. Nothing here knows a service, a database or a configuration file.

mod authority;
mod books;
mod call;
mod certificate;
mod clock;
mod files;
mod gates;
mod hints;
mod join;
mod listen;
mod mesh;
mod octets;
mod peer;
mod protocol;
mod refusal;
mod seal;
mod tls;
mod token;
mod tokens;
mod words;

pub use authority::{Authority, Csr, Issued};
pub use call::CallError;
pub use certificate::{Renewal, Validity, renewal};
pub use clock::Clock;
pub use files::Identity;
pub use hints::SealedHints;
pub use join::{Admission, JoinError, Joined, Wish, join};
pub use listen::Serving;
pub use mesh::{Mesh, MeshError, Notice, Setup};
pub use peer::{Peer, Serial};
pub use protocol::{JOIN, MESH};
pub use refusal::Refusal;
pub use token::{BadToken, JoinToken};
pub use tokens::{Offer, TokenView, Tokens};
