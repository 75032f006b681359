//! Every documented code, from every part of the house.

use crate::services;
use purlin_telemetry::{Reason, ReasonCode};

/// All tables. A part that has codes is listed here, or with its service, and nowhere else.
pub(crate) fn tables() -> Vec<&'static [Reason]> {
    let mut tables = services::reasons();
    tables.extend([
        purlin_telemetry::reason::general::REASONS,
        purlin_config::REASONS,
        purlin_api::REASONS,
    ]);
    tables
}

/// All reasons in the order of their codes.
pub(crate) fn all() -> Vec<&'static Reason> {
    let mut all: Vec<&Reason> = tables().into_iter().flatten().collect();
    all.sort_by_key(|reason| reason.code);
    all
}

/// The reason of that code or name.
pub(crate) fn find(text: &str) -> Option<&'static Reason> {
    let code = text.parse::<ReasonCode>().ok();
    all()
        .into_iter()
        .find(|reason| Some(reason.code) == code || reason.slug == text)
}
