//! Every documented code, from every part of the house.

use purlin_telemetry::{Reason, ReasonCode};

/// All tables. A part that has codes is listed here and nowhere else.
pub(crate) fn tables() -> [&'static [Reason]; 8] {
    [
        purlin_dhcp_core::REASONS,
        purlin_dhcp_core::reader::REASONS,
        purlin_tftp_core::reasons::REASONS,
        purlin_tftp_core::plan::REASONS,
        purlin_tftp_core::reader::REASONS,
        purlin_telemetry::reason::general::REASONS,
        purlin_config::REASONS,
        purlin_api::REASONS,
    ]
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
