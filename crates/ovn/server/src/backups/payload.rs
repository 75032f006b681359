//! From the rows of a backup to what is kept of them, and back.

use super::{Format, Wanted, refused, sealed};
use crate::yaml::yaml;
use purlin_api::Problem;
use purlin_config::{Document, Faults, Format as Notation, Input, SourceKind};
use serde_json::Value;

/// What a payload begins with.
pub(super) const MARK: &str = "purlin-ovn-backup";

/// The octets of a payload, packed and sealed as wanted.
pub(super) async fn pack(payload: Value, wanted: &Wanted) -> Result<Vec<u8>, Problem> {
    let (format, compress) = (wanted.format, wanted.compress);
    let key = wanted.encryption_key.clone().filter(|_| wanted.encrypt);
    blocking(move || {
        let mut octets = match format {
            Format::Json => payload.to_string().into_bytes(),
            Format::Yaml => yaml(&payload).into_bytes(),
        };
        if compress {
            octets = sealed::compress(&octets)?;
        }
        match key {
            Some(key) => sealed::seal(octets, &key),
            None => Ok(octets),
        }
    })
    .await
}

/// The text behind what is kept.
pub(super) async fn payload(stored: Vec<u8>, key: Option<&str>) -> Result<Value, Problem> {
    let key = key.map(str::to_owned);
    blocking(move || {
        let mut octets = stored;
        if sealed::is_sealed(&octets) {
            let key = key.ok_or_else(|| refused("decryption_key is missing: the backup is encrypted"))?;
            octets = sealed::open(&octets, &key)?;
        }
        if octets.starts_with(&[0x1f, 0x8b]) {
            octets = sealed::decompress(&octets)?;
        }
        let text = String::from_utf8(octets).map_err(|_| refused("the backup is no text"))?;
        let value = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(&text)
                .map_err(|cause| refused(format!("the backup cannot be read: {cause}")))?,
            false => from_yaml(text)?,
        };
        match value["backup"] == MARK && value["tables"].is_object() {
            true => Ok(value),
            false => Err(refused(format!(
                "this is no backup: it does not say `backup: {MARK}`"
            ))),
        }
    })
    .await
}

fn from_yaml(text: String) -> Result<Value, Problem> {
    let mut faults = Faults::new();
    let input = Input {
        name: "backup".to_owned(),
        text,
        kind: SourceKind::Api,
        format: Some(Notation::Yaml),
    };
    let document = Document::parse([input], &mut faults);
    match faults.iter().next().filter(|_| faults.has_errors()) {
        Some(fault) => Err(refused(format!("the backup cannot be read: {}", fault.message))),
        None => Ok(document.to_json()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Problem::broken("a thread of a backup died"))?
}
