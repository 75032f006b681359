//! What a request asks for beyond its path: query parameters, preconditions, a JSON body.

mod body;
mod numbered;
mod preconditions;

pub use body::Input;
pub(crate) use body::PATIENCE;
pub use numbered::Numbered;
pub use preconditions::{Preconditions, etag_of, etag_of_revision};

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use serde_json::Value;
use std::str::FromStr;

use crate::problem::Problem;
use crate::reasons;

/// Most items of one page.
pub const LIMIT_MAX: usize = 1000;
/// Items of a page when nothing is asked.
pub const LIMIT_DEFAULT: usize = 100;

/// The query parameters of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.uri)
    }
}

impl Asked {
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|rejection| Problem::parameter(rejection.body_text()))
    }

    /// The parameters' names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The parameter's text; `None` when absent or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, v)| n == name && !v.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The parameter's text, also when it is empty; `None` when absent.
    #[must_use]
    pub fn written(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The parameters that have none of these names.
    pub fn others<'a>(&'a self, known: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let others = self.0.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        others.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter that was given twice.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let twice = |(i, name): &(usize, &str)| self.names().take(*i).any(|earlier| earlier == *name);
        self.names().enumerate().find(twice).map(|(_, name)| name)
    }

    /// What `fields` has that is none of `members`.
    pub(crate) fn odd_field(&self, members: &[String]) -> Option<&str> {
        let mut names = self.written("fields")?.split(',');
        names.find(|name| !members.iter().any(|member| member == name))
    }

    /// The parameter as one of a few words.
    ///
    /// # Errors
    /// 400 for any other word.
    pub fn word_of(&self, name: &str, words: &[&str]) -> Result<Option<&str>, Problem> {
        match self.written(name) {
            None => Ok(None),
            Some(word) if words.contains(&word) => Ok(Some(word)),
            Some(word) => Err(Problem::parameter(format!(
                "{name}={word:?} is not valid; expected {}",
                words.join(", ")
            ))),
        }
    }

    /// The parameter as a value of `T`.
    ///
    /// # Errors
    /// 400 when its text is no `T`; `form` says what it may be.
    pub fn parsed<T: FromStr>(&self, name: &str, form: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.written(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Problem::parameter(format!(
                "{name}={text:?} is not valid; expected {form}"
            ))),
        }
    }

    /// Whether the parameter is `true`.
    ///
    /// # Errors
    /// 400 for anything but true and false.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        Ok(self.word_of(name, &["true", "false"])? == Some("true"))
    }

    /// Whether only the effect is wanted, not the deed: `dryRun=true`.
    ///
    /// # Errors
    /// 400 for anything but a truth value.
    pub fn dry_run(&self) -> Result<bool, Problem> {
        self.flag("dryRun")
    }

    /// How many items of a list are wanted.
    ///
    /// # Errors
    /// 400 when `limit` is no number from 1 to [`LIMIT_MAX`].
    pub fn limit(&self) -> Result<usize, Problem> {
        let form = format!("a number from 1 to {LIMIT_MAX}");
        match self.parsed::<usize>("limit", &form)? {
            None => Ok(LIMIT_DEFAULT),
            Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
            Some(limit) => Err(Problem::parameter(format!(
                "limit={limit} is out of range; expected {form}"
            ))),
        }
    }

    /// Where the page begins, as the list's own cursor type writes it.
    ///
    /// # Errors
    /// 400 when it is not one of ours.
    pub fn cursor<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        let Some(text) = self.text("cursor") else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                &reasons::BAD_CURSOR,
                format!("{text:?} is no cursor of this list"),
            )
        })
    }

    /// Keeps of an object only what `fields` names. The guard has refused names that no object of the list can have;
    /// one that this object does not have is left out.
    pub fn select(&self, object: &mut Value) {
        let (Some(fields), Some(members)) = (self.text("fields"), object.as_object_mut()) else {
            return;
        };
        members.retain(|name, _| fields.split(',').any(|field| field == name));
    }

    /// A page of a list that is all in memory: `cursor` is the number of items to skip.
    ///
    /// # Errors
    /// 400 when `limit` or `cursor` is wrong.
    pub fn page_of_all(&self, all: Vec<Value>) -> Result<Value, Problem> {
        let start = self.cursor::<usize>()?.unwrap_or(0);
        let limit = self.limit()?;
        let more = all.len() > start.saturating_add(limit);
        let items = all.into_iter().skip(start).take(limit).collect();
        Ok(self.page(items, more.then(|| (start + limit).to_string())))
    }

    /// A page as it is answered.
    #[must_use]
    pub fn page(&self, mut items: Vec<Value>, next: Option<String>) -> Value {
        for item in &mut items {
            self.select(item);
        }
        let mut page = serde_json::Map::new();
        page.insert("items".to_owned(), items.into());
        page.insert("next_cursor".to_owned(), next.into());
        page.into()
    }
}

