//! Kinds of objects as people speak of them: one table of nouns, members and what each member is made of in the database.
//!
//! ```text
//!   kinds      the table: switches, ports, ... and the objects of ovncp
//!   read       a row, shown as its kind                  etag     of the row, its children, and of what is shown
//!   make       a body, as changes to rows                place    rows by the words of paths, filters and references
//!   forms      values that a column keeps as text        document JSON schemas of kinds
//!   stage      changes put on a state, for what comes after them in one request
//!   wish       what a request wants of one object, for the one guarded way to write
//! ```
//!
//! Routes, OpenAPI and checks come from the same table. Everything ends in [`purlin_ovn_core::model::Change`]s, so that
//! plans, guards, owners and undo are those of every other write.

pub(crate) mod datapath;
pub(crate) mod document;
pub(crate) mod etag;
mod fault;
pub(crate) mod forms;
pub(crate) mod kinds;
pub(crate) mod make;
pub(crate) mod place;
pub(crate) mod read;
pub(crate) mod stage;
pub(crate) mod wish;

pub(crate) use fault::{Fault, refusal};

use purlin_api::schema::Schema;
use purlin_ovn_core::model::{Change, State};
use purlin_ovsdb::Uuid;
use serde_json::{Map, Value};

/// A kind of object.
pub(crate) struct Kind {
    /// In paths: `switches`.
    pub(crate) noun: &'static str,
    /// In sentences: `switch`.
    pub(crate) one: &'static str,
    pub(crate) table: &'static str,
    pub(crate) side: Side,
    pub(crate) fields: &'static [Field],
    /// What it is, in a sentence for the API document.
    pub(crate) about: &'static str,
    /// A body of POST.
    pub(crate) example: &'static str,
    pub(crate) names: Names,
    /// Puts what a body says about several members at once into the terms of single ones.
    pub(crate) prepare: Option<Prepare>,
    /// Whether `owner` and `etag` are members.
    pub(crate) marks: bool,
}

/// Which database has its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    North,
    /// Only to be read.
    South,
}

/// Paths, components and summaries of a kind.
pub(crate) struct Names {
    pub(crate) list: &'static str,
    pub(crate) row: &'static str,
    pub(crate) add: &'static str,
    pub(crate) remove: &'static str,
    pub(crate) attach: &'static str,
    pub(crate) detach: &'static str,
    pub(crate) component: &'static str,
    pub(crate) new: &'static str,
    pub(crate) change: &'static str,
    pub(crate) written: &'static str,
    pub(crate) lists: &'static str,
    pub(crate) shows: &'static str,
    pub(crate) makes: &'static str,
    pub(crate) changes: &'static str,
    pub(crate) takes: &'static str,
    pub(crate) adds: &'static str,
    pub(crate) takes_out: &'static str,
}

/// What comes back are changes to other rows that the body asks for, too.
pub(crate) type Prepare = fn(&Subject<'_, '_>, &mut Map<String, Value>) -> Result<Vec<Change>, Fault>;

/// The row that a body is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'s, 'a> {
    pub(crate) state: &'s State<'a>,
    pub(crate) kind: &'static Kind,
    pub(crate) uuid: Uuid,
    /// Whether it is only being made.
    pub(crate) new: bool,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kind({})", self.noun)
    }
}

/// One member of a kind.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) of: Of,
    pub(crate) access: Access,
    /// Whether a new object cannot be without it.
    pub(crate) needed: bool,
    /// The parameter of lists that chooses by it.
    pub(crate) filter: Option<&'static str>,
    /// Whether the filter asks for a part of the text.
    pub(crate) part: bool,
    pub(crate) doc: &'static str,
}

/// Who may write a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Write,
    /// When the object is made, and never again.
    Once,
    /// Nobody here; a body may repeat what is.
    Read,
    /// Nobody; a body may say anything.
    Told,
}

/// What a member is made of.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    /// A column as it is.
    Column(&'static str),
    /// A map of texts; `hidden` keys are not shown and stay when the map is replaced.
    Map {
        column: &'static str,
        hidden: &'static [&'static str],
        values: Values,
    },
    /// One key of a map.
    Key {
        column: &'static str,
        key: &'static str,
        form: Form,
    },
    /// Rows that a column points to.
    Rows { column: &'static str, by: By },
    /// Rows that point here.
    Referrers {
        table: &'static str,
        column: &'static str,
        by: By,
    },
    /// The row under which this one hangs.
    Parent {
        table: &'static str,
        column: &'static str,
        by: By,
    },
    /// Rows that exist for this one only, each an object; `key` members say which is which.
    Children {
        table: &'static str,
        column: &'static str,
        fields: &'static [Field],
        key: &'static [&'static str],
    },
    /// The switch or router whose datapath a row of the southbound is of; several where `many`.
    Datapath { router: bool, many: bool },
    /// What is worked out from other rows.
    Shown(fn(&State<'_>, Uuid) -> Value, fn() -> Schema),
}

/// How one key's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// `true` and `false`.
    Flag,
    /// From, to.
    Whole(u64, u64),
    /// A list, with spaces between.
    Words,
}

