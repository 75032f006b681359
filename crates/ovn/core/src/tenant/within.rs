//! A plan of a tenant: decided in what it sees, guarded by all that there is.

use crate::address::Book;
use crate::model::State;
use crate::plan::{self, Plan, Refusal, Request};
use crate::problem::Problem;

/// Codes of refusals that name nothing but the tenant's own rows and bounds.
const OWN_WORDS: &[&str] = &["tenant-quota", "tenant-bounds", "row-changed", "row-missing"];

/// Plans twice: in the `view`, whose words the asker gets, and over the `whole`, whose transaction is sent. What only
/// the whole refuses is refused without telling more than that. `book` is who has which address in the view, when somebody
/// keeps it; the request has that of the whole.
///
/// # Errors
/// As [`plan::plan`].
pub fn plan_within<'a>(
    whole: &State<'_>,
    view: &State<'a>,
    book: Option<&Book>,
    request: Request<'_>,
) -> Result<Plan<'a>, Refusal> {
    let seen = Request {
        changes: request.changes.clone(),
        expect: request.expect.clone(),
        book,
        ..request
    };
    let seen = plan::plan(view, seen)?;
    let sent = plan::plan(whole, request).map_err(hushed)?;
    Ok(Plan {
        transaction: sent.transaction,
        ..seen
    })
}

fn hushed(refusal: Refusal) -> Refusal {
    let problems = refusal.problems.into_iter();
    let problems = problems.map(|problem| match OWN_WORDS.contains(&problem.code) {
        true => problem,
        false => {
            let message = "it collides with something outside of this tenant";
            let help = match problem.code {
                "index-taken" | "name-taken" => "choose another name",
                _ => "choose other names or addresses, or ask those who run the installation",
            };
            Problem::error(problem.code, "the change", message).help(help)
        }
    });
    Refusal {
        reason: refusal.reason,
        problems: problems.collect(),
    }
}
