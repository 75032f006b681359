//! The OpenAPI 3.1 document, made from the same table as the router.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde_json::{Map, Value, json};

use crate::access::{Access, Open};
use crate::problem::PROBLEM_JSON;
use crate::route::{self, Entry, Param, Place, Routes};
use crate::schema::{self, PART};

const PATH: &str = "/api/v1/openapi.json";

/// Adds the document's own route, so that the document lists it too.
pub(crate) fn with_document(routes: Routes) -> Routes {
    let own = |document: Bytes| {
        let draft = route::get(PATH, show)
            .summary("This document")
            .answers(200, schema::anything("An OpenAPI 3.1 document."));
        Routes::new("documents", &document, [draft])
    };
    let Routes {
        routes: mut all,
        mut components,
    } = routes;
    components.push(("Problem", problem_schema()));
    components.push(("ErrorProblem", error_problem_schema()));
    components.push(("Fault", fault_schema()));
    let blank = own(Bytes::new());
    let entries: Vec<&Entry> = all
        .iter()
        .chain(&blank.routes)
        .map(|route| &route.entry)
        .collect();
    let mut schemas: Map<String, Value> = components
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    schemas.extend(parts(&all, &components));
    let document = document(&entries, &schemas);
    all.extend(own(Bytes::from(document.to_string())).routes);
    Routes {
        routes: all,
        components,
    }
}

/// The components that pages name for objects of which `fields` chose some members.
fn parts(routes: &[route::Route], components: &[(&'static str, Value)]) -> Vec<(String, Value)> {
    let answers = routes.iter().flat_map(|route| &route.entry.answers);
    let pages: Vec<String> = answers.map(|answer| answer.schema.to_string()).collect();
    let part = |(name, whole): &(&str, Value)| {
        let own = format!("{name}{PART}");
        let wanted = schema::reference(&own).to_string();
        if !pages.iter().any(|page| page.contains(&wanted)) {
            return None;
        }
        let mut part = whole.clone();
        part.as_object_mut()?.remove("required");
        part["description"] = json!(format!("The members of {name} that `fields` names."));
        Some((own, part))
    };
    components.iter().filter_map(part).collect()
}

async fn show(_: Open, State(document): State<Bytes>) -> ([(HeaderName, &'static str); 1], Bytes) {
    ([(header::CONTENT_TYPE, "application/json")], document)
}

fn document(entries: &[&Entry], schemas: &Map<String, Value>) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for entry in entries {
        for path in entry.paths() {
            let item = paths.entry(path).or_insert_with(|| json!({}));
            item[entry.method.as_str().to_ascii_lowercase()] = operation(entry, path);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Purlin",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Names are snake_case, times RFC 3339 in UTC, errors RFC 9457 problem documents with stable codes.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "pur_<id>_<secret>" } },
        },
    })
}

fn operation(entry: &Entry, path: &str) -> Value {
    let mut operation = json!({
        "operationId": operation_id(entry, path),
        "tags": [entry.tag],
        "summary": entry.summary,
        "parameters": parameters(entry),
        "responses": responses(entry),
        "security": security(entry.access),
        "x-role": role(entry.access),
    });
    if !entry.description.is_empty() {
        operation["description"] = json!(entry.description);
    }
    if let Some(body) = &entry.body {
        operation["requestBody"] = json!({ "required": !entry.body_optional, "content": { "application/json": { "schema": body } } });
    }
    operation
}

/// `get_api_v1_tokens_id`: unique because method and path are.
fn operation_id(entry: &Entry, path: &str) -> String {
    let words = path.split(['/', '{', '}', '.']).filter(|word| !word.is_empty());
    std::iter::once(entry.method.as_str().to_ascii_lowercase())
        .chain(words.map(str::to_owned))
        .collect::<Vec<_>>()
        .join("_")
}

fn parameters(entry: &Entry) -> Vec<Value> {
    let mut all: Vec<Value> = entry.params.iter().map(parameter).collect();
    if entry.dry_run {
        all.push(json!({
            "name": "dryRun", "in": "query", "required": false,
            "schema": { "type": "boolean", "default": false, "description": "Check and tell the effect, change nothing." },
        }));
    }
    if entry.writes && entry.method == axum::http::Method::POST {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255,
                "description": "The same key with the same request happens once; its answer is given again." },
        }));
    }
    all
}

