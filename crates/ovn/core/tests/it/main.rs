//! What the crate promises, from outside.

mod ask;
mod expr_language;
mod expr_laws;
mod expr_reason;
mod names;
mod review_rules;
