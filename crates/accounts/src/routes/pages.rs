//! Lists in numbered pages.

use purlin_api::Problem;
use purlin_api::asked::{Asked, LIMIT_MAX};
use purlin_api::route::Draft;
use purlin_api::schema::{self, Schema};
use serde_json::{Map, Value, json};

/// Items of a page when nothing is asked.
const PAGE_SIZE: usize = 20;

/// The parameters of a list.
pub(super) fn listed<S>(draft: Draft<S>) -> Draft<S> {
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

/// What such a list answers.
pub(super) fn page_schema(plural: &str, item: Schema) -> Schema {
    let pagination = schema::open_object(&["page", "page_size", "total_count", "total_pages"], &[]);
    schema::object(&[(plural, schema::array(item)), ("pagination", pagination)])
}

/// The page that is asked for.
pub(super) fn page(asked: &Asked, plural: &str, all: Vec<Value>) -> Result<Value, Problem> {
    let number = |name: &str| -> Result<Option<usize>, Problem> {
        match asked.parsed::<usize>(name, "a number from 1")? {
            Some(0) => Err(Problem::parameter(format!(
                "{name}=0 is out of range; expected a number from 1"
            ))),
            found => Ok(found),
        }
    };
    let page = number("page")?.unwrap_or(1);
    let size = number("page_size")?
        .or(number("limit")?)
        .unwrap_or(PAGE_SIZE)
        .min(LIMIT_MAX);
    let total = all.len();
    let items: Vec<Value> = all
        .into_iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .collect();
    let mut answer = Map::new();
    answer.insert(plural.to_owned(), items.into());
    let pagination = json!({
        "page": page,
        "page_size": size,
        "total_count": total,
        "total_pages": total.div_ceil(size),
    });
    answer.insert("pagination".to_owned(), pagination);
    Ok(Value::Object(answer))
}
