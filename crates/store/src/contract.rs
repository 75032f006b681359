//! The contract suite: run it over every engine.