fn parameter(param: &Param) -> Value {
    let place = match param.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    json!({ "name": param.name, "in": place, "required": param.required, "schema": param.schema })
}

fn responses(entry: &Entry) -> Value {
    let mut all = Map::new();
    for answer in &entry.answers {
        let mut response = json!({ "description": reason_phrase(answer.status) });
        if !answer.media.is_empty() {
            response["content"] = json!({ answer.media: { "schema": answer.schema } });
        }
        all.insert(answer.status.to_string(), response);
    }
    let shape = match entry.error_members {
        true => "ErrorProblem",
        false => "Problem",
    };
    for status in errors(entry) {
        let mut problem = json!({
            "description": explanation(status),
            "content": { PROBLEM_JSON: { "schema": schema::reference(shape) } },
        });
        if status == 429 {
            let wait = schema::count("Seconds to wait.");
            problem["headers"] = json!({ "Retry-After": { "required": true, "schema": wait } });
        }
        all.entry(status.to_string()).or_insert(problem);
    }
    Value::Object(all)
}

/// The error statuses of a route: those of its kind and its own.
fn errors(entry: &Entry) -> Vec<u16> {
    let mut all = vec![400, 500, 503];
    if entry.access != Access::Open {
        all.extend([401, 403, 429]);
    }
    if entry.body.is_some() {
        all.extend([408, 413, 415, 422]);
    }
    if entry.writes {
        all.extend([409, 507]);
    }
    all.extend(&entry.errors);
    all.sort_unstable();
    all.dedup();
    all
}

/// What an error status says here, where the phrase alone would not tell.
fn explanation(status: u16) -> &'static str {
    match status {
        412 => "If-Match or if_revision names a state that is no longer the present one; nothing was changed",
        422 => {
            "JSON that cannot be taken: of the wrong shape, or the configuration would have faults (see errors)"
        }
        429 => "Too many requests, or too many wrong passwords of known tokens from this address",
        _ => reason_phrase(status),
    }
}

fn reason_phrase(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Answer")
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::Role(_) => json!([{ "bearer": [] }]),
    }
}

fn role(access: Access) -> &'static str {
    match access {
        Access::Open => "none",
        Access::Role(role) => role.as_str(),
    }
}

fn problem_schema() -> Value {
    schema::open_object(
        &["type", "title", "status", "detail", "code", "slug", "fix"],
        &[
            ("type", schema::formatted("uri-reference", "Explains the code.")),
            (
                "title",
                schema::string("What is wrong, the same for every occurrence."),
            ),
            ("status", schema::count("The HTTP status.")),
            ("detail", schema::string("What is special about this occurrence.")),
            (
                "instance",
                schema::formatted("uri-reference", "Path of the request."),
            ),
            ("code", schema::string("Stable code, `PUR-9412`.")),
            ("slug", schema::string("Stable name for programs.")),
            ("fix", schema::string("What to do about it.")),
            ("request_id", schema::string("As in the header X-Request-Id.")),
            ("errors", schema::array(schema::reference("Fault"))),
        ],
    )
}

/// A problem for clients that look for `error` and `details`.
fn error_problem_schema() -> Value {
    let mut whole = problem_schema();
    for (name, words) in [
        ("error", "The same as title."),
        ("details", "The same as detail."),
    ] {
        whole["properties"][name] = schema::string(words);
    }
    for name in ["error", "details", "request_id"] {
        let required = whole["required"].as_array_mut();
        required
            .expect("it names what it cannot be without")
            .push(json!(name));
    }
    whole
}

fn fault_schema() -> Value {
    schema::object(&[
        (
            "severity",
            schema::one_of(&["error", "warning"], "Only errors refuse a configuration."),
        ),
        ("path", schema::string("Key path: `dhcp.subnets[1].pools[0]`.")),
        ("message", schema::string("What is wrong.")),
        ("code?", schema::string("Stable code.")),
        ("fix?", schema::string("What to do.")),
    ])
}
