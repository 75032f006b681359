//! Lists in numbered pages, for programs that know no cursors: `page`, `page_size` or `limit`.
//!
//! ```json
//! { "users": [...], "pagination": { "page": 1, "page_size": 20, "total_count": 57, "total_pages": 3 } }
//! ```

use super::{Asked, LIMIT_MAX};
use crate::problem::Problem;
use crate::route::Draft;
use crate::schema::{self, Schema};
use serde_json::{Map, Value, json};
use std::ops::Range;

/// Items of a page when nothing is asked.
const PAGE_SIZE: usize = 20;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    page: usize,
    size: usize,
}

impl Numbered {
    /// The parameters of such a list.
    pub fn declare<S>(draft: Draft<S>) -> Draft<S> {
        let most = LIMIT_MAX as u64;
        draft
            .query(
                "page",
                schema::whole(1, u64::from(u32::MAX), "Number of the page, from 1."),
            )
            .query(
                "page_size",
                schema::whole(1, most, "Items per page; 20 when absent."),
            )
            .query("limit", schema::whole(1, most, "The same as page_size."))
    }

    /// What such a list answers: `plural` names its member.
    #[must_use]
    pub fn schema(plural: &str, item: Schema) -> Schema {
        let pagination = schema::object(&[
            ("page", schema::count("Number of this page, from 1.")),
            ("page_size", schema::count("Items per page.")),
            (
                "total_count",
                schema::count("Items that the filters leave, on all pages."),
            ),
            ("total_pages", schema::count("How many pages those fill.")),
        ]);
        schema::object(&[(plural, schema::array(item)), ("pagination", pagination)])
    }

    /// Reads what [`Self::declare`] declares.
    ///
    /// # Errors
    /// 400 for a number out of range, and for a page size that is said twice and differently.
    pub fn of(asked: &Asked) -> Result<Self, Problem> {
        let number = |name: &str, most: usize| match asked
            .parsed::<usize>(name, &format!("a number from 1 to {most}"))?
        {
            Some(found) if !(1..=most).contains(&found) => Err(Problem::parameter(format!(
                "{name}={found} is out of range; expected a number from 1 to {most}"
            ))),
            found => Ok(found),
        };
        let (size, limit) = (number("page_size", LIMIT_MAX)?, number("limit", LIMIT_MAX)?);
        if let (Some(size), Some(limit)) = (size, limit)
            && size != limit
        {
            return Err(Problem::parameter(format!(
                "page_size={size} and limit={limit} mean the same; give one of them"
            )));
        }
        Ok(Self {
            page: number("page", u32::MAX as usize)?.unwrap_or(1),
            size: size.or(limit).unwrap_or(PAGE_SIZE),
        })
    }

    /// Which of `total` items are on the page.
    #[must_use]
    pub fn window(&self, total: usize) -> Range<usize> {
        let start = (self.page - 1).saturating_mul(self.size).min(total);
        start..start.saturating_add(self.size).min(total)
    }

    /// The answer with the items of the window.
    #[must_use]
    pub fn wrap(&self, plural: &str, items: Vec<Value>, total: usize) -> Value {
        let pagination = json!({
            "page": self.page,
            "page_size": self.size,
            "total_count": total,
            "total_pages": total.div_ceil(self.size),
        });
        Value::Object(Map::from_iter([
            (plural.to_owned(), Value::Array(items)),
            ("pagination".to_owned(), pagination),
        ]))
    }

    /// The answer out of all items there are.
    #[must_use]
    pub fn cut(&self, plural: &str, all: Vec<Value>) -> Value {
        let total = all.len();
        let window = self.window(total);
        let items = all.into_iter().skip(window.start).take(window.len()).collect();
        self.wrap(plural, items, total)
    }
}
