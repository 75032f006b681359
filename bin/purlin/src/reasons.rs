//! Every documented code, from every part of the house.

use purlin_telemetry::{Reason, ReasonCode};

/// All tables. A part that has codes is listed here and nowhere else.
fn tables() -> [&'static [Reason]; 0] {
    []
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
