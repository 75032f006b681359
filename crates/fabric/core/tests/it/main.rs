//! The fabric's decisions as a whole: coordinators against a store that fails, and the rules in a model checker.

mod claims;
mod model;
mod world;
