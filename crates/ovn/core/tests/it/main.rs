//! What the crate promises, from outside.

mod addresses;
mod ask;
mod attributed;
mod base;
mod columns;
mod dhcp_options;
mod documents;
mod expr_exhaustive;
mod expr_language;
mod expr_laws;
mod expr_reason;
mod kept;
mod names;
mod pictures;
mod plan_checks;
mod plan_compose;
mod plan_undo;
mod plans;
mod policies;
mod real_server;
mod review_rules;
mod serving;
mod templates;
mod tenant_serving;
mod tenants;
mod traced;
