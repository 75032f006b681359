//! `purlin boot resolve`: what a name would lead to.

use crate::cli::Context;
use crate::client::{Ask, with_query};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Form, Paint, Tone};
use serde_json::Value;
use std::net::IpAddr;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin boot resolve boot.ipxe --client 10.67.1.5
  purlin boot resolve pxelinux.cfg/01-02-00-00-00-00-01 --client 10.67.1.5
  purlin boot resolve configs/switch-1.cfg --write

Exit code 3 when the file is not there, 5 when it would be refused.")]
pub(crate) struct Args {
    /// The name as the client would send it.
    name: String,
    /// The client's address; what DHCP knows of it counts.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    client: IpAddr,
    /// The client would write the file.
    #[arg(long)]
    write: bool,
    /// The client would ask over HTTP.
    #[arg(long, conflicts_with = "write")]
    http: bool,
}

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let client = args.client.to_string();
    let pairs = [
        ("name", args.name.as_str()),
        ("client", &client),
        ("write", if args.write { "true" } else { "" }),
        ("scheme", if args.http { "http" } else { "" }),
    ];
    let path = with_query("/api/v1/boot/resolve", &pairs);
    let answer = context.client()?.value(Ask::get(path)).await?;
    if matches!(context.form(), Form::Table | Form::Wide) {
        tell(&answer, Paint::stdout());
    } else {
        output::document(context.form(), &answer)?;
    }
    Ok(exit_of(&answer))
}

fn tell(answer: &Value, paint: Paint) {
    let tone = match exit_of(answer) {
        Exit::Ok => Tone::Good,
        _ => Tone::Warning,
    };
    say!("{}", paint.text(tone, text(answer, "summary")));
    for fitted in answer["rules"].as_array().into_iter().flatten() {
        say!(
            "  rule     {}   on {}",
            text(fitted, "rule"),
            text(fitted, "before")
        );
    }
    for (name, key) in [
        ("root", "root"),
        ("path", "path"),
        ("profile", "profile"),
        ("fix", "fix"),
    ] {
        if !text(answer, key).is_empty() {
            say!("  {name:<8} {}", text(answer, key));
        }
    }
    if let Some(made) = answer["text"].as_str() {
        say!("\n{}", made.trim_end());
    }
}

fn exit_of(answer: &Value) -> Exit {
    match text(answer, "kind") {
        "refused" => Exit::Denied,
        "file" if answer["exists"] == Value::Bool(false) && answer["write"] == Value::Bool(false) => {
            Exit::NotFound
        }
        _ => Exit::Ok,
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_exit_code_tells_whether_the_client_would_get_it() {
        let check = |answer: Value, exit| assert_eq!(exit_of(&answer), exit, "{answer}");
        check(json!({"kind": "made", "write": false}), Exit::Ok);
        check(json!({"kind": "file", "exists": true, "write": false}), Exit::Ok);
        check(
            json!({"kind": "file", "exists": false, "write": false}),
            Exit::NotFound,
        );
        check(json!({"kind": "file", "exists": false, "write": true}), Exit::Ok);
        check(json!({"kind": "refused", "write": false}), Exit::Denied);
    }
}
