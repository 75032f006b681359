//! What people and programs see of the cluster: HTTP routes and metrics over the fabric's handles.
//!
//! ```text
//!   GET    /api/v1/cluster                  this node, its store and whether it may own
//!   GET    /api/v1/cluster/nodes[/ID]       every node as this one sees it
//!   POST   /api/v1/cluster/nodes/ID/drain   gives its slots away     DELETE .../nodes/ID[?force=true]
//!   POST   /api/v1/cluster/tokens           how machines join              GET, DELETE .../tokens/ID
//!   POST   /api/v1/cluster/grow             a node alone becomes the first of several    GET tells how far
//!   GET    /api/v1/cluster/leader           503 while nobody leads
//!   GET    /api/v1/cluster/plan             who holds what, and would if a node came or went
//!   GET    /api/v1/scaling/metrics          load and recommendation       .../decision, .../history, .../settings
//!   GET    /api/v1/cluster/sessions         clients and their nodes      DELETE .../sessions/ID
//!   POST   /api/v1/cluster/locks            PUT renews, DELETE releases  GET shows who holds and waits
//!   POST   /api/v1/cluster/invalidations    clears caches on all nodes   GET shows the last ones
//!   POST   /api/v1/cluster/diagnosis        what keeps the nodes from being one system
//! ```

mod caches;
mod diagnosis;
mod events;
mod grow;
mod join;
mod keeper;
mod leaving;
mod locks;
mod metrics;
mod moves;
mod peers;
mod routes;
mod scaling;
mod sessions;
mod text;
mod values;
mod work;

pub use events::{ClusterEvents, Notice, Notices, tell_changes};
pub use grow::Growing;
pub use join::living;
pub use keeper::Keeper;
pub use metrics::{ClusterMetrics, ScalingMetrics};
pub use peers::{Neighbours, Stories, mesh_routes, peer_at};
pub use routes::{Books, routes};
pub use work::Work;