/// The one name in a path, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(rejection) => Err(Problem::new(
                rejection.status(),
                &reasons::BAD_REQUEST,
                rejection.body_text(),
            )),
        }
    }
}

impl Name {
    /// The name as a value of `T`.
    ///
    /// # Errors
    /// 404 when its text is no `T`: nothing can have that name.
    pub fn parsed<T: FromStr>(&self, kind: &str) -> Result<T, Problem> {
        self.0.parse().map_err(|_| Problem::no_such(kind, &self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(query: &str) -> Asked {
        Asked::of(&format!("/x?{query}").parse().unwrap()).unwrap()
    }

    #[test]
    fn limits_have_bounds() {
        assert_eq!(asked("").limit().unwrap(), LIMIT_DEFAULT);
        assert_eq!(asked("limit=1000").limit().unwrap(), 1000);
        for bad in ["limit=0", "limit=1001", "limit=-1", "limit=ten", "limit="] {
            assert_eq!(
                asked(bad).limit().unwrap_err().status(),
                StatusCode::BAD_REQUEST,
                "{bad}"
            );
        }
    }

    #[test]
    fn truth_has_two_words() {
        assert!(asked("dryRun=true").dry_run().unwrap());
        assert!(!asked("dryRun=false").dry_run().unwrap() && !asked("").dry_run().unwrap());
        for bad in ["dryRun=1", "dryRun=", "dryRun=TRUE", "dryRun"] {
            assert_eq!(
                asked(bad).dry_run().unwrap_err().status(),
                StatusCode::BAD_REQUEST,
                "{bad}"
            );
        }
    }

    #[test]
    fn fields_are_members_between_commas() {
        let members = ["mac".to_owned(), "last_seen".to_owned()];
        assert_eq!(asked("fields=mac,last_seen").odd_field(&members), None);
        assert_eq!(asked("limit=1").odd_field(&members), None);
        assert_eq!(asked("fields=mac,,last_seen").odd_field(&members), Some(""));
        assert_eq!(asked("fields=").odd_field(&members), Some(""));
        assert_eq!(asked("fields=mac,%20mac").odd_field(&members), Some(" mac"));
        assert_eq!(asked("fields=mac,lastseen").odd_field(&members), Some("lastseen"));
    }

    #[test]
    fn a_parameter_given_twice_is_seen() {
        assert_eq!(asked("a=1&b=2&a=3").repeated(), Some("a"));
        assert_eq!(asked("a=1&b=1").repeated(), None);
    }

    #[test]
    fn fields_are_selected_in_every_item() {
        let page = asked("fields=a,c").page(vec![json!({"a": 1, "b": 2, "c": 3})], None);
        assert_eq!(page, json!({ "items": [{"a": 1, "c": 3}], "next_cursor": null }));
    }

    #[test]
    fn pages_of_a_list_meet_without_gap_or_overlap() {
        let all: Vec<Value> = (0..25).map(|n| json!({ "n": n })).collect();
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = asked(&format!("limit=10&cursor={cursor}"))
                .page_of_all(all.clone())
                .unwrap();
            seen.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }
}
