//! `/api/v1/boot/resolve`: what a name would mean for a client, by the rules in effect and what is on disk.

use super::Desk;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::clock::rfc3339_millis;
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use purlin_tftp_core::plan::{Facts, Resolved, Scheme};
use purlin_tftp_core::{FileError, Plan, reader, reasons};
use purlin_tftp_files::{Content, OwnedAsk};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Longest part of a made text that is shown, in octets.
const TEXT_SHOWN: usize = 64 << 10;

async fn show(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let name = asked
        .text("name")
        .ok_or_else(|| Problem::parameter("name is missing; expected the name as a client would send it"))?;
    let client: Option<IpAddr> = asked.parsed("client", "an IP address")?;
    let scheme = match asked.word_of("scheme", &["tftp", "http"])? {
        Some("http") => Scheme::Http,
        _ => Scheme::Tftp,
    };
    let ask = OwnedAsk {
        name: name.into(),
        client: client.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        server: None,
        write: asked.flag("write")?,
        scheme,
    };
    let facts = facts_of(&desk, ask.client).await?;
    let plan = desk.books.handle.plan();
    Ok(Json(told(&desk, &plan, &ask, facts.as_ref()).await))
}

/// What DHCP knows; whoever knows may have to wait.
async fn facts_of(desk: &Desk, client: IpAddr) -> Result<Option<Facts>, Problem> {
    let tree = desk.books.handle.tree().clone();
    let asked = tokio::task::spawn_blocking(move || tree.facts(client)).await;
    asked.map_err(|_| Problem::broken("asking what is known of the client panicked"))
}

async fn told(desk: &Desk, plan: &Plan, ask: &OwnedAsk, facts: Option<&Facts>) -> Value {
    let resolved = plan.resolve(&ask.as_ask(), facts);
    let mut told = json!({
        "name": &*ask.name,
        "client": ask.client,
        "write": ask.write,
        "kind": "refused",
        "summary": "",
        "rules": rules(plan, ask, facts),
        "root": null,
        "path": null,
        "text": null,
        "exists": null,
        "size": null,
        "modified": null,
        "code": null,
        "fix": "",
        "profile": facts.and_then(|facts| plan.profile(facts)).map(|profile| profile.name.as_str()),
        "known": known(facts),
    });
    match resolved {
        Resolved::Refused(code) => refused(&mut told, FileError::NotAllowed(code)),
        Resolved::NoValue(mark) => refused(&mut told, FileError::NoValue(mark)),
        Resolved::Made { text, kind } => made(&mut told, &text, kind),
        Resolved::MadeFrom { root, path, .. } => {
            told["root"] = root.to_string_lossy().into();
            told["path"] = path.as_str().into();
            match open(desk, ask).await {
                Ok(content) => {
                    let text = content.chunk(0).unwrap_or_default();
                    let kind = content.kind().unwrap_or("text");
                    made(&mut told, &String::from_utf8_lossy(&text), kind);
                }
                Err(error) => refused(&mut told, error),
            }
        }
        Resolved::File { root, path } => {
            told["kind"] = "file".into();
            told["root"] = root.to_string_lossy().into();
            told["path"] = path.as_str().into();
            file(&mut told, open(desk, ask).await);
        }
    }
    told
}

/// The rules that worked on the name, in order, each with the name as it found it.
fn rules(plan: &Plan, ask: &OwnedAsk, facts: Option<&Facts>) -> Vec<Value> {
    let all = &plan.settings().files.rules;
    let worked = plan.trace(&ask.as_ask(), facts);
    let line = |at: usize| all.get(at).map(reader::rule_text);
    worked
        .iter()
        .map(|fitted| json!({ "rule": line(fitted.rule), "before": fitted.before }))
        .collect()
}

/// What is there, as a read would find it; a write is only looked up.
async fn open(desk: &Desk, ask: &OwnedAsk) -> Result<Arc<Content>, FileError> {
    let (done, opened) = oneshot::channel();
    let ask = OwnedAsk {
        write: false,
        ..ask.clone()
    };
    let hear = move |result| {
        // The asker may have gone.
        let _ = done.send(result);
    };
    desk.books.handle.tree().open(ask, false, Box::new(hear));
    opened.await.unwrap_or(Err(FileError::Busy))
}

fn refused(told: &mut Value, error: FileError) {
    let code = error.reason();
    told["kind"] = "refused".into();
    told["code"] = code.to_string().into();
    if let Some(reason) = reasons::reason(code) {
        let mark = error.mark().map(|mark| format!(": {mark:?}")).unwrap_or_default();
        told["summary"] = (reason.text.to_owned() + &mark).into();
        told["fix"] = reason.fix.into();
    }
}

fn made(told: &mut Value, text: &str, kind: &str) {
    let shown = text.floor_char_boundary(TEXT_SHOWN.min(text.len()));
    told["kind"] = "made".into();
    told["summary"] = format!("a text made for this client ({kind}, {} octets)", text.len()).into();
    told["size"] = text.len().into();
    told["text"] = text[..shown].into();
}

fn file(told: &mut Value, found: Result<Arc<Content>, FileError>) {
    let write = told["write"] == Value::Bool(true);
    let path = told["path"].as_str().unwrap_or_default().to_owned();
    match found {
        Ok(content) => {
            told["exists"] = true.into();
            told["size"] = content.size().into();
            told["modified"] = rfc3339_millis(content.modified().0).into();
            told["summary"] = format!("the file {path} ({} octets)", content.size()).into();
        }
        Err(FileError::NotFound) => {
            told["exists"] = false.into();
            told["summary"] = match write {
                true => format!("a new file {path}").into(),
                false => format!("the file {path}, which is not there").into(),
            };
        }
        Err(error) => refused(told, error),
    }
}

fn known(facts: Option<&Facts>) -> Value {
    let Some(facts) = facts else { return Value::Null };
    json!({
        "mac": facts.mac.map(|mac| mac.to_string()),
        "hostname": facts.hostname,
        "arch": facts.architecture,
        "user_class": facts.user_class,
        "subnet": facts.subnet,
    })
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/boot/resolve", show)
        .summary("Tells what a client would get for a name")
        .description("Rules, templates, trees and the disk are asked as for a real request; nothing is sent or written.")
        .required_query("name", schema::word("The name as the client would send it."))
        .query("client", schema::string("The client's IP address; 127.0.0.1 when absent."))
        .query("write", schema::boolean("The client would write the file."))
        .query("scheme", schema::one_of(&["tftp", "http"], "How the client would ask; tftp when absent."))
        .answers(200, schema::reference("ResolvedName"))]
}