/// How the values of a map are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Text,
    /// Lists, with spaces between.
    Words,
    /// DHCP options, each by its type.
    Dhcp,
}

/// How references are shown. Both are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Name,
    Uuid,
}

impl Field {
    pub(crate) const fn new(name: &'static str, of: Of, doc: &'static str) -> Self {
        Self {
            name,
            of,
            access: Access::Write,
            needed: false,
            filter: None,
            part: false,
            doc,
        }
    }

    /// A column of the same name.
    pub(crate) const fn same(name: &'static str, doc: &'static str) -> Self {
        Self::new(name, Of::Column(name), doc)
    }

    pub(crate) const fn column(name: &'static str, column: &'static str, doc: &'static str) -> Self {
        Self::new(name, Of::Column(column), doc)
    }

    pub(crate) const fn map(name: &'static str, doc: &'static str) -> Self {
        let (hidden, values): (&[&str], _) = (&[], Values::Text);
        Self::new(
            name,
            Of::Map {
                column: name,
                hidden,
                values,
            },
            doc,
        )
    }

    pub(crate) const fn key(
        name: &'static str,
        column: &'static str,
        key: &'static str,
        form: Form,
        doc: &'static str,
    ) -> Self {
        Self::new(name, Of::Key { column, key, form }, doc)
    }

    /// Rows of a column, by their names.
    pub(crate) const fn rows(name: &'static str, column: &'static str, doc: &'static str) -> Self {
        Self::new(name, Of::Rows { column, by: By::Name }, doc)
    }

    /// Rows that point here, by their names.
    pub(crate) const fn referrers(
        name: &'static str,
        table: &'static str,
        column: &'static str,
        doc: &'static str,
    ) -> Self {
        let by = By::Name;
        Self::new(name, Of::Referrers { table, column, by }, doc)
    }

    /// The row it hangs under, by its name.
    pub(crate) const fn parent(
        name: &'static str,
        table: &'static str,
        column: &'static str,
        doc: &'static str,
    ) -> Self {
        let by = By::Name;
        Self {
            access: Access::Once,
            filter: Some(name),
            ..Self::new(name, Of::Parent { table, column, by }, doc)
        }
    }

    pub(crate) const fn shown(
        name: &'static str,
        shows: fn(&State<'_>, Uuid) -> Value,
        schema: fn() -> Schema,
        doc: &'static str,
    ) -> Self {
        Self::new(name, Of::Shown(shows, schema), doc).read()
    }

    /// What is worked out, and what the kind's `prepare` takes out of bodies.
    pub(crate) const fn prepared(
        name: &'static str,
        shows: fn(&State<'_>, Uuid) -> Value,
        schema: fn() -> Schema,
        doc: &'static str,
    ) -> Self {
        Self::new(name, Of::Shown(shows, schema), doc)
    }

    pub(crate) const fn needed(mut self) -> Self {
        self.needed = true;
        self
    }

    pub(crate) const fn read(mut self) -> Self {
        self.access = Access::Read;
        self
    }

    pub(crate) const fn told(mut self) -> Self {
        self.access = Access::Told;
        self
    }

    /// References are shown as UUIDs.
    pub(crate) const fn by_uuid(mut self) -> Self {
        self.of = match self.of {
            Of::Rows { column, .. } => Of::Rows { column, by: By::Uuid },
            Of::Referrers { table, column, .. } => Of::Referrers {
                table,
                column,
                by: By::Uuid,
            },
            Of::Parent { table, column, .. } => Of::Parent {
                table,
                column,
                by: By::Uuid,
            },
            other => other,
        };
        self
    }

    /// The filter asks for a part of the text.
    pub(crate) const fn part(mut self) -> Self {
        self.part = true;
        self
    }

    /// Lists can be filtered by it, under this name.
    pub(crate) const fn filter(mut self, parameter: &'static str) -> Self {
        self.filter = Some(parameter);
        self
    }
}

impl Kind {
    /// Whether other rows point to its own at somebody's wish: it can be attached to them.
    pub(crate) fn attaches(&self) -> bool {
        let mut writable = self.writable();
        writable.any(|field| matches!(field.of, Of::Referrers { .. }))
    }

    /// Whether a body may say something about the member at all.
    pub(crate) fn writable(&self) -> impl Iterator<Item = &'static Field> {
        let may = |field: &&Field| matches!(field.access, Access::Write | Access::Once);
        self.fields.iter().filter(may)
    }
}
