//! The pool, the filling of blocks and the fees, over transactions that are forged here.

mod build;
mod delegation;
mod fees;
mod forge;
mod full;
mod journal;
mod life;
mod model;
mod order;
mod refusals;
mod replacement;
mod view;
mod why;
