//! What all paths that ovncp documents have in common: lists in numbered pages, and errors with `error` and `details`.
//!
//! ```text
//!   path(draft)              errors of this path also say `error`, `details`; X-Request-Id is on every answer anyway
//!   lists(draft, &["name"])  the parameters page, page_size (or limit), sort, name
//!   page_schema("switches", "OvncpSwitch")
//!
//!   let pages = Pages::of(&asked, &["name"])?;
//!   pages.of_values("switches", values)            everything in memory: filtered by name, sorted, cut
//!   pages.window(total), pages.wrap("switches", shown, total)      the same in two steps, where showing costs
//! ```
//!
//! ```json
//! { "switches": [...], "pagination": { "page": 1, "page_size": 20, "total_count": 57, "total_pages": 3 } }
//! ```

use purlin_api::Problem;
use purlin_api::asked::{Asked, Numbered};
use purlin_api::route::Draft;
use purlin_api::schema::{self, Schema};
use serde_json::Value;
use std::cmp::Ordering;
use std::ops::Range;

/// A route under a path that ovncp documents.
#[must_use]
pub fn path<S>(draft: Draft<S>) -> Draft<S> {
    draft.error_members()
}

/// The parameters of a list; `sorts` are the members by which it can be sorted.
#[must_use]
pub fn lists<S>(draft: Draft<S>, sorts: &[&str]) -> Draft<S> {
    let sort = format!("^-?({0})(:(asc|desc))?$", sorts.join("|"));
    let sorted = format!("{}, each with :asc or :desc.", sorts.join(", "));
    Numbered::declare(draft)
        .query("sort", schema::matching(&sort, &sorted))
        .query(
            "name",
            schema::word("Only items of this name; * and ? stand for any characters and any one."),
        )
}

/// What a list answers: `plural` names its member, `item` the component of what is in it.
#[must_use]
pub fn page_schema(plural: &str, item: &str) -> Schema {
    Numbered::schema(plural, schema::reference(item))
}

/// Which part of a list is wanted, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    numbered: Numbered,
    sort: Option<Sort>,
    name: Option<String>,
}

/// By which member, and whether from its end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sort {
    member: String,
    descending: bool,
}

impl Pages {
    /// Reads what [`lists`] declares.
    ///
    /// # Errors
    /// 400 for a number out of range and for a member that is none of `sorts`.
    pub fn of(asked: &Asked, sorts: &[&str]) -> Result<Self, Problem> {
        Ok(Self {
            numbered: Numbered::of(asked)?,
            sort: asked.text("sort").map(|text| sort(text, sorts)).transpose()?,
            name: asked.text("name").map(str::to_owned),
        })
    }

    /// By which member the list is sorted, and whether from its end.
    #[must_use]
    pub fn sort(&self) -> Option<(&str, bool)> {
        self.sort
            .as_ref()
            .map(|sort| (sort.member.as_str(), sort.descending))
    }

    /// The name that is asked for, when it stands for one name only: an index finds it.
    #[must_use]
    pub fn exact_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|name| !name.contains(['*', '?']))
    }

    /// Whether items are chosen by name at all.
    #[must_use]
    pub fn by_name(&self) -> bool {
        self.name.is_some()
    }

    /// Whether an item of this name is meant.
    #[must_use]
    pub fn means(&self, name: &str) -> bool {
        let pattern = self.name.as_deref();
        pattern.is_none_or(|pattern| fits(pattern.as_bytes(), name.as_bytes()))
    }

    /// Which of `total` items are on the page.
    #[must_use]
    pub fn window(&self, total: usize) -> Range<usize> {
        self.numbered.window(total)
    }

    /// The answer with the items of the window.
    #[must_use]
    pub fn wrap(&self, plural: &str, items: Vec<Value>, total: usize) -> Value {
        self.numbered.wrap(plural, items, total)
    }

    /// The answer out of all items there are: those that the name leaves, sorted by their members, cut.
    #[must_use]
    pub fn of_values(&self, plural: &str, mut all: Vec<Value>) -> Value {
        all.retain(|item| self.means(item["name"].as_str().unwrap_or_default()));
        if let Some((member, descending)) = self.sort() {
            all.sort_by(|a, b| turned(order(&a[member], &b[member]), descending));
        }
        self.numbered.cut(plural, all)
    }
}

/// An order, from its end where that is asked.
#[must_use]
pub fn turned(order: Ordering, descending: bool) -> Ordering {
    match descending {
        true => order.reverse(),
        false => order,
    }
}

/// Numbers by size, texts by their characters; what is not there comes first.
#[must_use]
pub fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64(), b.as_f64());
            a.partial_cmp(&b).unwrap_or(Ordering::Equal)
        }
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ => a.to_string().cmp(&b.to_string()),
    }
}

