//! What a write under ovncp's paths answers: the object, and beside its members what there is to say about the write.

use crate::typed::{Kind, document, etag, read};
use crate::write::Manner;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use purlin_api::Problem;
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::State as Rows;
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};

/// What stands for all that is written in it, on its way beside the object.
const TAG: &str = "_etag";

/// The object with its tag.
pub(super) fn object(state: &Rows<'_>, kind: &Kind, uuid: Uuid) -> Option<Value> {
    let mut shown = read::object(state, kind, uuid)?;
    shown[TAG] = json!(etag::written(state, kind, uuid));
    Some(shown)
}

/// An object, and what its header says.
pub(super) struct Told {
    pub(super) object: Value,
    written: String,
}

impl Told {
    pub(super) fn of(object: Option<Value>) -> Option<Self> {
        let mut object = object?;
        let tag = object.as_object_mut()?.remove(TAG)?;
        let written = tag.as_str().unwrap_or_default().to_owned();
        Some(Self { object, written })
    }

    pub(super) fn tag(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let tag = etag::header(&self.written, &self.object);
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        headers
    }
}

/// The answer to a write; `place` is where a new object is.
pub(super) fn told(manner: &Manner, mut written: Value, place: Option<&str>) -> Result<Response, Problem> {
    let gone = || Problem::not_possible("it was taken away meanwhile");
    let told = Told::of(Some(written["row"].take())).ok_or_else(gone)?;
    let mut headers = told.tag();
    let mut object = told.object;
    let dry_run = written["dry_run"] == true;
    if dry_run {
        for name in ["dry_run", "changed", "diff", "affected"] {
            object[name] = written[name].take();
        }
    }
    if manner.waits() {
        object["realised"] = written["realised"].take();
    }
    if written["warnings"]
        .as_array()
        .is_some_and(|warnings| !warnings.is_empty())
    {
        object["warnings"] = written["warnings"].take();
    }
    let status = match place {
        Some(place) if !dry_run => {
            if let Ok(place) = HeaderValue::from_str(place) {
                headers.insert(header::LOCATION, place);
            }
            StatusCode::CREATED
        }
        _ => StatusCode::OK,
    };
    Ok((status, headers, Json(object)).into_response())
}

/// The schema of such an answer.
pub(super) fn written(kind: &Kind) -> Schema {
    let mut shown = document::shown(kind);
    let more = [
        ("warnings", schema::array(schema::reference("OvnProblem"))),
        (
            "realised",
            schema::nullable(schema::open_object(&["wait", "done"], &[])),
        ),
        ("dry_run", schema::boolean("Nothing was written.")),
        (
            "changed",
            schema::boolean("Whether anything would be other than before."),
        ),
        (
            "diff",
            schema::array(schema::anything("A row that would come, change or go.")),
        ),
        (
            "affected",
            schema::array(schema::string("Name of a switch port whose traffic may change.")),
        ),
    ];
    for (name, schema) in more {
        shown["properties"][name] = schema;
    }
    shown
}
