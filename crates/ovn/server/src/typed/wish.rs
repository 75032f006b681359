//! What is wished of one object, whichever paths it has: decided by the rows of the moment, however often it is tried.

use super::make::{self, Manner, Verb};
use super::place::Aliases;
use super::{Kind, Subject, etag};
use crate::write::Wish;
use purlin_api::Problem;
use purlin_api::asked::Preconditions;
use purlin_ovn_core::model::{Change, State};
use purlin_ovsdb::Uuid;
use serde_json::{Map, Value};

/// What is done to an object that is there.
pub(crate) enum Work {
    /// Members become what the body says.
    Change(Manner, Map<String, Value>),
    /// Elements of lists and maps come or go.
    Adjust(Verb, Map<String, Value>),
    Delete,
}

impl Work {
    fn changes(&self, subject: Subject<'_, '_>) -> Result<Vec<Change>, Problem> {
        let none = Aliases::default();
        match self {
            Self::Change(manner, body) => make::change(subject, body, *manner, &none),
            Self::Adjust(verb, body) => make::adjust(subject, body, *verb, &none),
            Self::Delete => Ok(vec![Change::Delete {
                table: subject.kind.table.to_owned(),
                uuid: subject.uuid,
            }]),
        }
    }
}

/// That an object comes, as the body says.
pub(crate) fn create(kind: &'static Kind, uuid: Uuid, body: &Map<String, Value>) -> impl Wish {
    move |state: &State<'_>| {
        let subject = Subject {
            state,
            kind,
            uuid,
            new: true,
        };
        Ok((make::create(subject, body, &Aliases::default())?, Vec::new()))
    }
}

/// That something is done to an object, where it is still as the asker has seen it.
pub(crate) fn change(kind: &'static Kind, uuid: Uuid, work: &Work, conditions: &Preconditions) -> impl Wish {
    move |state: &State<'_>| {
        let subject = Subject {
            state,
            kind,
            uuid,
            new: false,
        };
        let expect = etag::expected(state, kind, uuid, conditions)?;
        Ok((work.changes(subject)?, expect))
    }
}
