//! What nodes ask of the claim store, and what they are told.

use crate::database::Database;
use purlin_fabric::port::Candidate;
use purlin_fabric::{Action, Denied, Input};
use purlin_types::BootTime;

/// What a claim store answers; `None` to what is none of its business.
pub(super) fn claims(
    database: &mut Database,
    real: u64,
    by: &Candidate,
    (asked, action): (BootTime, &Action),
) -> Option<Input> {
    let refused = Denied::Refused;
    Some(match action {
        Action::Enrol(wish) => Input::Enrolled {
            asked,
            outcome: database.enrol(real, wish).map_err(refused),
        },
        Action::Renew => Input::Renewed {
            asked,
            outcome: database.renew(real, by).map_err(refused),
        },
        Action::View => Input::Viewed {
            asked,
            outcome: Ok(database.view(real)),
        },
        Action::Claim(wishes) => Input::Claimed {
            asked,
            wishes: wishes.clone(),
            outcome: database.claim(by, wishes).map_err(refused),
        },
        Action::Release(held) => {
            database.release(real, by, held);
            Input::Released {
                held: held.clone(),
                outcome: Ok(()),
            }
        }
        Action::Settle(held) => {
            database.settle(real, by, held);
            Input::Settled {
                held: held.clone(),
                outcome: Ok(()),
            }
        }
        Action::Advance { from, to } => Input::Advanced {
            to: *to,
            outcome: database.advance(by, *from, *to).map_err(refused),
        },
        Action::PublishPlan { leader, number, plan } => Input::Published {
            number: *number,
            outcome: database.publish(real, leader, *number, plan).map_err(refused),
        },
        Action::GiveUp(_) | Action::Holdings | Action::Tell(_) => return None,
    })
}

/// No answer to a request about claims.
pub(super) fn denied(asked: BootTime, action: Action) -> Option<Input> {
    let no = Denied::Unknown;
    Some(match action {
        Action::Enrol(_) => Input::Enrolled {
            asked,
            outcome: Err(no),
        },
        Action::Renew => Input::Renewed {
            asked,
            outcome: Err(no),
        },
        Action::View => Input::Viewed {
            asked,
            outcome: Err(no),
        },
        Action::Claim(wishes) => Input::Claimed {
            asked,
            wishes,
            outcome: Err(no),
        },
        Action::Release(held) => Input::Released {
            held,
            outcome: Err(no),
        },
        Action::Settle(held) => Input::Settled {
            held,
            outcome: Err(no),
        },
        Action::Advance { to, .. } => Input::Advanced { to, outcome: Err(no) },
        Action::PublishPlan { number, .. } => Input::Published {
            number,
            outcome: Err(no),
        },
        Action::GiveUp(_) | Action::Holdings | Action::Tell(_) => return None,
    })
}
