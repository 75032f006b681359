//! One write: a plan over the rows as they are, one transaction, an answer that says what it did.

mod wait;
mod written;

use crate::journal::{self, Deciding, Intent, Ticket};
use crate::platform::Platform;
use crate::realised::Until;
use crate::within::Within;
use crate::{reasons, shown};
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_api::asked::Asked;
use purlin_api::tenancy::Note;
use purlin_ovn_core::model::{Change, Diff, RowDiff, State, object};
use purlin_ovn_core::plan::{self, Expect, Reach, Reason, Request, Writer};
use purlin_ovn_core::tenant::plan_within;
use purlin_ovsdb::client::{CommitError, Committed, Snapshot};
use purlin_ovsdb::{DatabaseSchema, Failure, Transaction, Uuid};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use wait::Wait;
pub(crate) use written::Written;

/// How often a change is decided anew when it was overtaken.
const TRIES: usize = 5;
/// The same for a tenant, whose writes are overtaken by those of its tree on other nodes, too.
const TRIES_OF_TENANT: usize = 20;
/// Rows that the audit names of one change.
const SUMMARY_MAX: usize = 50;
/// How long `wait` waits, by default and at most.
const WAIT: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(120));

/// Whose rows are made where nothing else is said.
const OWNER: &str = "purlin";

/// How a change is to be made, from the request's parameters.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) actor: String,
    /// What the asker calls the request: `X-Request-Id`.
    pub(crate) called: String,
    writer: Writer,
    dry_run: bool,
    wait: Option<(Until, Duration)>,
    /// What it is part of, for the journal: `undo of ...`.
    pub(crate) about: String,
    /// The entries of the journal that it undoes.
    pub(crate) undoes: Vec<Uuid>,
    /// Rows come back as they were, whatever is to be said against them.
    pub(crate) lenient: bool,
    /// Where the audit hears what was changed.
    pub(crate) note: Note,
}

impl Manner {
    /// `may_force` says whether the caller may write other managers' rows.
    pub(crate) fn of(asked: &Asked, actor: &str, may_force: bool) -> Result<Self, Problem> {
        let force = asked.flag("force")?;
        if force && !may_force {
            let detail = "force=true writes rows of other managers: only an admin may";
            return Err(Problem::new(StatusCode::CONFLICT, &reasons::FOREIGN, detail));
        }
        let until = asked.word_of("wait", &Until::WORDS)?.and_then(Until::parse);
        let limit: Option<u64> = asked.parsed("timeout", "a number of seconds")?;
        let limit = limit.map_or(WAIT.0, Duration::from_secs).min(WAIT.1);
        Ok(Self {
            actor: actor.to_owned(),
            called: String::new(),
            writer: Writer {
                owner: asked.text("owner").unwrap_or(OWNER).to_owned(),
                reach: if force { Reach::All } else { Reach::Unmarked },
            },
            dry_run: asked.dry_run()?,
            wait: until.map(|until| (until, limit)),
            about: String::new(),
            undoes: Vec::new(),
            lenient: false,
            note: Note::default(),
        })
    }
}

