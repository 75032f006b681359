//! What the crate promises, from outside.

mod addresses;
mod ask;
mod dhcp_options;
mod expr_language;
mod expr_laws;
mod expr_reason;
mod names;
mod review_rules;
