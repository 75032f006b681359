//! What became of a transaction.

mod refusal;

pub use refusal::{Failure, Refusal};

use crate::uuid::Uuid;
use crate::word::Word;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What an operation answers.
///
/// Source: RFC 7047, section 5.2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// `insert`: the row's name.
    pub uuid: Option<Uuid>,
    /// `update`, `mutate`, `delete`: how many rows met the conditions. Not known after an answer was lost.
    pub count: Option<u64>,
    /// `select`: the rows, as JSON.
    pub rows: Option<Vec<Value>>,
}

/// A transaction that happened: an answer for each operation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// In the order of the operations.
    pub done: Vec<Done>,
}

impl Outcome {
    /// The names of the inserted rows, in the order of the inserts.
    pub fn uuids(&self) -> impl Iterator<Item = Uuid> {
        self.done.iter().filter_map(|done| done.uuid)
    }

    /// How many rows all changes together met.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.done.iter().filter_map(|done| done.count).sum()
    }

    /// Reads the `result` of a `transact` reply to a transaction of `operations` operations.
    ///
    /// # Errors
    ///
    /// The refusal, with the operation at fault; or an answer of another form.
    pub fn parse(json: &[u8], operations: usize) -> Result<Self, Refusal> {
        let results: Vec<Option<RawResult>> =
            serde_json::from_slice(json).map_err(|cause| Refusal::unreadable(&cause))?;
        for (index, result) in results.iter().enumerate() {
            if let Some((error, result)) = result
                .as_ref()
                .and_then(|result| Some((result.error.as_ref()?, result)))
            {
                let index = (index < operations).then_some(index);
                return Err(Refusal::new(
                    index,
                    error,
                    result.details.clone(),
                    result.syntax.clone(),
                ));
            }
        }
        let done: Option<Vec<_>> = results.into_iter().map(|result| result?.done()).collect();
        match done {
            Some(done) if done.len() == operations => Ok(Self { done }),
            _ => Err(Refusal::miscounted(operations)),
        }
    }
}

#[derive(Deserialize)]
struct RawResult {
    error: Option<String>,
    details: Option<String>,
    syntax: Option<String>,
    count: Option<u64>,
    uuid: Option<(Tag, Uuid)>,
    rows: Option<Vec<Value>>,
}

/// Whether a value says that it is a UUID.
struct Tag(bool);

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Word(|tag: &str| Self(tag == "uuid")).deserialize(deserializer)
    }
}

impl RawResult {
    fn done(self) -> Option<Done> {
        let uuid = match self.uuid {
            Some((Tag(true), uuid)) => Some(uuid),
            Some(_) => return None,
            None => None,
        };
        Some(Done {
            uuid,
            count: self.count,
            rows: self.rows,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_for_each_operation() {
        let json = br#"[{"uuid":["uuid","550e8400-e29b-41d4-a716-446655440000"]},{"count":2},{},{"rows":[{"a":1}]}]"#;
        let outcome = Outcome::parse(json, 4).unwrap();
        assert_eq!(outcome.uuids().count(), 1);
        assert_eq!(outcome.count(), 2);
        assert_eq!(outcome.done[3].rows.as_ref().unwrap().len(), 1);
    }

    #[test]
    fn the_operation_at_fault_is_named() {
        let json = br#"[{"count":1},{"error":"timed out","details":"d"},null]"#;
        let refusal = Outcome::parse(json, 3).unwrap_err();
        assert_eq!((refusal.operation, refusal.failure), (Some(1), Failure::TimedOut));
        let json = br#"[{"count":1},{"error":"constraint violation","details":"d"}]"#;
        let refusal = Outcome::parse(json, 1).unwrap_err();
        assert_eq!((refusal.operation, refusal.failure), (None, Failure::Constraint));
    }

    #[test]
    fn fewer_answers_than_operations_are_no_success() {
        assert_eq!(Outcome::parse(b"[{}]", 2).unwrap_err().failure, Failure::Protocol);
        assert_eq!(
            Outcome::parse(b"[null]", 1).unwrap_err().failure,
            Failure::Protocol
        );
        assert_eq!(Outcome::parse(b"7", 1).unwrap_err().failure, Failure::Protocol);
    }
}
