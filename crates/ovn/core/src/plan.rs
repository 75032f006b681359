//! From wanted changes to one guarded transaction, or a refusal that says what is in the way.
//!
//! ```text
//!   Request { actor, writer, changes, expect }       State (a cache's snapshot)
//!            └──────────────┬───────────────────────────┘
//!                           ▼
//!   build      each change on a copy: types, rows that are there, whose they are; DHCP values written by us;
//!              elements of sets together, row by row
//!   collect    what the database will do by itself: orphans go, weak references to what goes are taken out
//!   check      every row that comes or changes: references, uniqueness, matches, addresses, options
//!   diff       before and after, column by column
//!   guards     what all this has relied on, as `wait` operations: the database refuses when any of it has changed
//!                           ▼
//!   Plan { transaction, diff, warnings, affected }   or   Refusal { reason, problems }
//! ```
//!
//! Sets and maps are written by `mutate` only, so that two who add a port to one switch both have it afterwards. Rows come
//! under UUIDs that the asker chose, so that a transaction that is sent twice happens once.

mod affected;
mod build;
mod collect;
mod compose;
mod guards;
mod undo;

use crate::address::Book;
use crate::check;
use crate::model::{Change, Diff, Owner, State, Why};
use crate::problem::Problem;
use crate::serving;
use purlin_ovsdb::{Datum, Transaction, Uuid};
use std::fmt;

pub use affected::affected_ports;
pub use compose::compose;
pub use undo::{Evidence, evidence, roll_back, undo, unmet};

/// On whose behalf is written, and how far that reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Mark of the rows that are made.
    pub owner: String,
    pub reach: Reach,
}

/// Which rows may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of the same owner. All others are read-only.
    Own,
    /// Those, and rows without a mark.
    Unmarked,
    /// All rows, other managers' included: said explicitly, by an administrator.
    All,
}

/// Something that must still be so when the transaction is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// `If-Match`: nobody has written the row since this ETag was given out.
    Etag { table: String, uuid: Uuid, etag: String },
    /// The column has just this value.
    Value {
        table: String,
        uuid: Uuid,
        column: String,
        value: Datum,
    },
    /// The set or map has these.
    Has {
        table: String,
        uuid: Uuid,
        column: String,
        values: Datum,
    },
    /// The set has none of these, the map none of these keys.
    Lacks {
        table: String,
        uuid: Uuid,
        column: String,
        values: Datum,
    },
}

/// What is wanted, by whom.
#[derive(Debug)]
pub struct Request<'r> {
    /// Who asks, for the comment in the database's log.
    pub actor: &'r str,
    /// Id of the request, for the same place.
    pub id: &'r str,
    pub writer: &'r Writer,
    pub changes: Vec<Change>,
    pub expect: Vec<Expect>,
    /// Who has which address, when somebody keeps it; else it is gathered from all rows.
    pub book: Option<&'r Book>,
}

/// A transaction that may be sent, and what it will do.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub transaction: Transaction,
    pub diff: Diff,
    /// What is probably not meant, and is written all the same.
    pub warnings: Vec<Problem>,
    /// Names of the switch ports whose traffic it may change.
    pub affected: Vec<String>,
    /// The state after it.
    pub after: State<'a>,
}

/// Why nothing can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The change makes no sense, or breaks a rule.
    Invalid,
    /// A row is not there.
    NotFound,
    /// A row belongs to somebody else.
    Foreign,
    /// A row has been changed since.
    Changed,
}

/// A plan that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    pub problems: Vec<Problem>,
}

/// Makes the plan. Nothing is sent, and the state is not touched.
pub fn plan<'a>(state: &State<'a>, request: Request<'_>) -> Result<Plan<'a>, Refusal> {
    judged(state, request, false)
}

/// The same for rows that were there once: what would be refused of new ones is a warning. The database's own rules hold,
/// and so do those of owners.
pub fn plan_as_it_was<'a>(state: &State<'a>, request: Request<'_>) -> Result<Plan<'a>, Refusal> {
    judged(state, request, true)
}

fn judged<'a>(state: &State<'a>, request: Request<'_>, lenient: bool) -> Result<Plan<'a>, Refusal> {
    let mut builder = build::Builder::new(state, request.writer);
    for expect in request.expect {
        builder.expect(expect)?;
    }
    for change in request.changes {
        builder.change(serving::complete(&builder.after, change))?;
    }
    builder.settle();
    let whys = collect::collect(&mut builder)?;
    let diff = Diff::between(&builder.after, |table, uuid| match whys.is_empty() {
        true => Why::Asked,
        false => whys.get(&(table.to_owned(), uuid)).copied().unwrap_or(Why::Asked),
    });
    builder.removed_rows_are_ours(&diff)?;
    builder.stays_within(&diff)?;
    let confined = state.confine().is_some();
    let (errors, warnings): (Vec<_>, Vec<_>) = check::check(&builder.after, &diff, request.book)
        .into_iter()
        .partition(|problem| !lenient && (problem.is_error() || (confined && names_nothing(problem))));
    if !errors.is_empty() {
        return Err(Refusal {
            reason: Reason::Invalid,
            problems: errors,
        });
    }
    builder.guard_names(&diff);
    let affected = affected_ports(&builder.after, &diff);
    let (transaction, after) = builder.finish(request.actor, request.id);
    Ok(Plan {
        transaction,
        diff,
        warnings,
        affected,
        after,
    })
}

/// Whether it is about a name that nobody has yet. Whoever comes next may be another tenant.
fn names_nothing(problem: &Problem) -> bool {
    const CODES: &[&str] = &[
        "match-port-unknown",
        "meter-unknown",
        "port-parent-missing",
        "port-peer-missing",
        "port-unknown",
    ];
    CODES.contains(&problem.code)
}

impl Refusal {
    pub(crate) fn one(reason: Reason, problem: Problem) -> Self {
        Self {
            reason,
            problems: vec![problem],
        }
    }

    pub(crate) fn foreign(table: &str, label: &str, owner: &Owner, writer: &str) -> Self {
        let whose = match owner {
            Owner::Nobody => "has no owner".to_owned(),
            owner => format!("belongs to {owner}"),
        };
        let message = format!("{table} {label} {whose}, and {writer} may not write it");
        Self::one(
            Reason::Foreign,
            Problem::error("owner-foreign", format!("{table} {label}"), message),
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
