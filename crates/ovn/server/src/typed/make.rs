//! Bodies as changes to rows.
//!
//! What a body does not name stays. A member that says what is there already changes nothing, so that what was read may
//! be sent back whole. Every fault of a body is found, not the first only.

mod adjust;
mod children;
mod members;

use super::place::Aliases;
use super::{Fault, Field, Of, Subject, read, refusal};
use crate::platform::new_uuid;
use purlin_api::Problem;
use purlin_ovn_core::check::UNIQUE_NAMES;
use purlin_ovn_core::model::{Change, Child, State};
use purlin_ovsdb::{Atom, Datum, Row, Uuid};
use serde_json::{Map, Value};

pub(crate) use adjust::{Verb, adjust, adjustable};

/// What becomes of a map that a body gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Only its keys are written, `null` takes one away (RFC 7396).
    Merge,
    /// It takes the place of what was there.
    Replace,
}

/// Members that are said about every object and written by nobody.
const TOLD: [&str; 3] = ["uuid", "owner", "etag"];

/// A row and what goes with it, on its way.
struct Making<'m, 'a> {
    state: &'m State<'a>,
    table: &'static str,
    fields: &'static [Field],
    uuid: Uuid,
    new: bool,
    manner: Manner,
    aliases: &'m Aliases,
    row: Row,
    /// Rows that this one cannot come without.
    first: Vec<Change>,
    then: Vec<Change>,
    parents: Vec<Child>,
    faults: Vec<Fault>,
}

/// The changes that bring a new object.
///
/// # Errors
/// 409 when its name is taken, 422 with every fault of the body.
pub(crate) fn create(
    subject: Subject<'_, '_>,
    body: &Map<String, Value>,
    aliases: &Aliases,
) -> Result<Vec<Change>, Problem> {
    let kind = subject.kind;
    super::place::known(subject.state, kind.table)?;
    let (body, besides) = prepared(subject, body)?;
    let mut making = Making::of(subject, Manner::Replace, aliases);
    making.then = besides;
    making.members(&body);
    making.faults.extend(told_otherwise(subject, &body));
    making.completeness(&body);
    if !making.faults.is_empty() {
        return Err(refusal(kind, &making.faults));
    }
    if let Some(name) = making.taken_name() {
        return Err(Problem::already_there(kind.one, &name));
    }
    Ok(making.born())
}

/// The changes that a body makes to an object.
///
/// # Errors
/// 422 with every fault of the body.
pub(crate) fn change(
    subject: Subject<'_, '_>,
    body: &Map<String, Value>,
    manner: Manner,
    aliases: &Aliases,
) -> Result<Vec<Change>, Problem> {
    let (body, besides) = prepared(subject, body)?;
    let mut making = Making::of(subject, manner, aliases);
    making.then = besides;
    making.members(&body);
    making.faults.extend(told_otherwise(subject, &body));
    match making.faults.is_empty() {
        true => Ok(making.changed()),
        false => Err(refusal(subject.kind, &making.faults)),
    }
}

/// What a body says about its object that is not so. What was read may come back; what is to be changed by it would not.
fn told_otherwise(subject: Subject<'_, '_>, body: &Map<String, Value>) -> Vec<Fault> {
    let said = TOLD.iter().filter_map(|name| Some((*name, body.get(*name)?)));
    let said = said.filter(|(_, value)| !members::is_blank(value));
    let shown = |name: &str| {
        let own = subject.kind.fields.iter().any(|field| field.name == name);
        let object = (!subject.new && !own).then(|| read::object(subject.state, subject.kind, subject.uuid));
        (own, object.flatten().map(|object| object[name].clone()))
    };
    let wrong = said.filter(|(name, value)| {
        let (own, shown) = shown(name);
        !own && shown.as_ref() != Some(*value)
    });
    wrong
        .map(|(name, value)| {
            let message = match (subject.new, name) {
                (true, _) => "is not for you to say: leave it out",
                (false, "etag") => "is not that of the object as it is now: read it again, or leave it out",
                _ => "is only shown here; leave it out, or send it back as it is",
            };
            Fault::new(name, value, message)
        })
        .collect()
}

/// The body in terms of single members, and the changes to other rows that it asks for.
fn prepared(
    subject: Subject<'_, '_>,
    body: &Map<String, Value>,
) -> Result<(Map<String, Value>, Vec<Change>), Problem> {
    let mut body = body.clone();
    let besides = match subject.kind.prepare {
        Some(prepare) => prepare(&subject, &mut body).map_err(|fault| refusal(subject.kind, &[fault]))?,
        None => Vec::new(),
    };
    Ok((body, besides))
}

