//! Backups as files: out of this node, and into it.

use super::may;
use crate::backups::{self, Head, sealed};
use crate::journal::new_id;
use crate::platform::Platform;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::{Operator, Problem};
use purlin_ovn_embedded::standalone;
use serde::Deserialize;
use serde_json::{Value, json};

/// Opens an encrypted backup that is exported: not in the address, which is written into logs.
pub(super) const KEY: &str = "X-Decryption-Key";

pub(super) async fn export(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    may(&caller)?;
    let shelf = platform.backups()?;
    let head = backups::one(shelf, &name.0).await?;
    if asked.word_of("format", &["purlin", "ovsdb"])? == Some("ovsdb") {
        let key = headers.get(KEY).and_then(|key| key.to_str().ok());
        let (schema, _) = platform.north().read().await?;
        let (content, _) = backups::content(shelf, &schema, &head, key).await?;
        let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
        let file = standalone(&schema.to_json(), Some(&content.to_json()));
        return Ok((kind, file).into_response());
    }
    let stored = backups::stored(shelf.history, &head).await?;
    Ok(
        Json(json!({ "metadata": head, "format": head.format, "data": STANDARD.encode(stored) }))
            .into_response(),
    )
}

/// A backup from elsewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Import {
    #[serde(default)]
    format: Option<String>,
    data: Value,
    #[serde(default)]
    metadata: Option<Head>,
    decryption_key: Option<String>,
}

pub(super) async fn import(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    asked: Asked,
    Input(wanted): Input<Import>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    may(&caller)?;
    let shelf = platform.backups()?;
    if let Some(format) = wanted
        .format
        .as_deref()
        .filter(|format| !["json", "yaml"].contains(format))
    {
        return Err(Problem::wrong_shape(format!(
            "format: {format:?} is none; expected json or yaml"
        )));
    }
    let stored = match &wanted.data {
        Value::String(text) if text.trim_start().starts_with(['{', '#', 'b']) && text.contains("tables") => {
            text.clone().into_bytes()
        }
        Value::String(text) => STANDARD
            .decode(text.trim())
            .map_err(|cause| Problem::wrong_shape(format!("data: neither a backup nor base64: {cause}")))?,
        Value::Object(_) => wanted.data.to_string().into_bytes(),
        _ => return Err(Problem::wrong_shape("data: a text or an object is expected")),
    };
    let checksum = backups::checksum(&stored);
    if wanted
        .metadata
        .as_ref()
        .is_some_and(|head| head.checksum != checksum)
    {
        return Err(Problem::wrong_shape(
            "data: the checksum of the metadata is another one: the file was changed",
        ));
    }
    let encrypted = sealed::is_sealed(&stored);
    let key = wanted.decryption_key.as_deref();
    let told = match encrypted && key.is_none() {
        // It cannot be looked into; its own words are all there is.
        true => None,
        false => Some(backups::described(stored.clone(), key).await?),
    };
    let mut head = match (wanted.metadata, told) {
        (Some(head), told) => Head {
            base: told.map_or(head.base.clone(), |told| told.base),
            ..head
        },
        (None, Some(told)) => told,
        (None, None) => {
            return Err(Problem::wrong_shape(
                "an encrypted backup without metadata: decryption_key says what it is",
            ));
        }
    };
    if let Some(base) = &head.base {
        backups::one(shelf, base).await?;
    }
    let id = new_id().map_err(|error| Problem::broken(format!("asking for random numbers: {error}")))?;
    (head.id, head.created_by, head.created_at) = (id.to_string(), caller.name, shelf.history.clock.text());
    head.tenant = shelf.tenant.map(|tenant| tenant.tenant.clone());
    (head.size, head.checksum, head.encrypted) = (stored.len(), checksum, encrypted);
    if !asked.dry_run()? {
        backups::keep(shelf, &head, &stored).await?;
    }
    Ok((StatusCode::CREATED, Json(json!(head))))
}
