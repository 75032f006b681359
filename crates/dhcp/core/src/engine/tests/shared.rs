//! Several nodes over one store: shares, takeovers, forwarding.

mod copies;
mod life;
mod moves;
mod routing;
mod rows;
mod rules;
mod store;
mod world;