impl<'m, 'a> Making<'m, 'a> {
    fn of(subject: Subject<'m, 'a>, manner: Manner, aliases: &'m Aliases) -> Self {
        Self {
            state: subject.state,
            table: subject.kind.table,
            fields: subject.kind.fields,
            uuid: subject.uuid,
            new: subject.new,
            manner,
            aliases,
            row: Row::new(),
            first: Vec::new(),
            then: Vec::new(),
            parents: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Each member that the body has. Whole maps come before single keys of them.
    fn members(&mut self, body: &Map<String, Value>) {
        for name in body.keys() {
            let known = self.fields.iter().any(|field| field.name == name);
            if !known && !TOLD.contains(&name.as_str()) {
                self.faults.push(unknown(self.fields, name, &body[name]));
            }
        }
        let is_whole = |field: &Field| matches!(field.of, Of::Map { .. } | Of::Column(_));
        let (whole, parts): (Vec<&Field>, Vec<&Field>) =
            self.fields.iter().partition(|field| is_whole(field));
        for field in whole.into_iter().chain(parts) {
            if let Some(value) = body.get(field.name)
                && let Err(fault) = self.member(field, value)
            {
                self.faults.push(fault);
            }
        }
    }

    /// What a new object cannot be without.
    fn completeness(&mut self, body: &Map<String, Value>) {
        let missing = self
            .fields
            .iter()
            .filter(|field| field.needed && body.get(field.name).is_none_or(Value::is_null));
        let missing: Vec<Fault> = missing
            .map(|field| Fault::new(field.name, &Value::Null, format!("is needed: {}", field.doc)))
            .collect();
        self.faults.extend(missing);
        let root = self
            .state
            .schema()
            .table(self.table)
            .is_none_or(|table| table.root);
        if root || !self.parents.is_empty() || !self.faults.is_empty() {
            return;
        }
        let places = self
            .fields
            .iter()
            .filter(|field| matches!(field.of, Of::Parent { .. }));
        let places: Vec<&str> = places.map(|field| field.name).collect();
        let message = format!("says where it hangs; expected one of {}", places.join(", "));
        let place = places.first().copied().unwrap_or("parent");
        self.faults.push(Fault::new(place, &Value::Null, message));
    }

    /// The name, when another row has it and must not.
    fn taken_name(&self) -> Option<String> {
        let schema = self.state.schema().table(self.table)?;
        let unique = schema.indexes.iter().any(|index| index.as_slice() == ["name"]);
        if !unique && !UNIQUE_NAMES.contains(&self.table) {
            return None;
        }
        let name = self.row.get("name")?.one()?.as_str()?.to_owned();
        let taken = self.state.find(self.table, "name", &Atom::from(&name));
        (!taken.is_empty()).then_some(name)
    }

    /// The row with all that goes with it.
    fn born(mut self) -> Vec<Change> {
        let mut parents = std::mem::take(&mut self.parents).into_iter();
        let mut changes = self.first;
        changes.push(Change::Insert {
            table: self.table.to_owned(),
            uuid: self.uuid,
            row: self.row,
            parent: parents.next(),
        });
        changes.extend(parents.map(|parent| Change::Add {
            table: parent.table,
            uuid: parent.uuid,
            column: parent.column,
            values: Datum::from(self.uuid),
        }));
        changes.extend(self.then);
        changes
    }

    fn changed(self) -> Vec<Change> {
        let mut changes = self.first;
        if !self.row.is_empty() {
            changes.push(Change::Update {
                table: self.table.to_owned(),
                uuid: self.uuid,
                row: self.row,
            });
        }
        changes.extend(self.then);
        changes
    }

    fn add(&self, column: &str, values: Datum) -> Change {
        let column = column.to_owned();
        Change::Add {
            table: self.table.to_owned(),
            uuid: self.uuid,
            column,
            values,
        }
    }

    fn remove(&self, column: &str, values: Datum) -> Change {
        let column = column.to_owned();
        Change::Remove {
            table: self.table.to_owned(),
            uuid: self.uuid,
            column,
            values,
        }
    }

    fn fresh(field: &Field, value: &Value) -> Result<Uuid, Fault> {
        new_uuid().map_err(|problem| Fault::new(field.name, value, problem.detail()))
    }
}

/// A member that there is not, with the nearest that there is.
fn unknown(fields: &[Field], name: &str, value: &Value) -> Fault {
    let known: Vec<&str> = fields
        .iter()
        .filter(|field| !matches!(field.of, Of::Shown(..)))
        .map(|field| field.name)
        .collect();
    let near = purlin_config::nearest(name, known.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let message = format!("there is no such member; {near}known are {}", known.join(", "));
    Fault::new(name, value, message)
}
