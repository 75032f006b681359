//! Hands a line to a daemon and prints what it answers.

use super::direct::plain;
use super::options::{Given, What};
use super::settings::Settings;
use super::{ALARM, Called, FAILED, Told};
use serde_json::{Value, json};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

pub(super) fn run(
    called: &Called<'_>,
    settings: &Settings,
    options: &[Given],
    rest: &[String],
    socket: &Path,
) -> Result<Told, String> {
    let shown = socket.display();
    let stream = UnixStream::connect(socket).map_err(|cause| {
        format!(
            "{shown}: could not connect to {} daemon ({}); unset OVN_NB_DAEMON to avoid using daemon",
            called.name,
            plain(&cause)
        )
    })?;
    let mut words: Vec<String> = options.iter().filter_map(word).collect();
    if let Some(limit) = settings.timeout {
        // The daemon gives up a little later than this process, which ends by its own clock.
        words.push(format!("--timeout={}", limit.as_secs() + 1));
    }
    words.push("--".to_owned());
    words.extend_from_slice(rest);
    let answer = stream
        .set_read_timeout(settings.timeout)
        .and_then(|()| ask(stream, &words));
    match answer {
        Ok(Ok(text)) => Ok(Told::said(text)),
        Ok(Err(text)) => Ok(Told {
            err: format!("{}: {text}", called.name),
            ..Told::ended(FAILED)
        }),
        Err(cause) if matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Ok(Told::ended(ALARM))
        }
        Err(cause) => Err(format!("{shown}: transaction error ({})", plain(&cause))),
    }
}

/// An option as the daemon is to read it; those that were about this process stay here.
fn word(option: &Given) -> Option<String> {
    let passed = matches!(
        option.what,
        What::NoWait
            | What::Wait
            | What::PrintWaitTime
            | What::DryRun
            | What::OneLine
            | What::Format
            | What::Data
            | What::NoHeadings
            | What::Pretty
            | What::Bare
            | What::ColumnMax
            | What::Local
    );
    let word = match &option.value {
        Some(value) => format!("--{}={value}", option.name),
        None => format!("--{}", option.name),
    };
    passed.then_some(word)
}

/// One request and its answer: what the line prints, or why it was refused.
fn ask(mut stream: UnixStream, words: &[String]) -> io::Result<Result<String, String>> {
    let request = json!({"id": 0, "method": "run", "params": words});
    stream.write_all(request.to_string().as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "End of file"));
        }
        answer.extend_from_slice(&piece[..length]);
        // An answer ends with the only closing brace outside of its texts: most pieces need not be looked at.
        if answer.last().is_some_and(|last| matches!(last, b'}' | b'\n'))
            && let Ok(json) = serde_json::from_slice::<Value>(&answer)
        {
            let text = |name: &str| json[name].as_str().map(str::to_owned);
            return match (text("error"), text("result")) {
                (Some(error), _) => Ok(Err(error)),
                (None, Some(result)) => Ok(Ok(result)),
                (None, None) => Err(io::Error::new(io::ErrorKind::InvalidData, "Invalid argument")),
            };
        }
    }
}