/// `name`, `-name`, `name:asc` or `name:desc`.
fn sort(text: &str, sorts: &[&str]) -> Result<Sort, Problem> {
    let (rest, minus) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (member, descending) = match rest.split_once(':') {
        Some((member, "desc")) if !minus => (member, true),
        Some((member, "asc")) if !minus => (member, false),
        None => (rest, minus),
        Some(_) => ("", false),
    };
    if sorts.contains(&member) {
        let member = member.to_owned();
        return Ok(Sort { member, descending });
    }
    let known: Vec<String> = sorts
        .iter()
        .map(|sort| format!("{sort}:asc, {sort}:desc"))
        .collect();
    Err(Problem::parameter(format!(
        "sort={text:?} is not valid; expected one of {}",
        known.join(", ")
    )))
}

/// Whether a pattern with `*` and `?` fits a name. Linear in the name for each `*`.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where to go on when what follows the last `*` does not fit: one octet further.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, n));
                p += 1;
            }
            Some(b'?') => (p, n) = (p + 1, n + 1),
            Some(octet) if *octet == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((after, at)) = back else {
                    return false;
                };
                back = Some((after, at + 1));
                (p, n) = (after, at + 1);
            }
        }
    }
    pattern[p..].iter().all(|octet| *octet == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::FromRequestParts;
    use axum::http::Request;
    use futures_util::FutureExt;
    use serde_json::json;

    fn pages(query: &str) -> Result<Pages, Problem> {
        let request = Request::builder()
            .uri(format!("/x?{query}"))
            .body(())
            .expect("a request");
        let (mut parts, ()) = request.into_parts();
        let asked = Asked::from_request_parts(&mut parts, &());
        let asked = asked.now_or_never().expect("nothing is waited for");
        Pages::of(&asked.expect("a query"), &["name", "priority"])
    }

    fn names(answer: &Value) -> Vec<&str> {
        let items = answer["things"].as_array().expect("a list").iter();
        items.filter_map(|item| item["name"].as_str()).collect()
    }

    fn things() -> Vec<Value> {
        ["b", "a", "d", "c", "e"]
            .iter()
            .enumerate()
            .map(|(n, name)| json!({ "name": name, "priority": (n + 1) * 7 }))
            .collect()
    }

    #[test]
    fn pages_are_numbered_from_one_and_counted() {
        let last = pages("page=3&page_size=2&sort=name:asc")
            .expect("good")
            .of_values("things", things());
        assert_eq!(names(&last), ["e"]);
        assert_eq!(
            last["pagination"],
            json!({ "page": 3, "page_size": 2, "total_count": 5, "total_pages": 3 })
        );
        let beyond = pages("page=4&limit=2")
            .expect("good")
            .of_values("things", things());
        assert_eq!(names(&beyond), Vec::<&str>::new());
        assert_eq!(beyond["pagination"]["total_count"], 5);
    }

    #[test]
    fn sorting_goes_both_ways_and_numbers_by_size() {
        for query in ["sort=name:desc", "sort=-name"] {
            let answer = pages(query).expect("good").of_values("things", things());
            assert_eq!(names(&answer), ["e", "d", "c", "b", "a"], "{query}");
        }
        let answer = pages("sort=priority")
            .expect("good")
            .of_values("things", things());
        assert_eq!(names(&answer), ["b", "a", "d", "c", "e"]);
    }

    #[test]
    fn what_cannot_be_asked_is_told_with_what_can() {
        for (query, word) in [
            ("page=0", "from 1"),
            ("page_size=1001", "1 to 1000"),
            ("page_size=2&limit=3", "give one of them"),
            ("sort=created_at:desc", "name:asc"),
            ("sort=-name:desc", "name:asc"),
            ("sort=name:up", "name:asc"),
        ] {
            let problem = pages(query).expect_err(query);
            assert_eq!(problem.status(), 400, "{query}");
            assert!(problem.detail().contains(word), "{query}: {}", problem.detail());
        }
    }

    #[test]
    fn names_fit_patterns() {
        let fit = |pattern: &str, name: &str| fits(pattern.as_bytes(), name.as_bytes());
        for (pattern, name) in [
            ("web", "web"),
            ("web*", "web"),
            ("*", ""),
            ("w?b", "web"),
            ("*-1", "web-1-1"),
            ("*a*b", "xxaabab"),
            ("**", "x"),
        ] {
            assert!(fit(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("web", "web-1"),
            ("w?b", "wb"),
            ("*-1", "web-2"),
            ("", "x"),
            ("?", ""),
        ] {
            assert!(!fit(pattern, name), "{pattern} {name}");
        }
    }
}