impl Manner {
    /// Nothing is written, whatever was asked.
    pub(crate) fn only_plan(&mut self) {
        self.dry_run = true;
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn reach(&self) -> Reach {
        self.writer.reach
    }

    pub(crate) fn reaches(&mut self, reach: Reach) {
        self.writer.reach = reach;
    }

    /// For this owner, whatever was asked.
    pub(crate) fn for_owner(&mut self, owner: &str) {
        owner.clone_into(&mut self.writer.owner);
    }

    /// The same, to be only decided (`dry_run`) or made, and waited for.
    pub(crate) fn trial(&self, dry_run: bool, wait: Option<(Until, Duration)>) -> Self {
        Self {
            dry_run,
            wait,
            ..self.clone()
        }
    }

    /// The same, trying it only where that is said otherwise than by a parameter.
    pub(crate) fn dry(mut self, dry_run: bool) -> Self {
        self.dry_run |= dry_run;
        self
    }

    /// Whether somebody waits for it to be carried out everywhere.
    pub(crate) fn waits(&self) -> bool {
        self.wait.is_some()
    }
}

/// What a change wants, given the rows as they are; made anew when it was overtaken.
pub(crate) trait Wish:
    Fn(&State<'_>) -> Result<(Vec<Change>, Vec<Expect>), Problem> + Send + Sync
{
}

impl<F: Fn(&State<'_>) -> Result<(Vec<Change>, Vec<Expect>), Problem> + Send + Sync> Wish for F {}

/// The rows that a plan is made from.
type Basis = (Arc<DatabaseSchema>, Snapshot);

/// A plan without what it was made from.
struct Decided {
    transaction: Transaction,
    /// Its `row` is there where nothing else will be.
    written: Written,
    /// Until it is written down.
    deciding: Option<Deciding>,
    /// For the audit.
    summary: Value,
    etags: bool,
}

/// Writes down what is about to be sent.
async fn intend(
    platform: &Platform,
    manner: &Manner,
    written: &Written,
    basis: u64,
) -> Result<Option<Ticket>, Problem> {
    let Some(journal) = platform.journal() else {
        return Ok(None);
    };
    let intent = Intent {
        id: written.request,
        basis,
        actor: &manner.actor,
        called: &manner.called,
        owner: &manner.writer.owner,
        tenant: platform.tenant().map(|tenant| tenant.tenant.as_str()),
        about: &manner.about,
        undoes: &manner.undoes,
        diff: &written.diff,
        told: written.text(),
        warnings: &written.warnings,
        affected: &written.affected,
    };
    journal.intend(intent).await.map(Some)
}

/// What the database's answer says about the entry. Where it says nothing, the rows will.
async fn note(ticket: Option<Ticket>, answer: &Result<Committed, CommitError>) {
    let Some(ticket) = ticket else {
        return;
    };
    match answer {
        Ok(_) => ticket.done(),
        Err(error) if is_unknown(error) => {}
        Err(_) => ticket.refused().await,
    }
}

/// Carries a change out. `about` is the row that the answer shows, if it is still there.
pub(crate) async fn write(
    platform: &Platform,
    manner: &Manner,
    about: Option<(&str, Uuid)>,
    wish: impl Wish,
) -> Result<Value, Problem> {
    let row = |state: &State<'_>| {
        let (table, uuid) = about?;
        shown::row(state, table, uuid)
    };
    write_shown(platform, manner, row, wish).await
}

/// What an answer shows as `row`: of the state that would be, and then of the one that is.
pub(crate) trait Show: Fn(&State<'_>) -> Option<Value> + Send + Sync {}

impl<F: Fn(&State<'_>) -> Option<Value> + Send + Sync> Show for F {}

/// The same with an answer that shows what the asker makes of the rows.
pub(crate) async fn write_shown(
    platform: &Platform,
    manner: &Manner,
    show: impl Show,
    wish: impl Wish,
) -> Result<Value, Problem> {
    let written = write_told(platform, manner, show, wish).await;
    written.map(Written::into_value)
}

/// The same with an answer that is told just as it is: a large difference becomes text once and nothing else.
pub(crate) async fn write_told(
    platform: &Platform,
    manner: &Manner,
    show: impl Show,
    wish: impl Wish,
) -> Result<Written, Problem> {
    let wait = Wait::of(platform, manner.wait);
    let mut tries = 0;
    let within = platform.north().within();
    let mut turn = match within {
        Some(within) => Some(within.turn().await),
        None => None,
    };
    let most = if within.is_some() { TRIES_OF_TENANT } else { TRIES };
    loop {
        tries += 1;
        let basis = platform.north().read_whole().await?;
        let mut decided = decide(platform, manner, &show, &wish, (&basis, manner.dry_run))?;
        if manner.dry_run {
            return Ok(decided.written);
        }
        if !decided.written.changed() {
            drop((turn, decided.deciding));
            let mut written = decided.written;
            written.realised = wait.unchanged(platform).await?;
            return Ok(written);
        }
        let mut transaction = std::mem::take(&mut decided.transaction);
        wait.count(platform, &mut transaction).await;
        let ticket = intend(platform, manner, &decided.written, basis.1.generation).await?;
        drop(decided.deciding.take());
        let (operations, sent) = (transaction.len(), Instant::now());
        let outcome = platform.north().client.commit(transaction).await;
        let writes = platform.operations().writes();
        writes.count(operations, sent.elapsed(), &outcome);
        note(ticket, &outcome).await;
        match outcome {
            Ok(committed) => {
                manner.note.leave(decided.summary);
                let seen = platform.north().rows.has_seen(&committed).await;
                drop(turn.take());
                let mut written = decided.written;
                written.row = match seen {
                    // Who reads next sees what was written.
                    true => {
                        let (schema, snapshot) = platform.north().read_live().await?;
                        show(&State::new(&schema, &snapshot.database)).unwrap_or_default()
                    }
                    // As it was meant: what the database has now has not come here yet.
                    false => {
                        decide(platform, manner, &show, &wish, (&basis, true))?
                            .written
                            .row
                    }
                };
                written.realised = wait.follow(platform, &committed).await;
                return Ok(written);
            }
            Err(CommitError::Refused(refusal)) if is_overtaken(&refusal.failure) && tries < most => {
                if decided.etags && refusal.failure == Failure::TimedOut {
                    let detail = "the row was changed after it was read";
                    return Err(Problem::new(
                        StatusCode::PRECONDITION_FAILED,
                        &purlin_api::reasons::CHANGED_MEANWHILE,
                        detail,
                    ));
                }
            }
            Err(error) if is_unknown(&error) => {
                // What became of it stands in its entry.
                let request = decided.written.request.to_string();
                return Err(refused(&error, within.is_some()).with("request", request));
            }
            Err(error) => return Err(refused(&error, within.is_some())),
        }
    }
}

/// The plan over these rows. Its answer has the row that would be when nothing is changed, or `shown` says so.
fn decide(
    platform: &Platform,
    manner: &Manner,
    show: &impl Show,
    wish: &impl Wish,
    ((schema, snapshot), shown): (&Basis, bool),
) -> Result<Decided, Problem> {
    let deciding = platform
        .journal()
        .map(|journal| journal.decide(snapshot.generation));
    let unnamed = |error| Problem::broken(format!("asking for random numbers: {error}"));
    let deciding = deciding.transpose().map_err(unnamed)?;
    // The transaction is called as its entry.
    let id = deciding
        .as_ref()
        .map_or_else(journal::new_id, |deciding| Ok(deciding.id));
    let id = id.map_err(unnamed)?;
    let dhcp = platform.dhcp();
    let within = platform.north().within();
    let part = within.map(|within| (within.part(schema, snapshot), within));
    let whole = State::new(schema, &snapshot.database).with_dhcp(&dhcp);
    let state = match &part {
        Some((part, within)) => State::new(schema, part)
            .with_dhcp(&dhcp)
            .confined(&within.confine),
        None => whole.clone(),
    };
    let (changes, expect) = wish(&state)?;
    let name = id.to_string();
    let etags = expect.iter().any(|expect| matches!(expect, Expect::Etag { .. }));
    let book = platform.book(schema, snapshot);
    let request = Request {
        actor: &manner.actor,
        id: &name,
        writer: &manner.writer,
        changes,
        expect,
        book: Some(&book),
    };
    let plan = match &part {
        Some((part, within)) => {
            let own = within.book(schema, part, snapshot.generation);
            plan_within(&whole.confined(&within.confine), &state, Some(&own), request)
        }
        None if manner.lenient => plan::plan_as_it_was(&state, request),
        None => plan::plan(&state, request),
    };
    let plan = plan.map_err(|refusal| unplanned(&refusal))?;
    let changes = !plan.diff.is_empty();
    let row = (shown || !changes).then(|| show(&plan.after)).flatten();
    let summary = summary(&name, &plan.diff, within);
    let written = Written {
        request: id,
        dry_run: manner.dry_run,
        row: row.unwrap_or_default(),
        diff: Arc::new(plan.diff),
        schema: Arc::clone(schema),
        text: OnceLock::new(),
        warnings: json!(plan.warnings),
        affected: plan.affected,
        realised: Value::Null,
    };
    Ok(Decided {
        transaction: plan.transaction,
        written,
        deciding,
        summary,
        etags,
    })
}

/// What the audit keeps of a change: rows and the names of their columns. Values stay out: who reads the audit need not
/// know them.
fn summary(id: &str, diff: &Diff, within: Option<&Within>) -> Value {
    let row = |row: &RowDiff| {
        let columns = row.columns.iter().map(|column| column.column.as_str());
        object([
            ("table", row.table.as_str().into()),
            ("uuid", row.uuid.to_string().into()),
            ("row", row.label.as_str().into()),
            ("kind", row.kind.word().into()),
            ("columns", columns.collect()),
        ])
    };
    object([
        ("transaction", id.into()),
        ("tenant", within.map(|within| within.confine.name.as_str()).into()),
        ("rows", diff.rows.iter().take(SUMMARY_MAX).map(row).collect()),
        ("rows_total", diff.rows.len().into()),
    ])
}

fn unplanned(refusal: &plan::Refusal) -> Problem {
    let (status, reason) = match refusal.reason {
        Reason::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, &reasons::INVALID),
        Reason::NotFound => (StatusCode::NOT_FOUND, &purlin_api::reasons::NO_SUCH_OBJECT),
        Reason::Foreign => (StatusCode::CONFLICT, &reasons::FOREIGN),
        Reason::Changed => (
            StatusCode::PRECONDITION_FAILED,
            &purlin_api::reasons::CHANGED_MEANWHILE,
        ),
    };
    Problem::new(status, reason, refusal.to_string()).with("problems", json!(refusal.problems))
}

/// Whether somebody else may have been faster: a guard saw other values, or a row came that has the same name. What is
/// decided anew is told in our words.
const fn is_overtaken(failure: &Failure) -> bool {
    matches!(failure, Failure::TimedOut | Failure::Constraint)
}

/// Whether the change may have happened all the same. An answer of another form refuses nothing.
fn is_unknown(error: &CommitError) -> bool {
    match error {
        CommitError::Unknown | CommitError::Closed => true,
        CommitError::Refused(refusal) => refusal.failure == Failure::Protocol,
        CommitError::Unreachable(_) => false,
    }
}

fn refused(error: &CommitError, hushed: bool) -> Problem {
    let (status, reason) = match error {
        CommitError::Refused(refusal) => match refusal.failure {
            Failure::TimedOut => (StatusCode::CONFLICT, &reasons::OVERTAKEN),
            Failure::Constraint | Failure::ReferentialIntegrity => {
                (StatusCode::UNPROCESSABLE_ENTITY, &reasons::INVALID)
            }
            Failure::Protocol => (StatusCode::GATEWAY_TIMEOUT, &reasons::UNKNOWN),
            _ => (StatusCode::BAD_GATEWAY, &reasons::REFUSED),
        },
        CommitError::Unreachable(_) => (StatusCode::GATEWAY_TIMEOUT, &reasons::NO_LEADER),
        CommitError::Unknown => (StatusCode::GATEWAY_TIMEOUT, &reasons::UNKNOWN),
        CommitError::Closed => (StatusCode::SERVICE_UNAVAILABLE, &reasons::NOT_CONNECTED),
    };
    let detail = match error {
        CommitError::Refused(refusal) if is_unknown(error) => {
            let words = refusal.details.as_deref().filter(|_| !hushed);
            let words = words.unwrap_or("read the rows, then decide");
            format!("the database may have taken the change: its answer is not understood; {words}")
        }
        // The server's words name rows, whosever they are.
        CommitError::Refused(_) if hushed => "it collides with something outside of this tenant".to_owned(),
        error => error.to_string(),
    };
    Problem::new(status, reason, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_ovsdb::Outcome;

    #[test]
    fn an_answer_that_is_none_refuses_nothing() {
        let told = |answer: &[u8]| {
            let refusal = Outcome::parse(answer, 2).expect_err("two operations were sent");
            let error = CommitError::Refused(refusal);
            (is_unknown(&error), refused(&error, false).reason().code.0)
        };
        assert_eq!(told(b"[{}]"), (true, 3008), "too few results");
        let broken = br#"[{}, {"error": "constraint violation", "details": "no"}]"#;
        assert_eq!(told(broken), (false, 3003));
    }
}
