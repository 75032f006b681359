//! Control sockets of Open vSwitch's and OVN's programs: what `ovs-appctl` speaks.
//!
//! One JSON-RPC request, one answer, both texts: `cluster/status OVN_Northbound`, `ovsdb-server/compact`, `status`. A
//! socket is a file, so its program is on the same machine.
//!
//! Source: ovs-appctl(8); the wire form is that of RFC 7047, section 4.

pub mod raft;

use crate::session::{Framer, Limits};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// What a program may answer at most; `coverage/show` of a large server has some 20 kB.
const ANSWER_MAX: usize = 16 << 20;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens, or may not be spoken to.
    #[error("{0} is not reached: {1}")]
    Unreachable(PathBuf, String),
    /// The program knows the command and refuses it, or does not know it; in its own words.
    #[error("{0}")]
    Refused(String),
    /// It took the request and said nothing in time.
    #[error("{0} did not answer within {1:?}")]
    Silent(PathBuf, Duration),
    /// It said something that is no answer.
    #[error("{0} answered what is no answer: {1}")]
    Garbled(PathBuf, String),
}

/// Asks the program behind a control socket.
///
/// # Errors
///
/// Nobody answers, or what the program says against it.
pub async fn call(
    socket: &Path,
    command: &str,
    arguments: &[&str],
    patience: Duration,
) -> Result<String, ControlError> {
    let asked = tokio::time::timeout(patience, ask(socket, command, arguments));
    asked
        .await
        .unwrap_or_else(|_| Err(ControlError::Silent(socket.to_owned(), patience)))
}

async fn ask(socket: &Path, command: &str, arguments: &[&str]) -> Result<String, ControlError> {
    let unreachable = |cause: std::io::Error| ControlError::Unreachable(socket.to_owned(), cause.to_string());
    let garbled = |cause: &str| ControlError::Garbled(socket.to_owned(), cause.to_owned());
    let mut stream = UnixStream::connect(socket).await.map_err(unreachable)?;
    let request = json!({ "id": 0, "method": command, "params": arguments });
    stream
        .write_all(request.to_string().as_bytes())
        .await
        .map_err(unreachable)?;
    let mut framer = Framer::new(Limits {
        message_max: ANSWER_MAX,
        ..Limits::default()
    });
    loop {
        if let Some(frame) = framer.take_frame().map_err(|cause| garbled(&cause.to_string()))? {
            let answer = serde_json::from_slice(&frame).map_err(|cause| garbled(&cause.to_string()))?;
            return read(&answer).ok_or_else(|| garbled("neither a result nor an error"))?;
        }
        let read = stream.read_buf(framer.buffer()).await.map_err(unreachable)?;
        if read == 0 {
            return Err(garbled("it closed the connection"));
        }
    }
}

fn read(answer: &Value) -> Option<Result<String, ControlError>> {
    if let Some(error) = answer["error"].as_str() {
        return Some(Err(ControlError::Refused(error.trim().to_owned())));
    }
    answer["result"].as_str().map(|result| Ok(result.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    /// A program that answers each request with the next of these octets.
    fn program(folder: &Path, answers: &'static [&'static str]) -> PathBuf {
        let socket = folder.join("p.ctl");
        let listener = UnixListener::bind(&socket).expect("a socket in a folder of our own");
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.expect("somebody asks");
                let mut octets = [0; 1024];
                let count = stream.read(&mut octets).await.expect("a request");
                let asked: Value = serde_json::from_slice(&octets[..count]).expect("JSON");
                assert_eq!(asked["method"], "cluster/status");
                assert_eq!(asked["params"], json!(["D"]));
                for half in answer.as_bytes().chunks(7) {
                    stream.write_all(half).await.expect("it listens");
                }
            }
        });
        socket
    }

    #[tokio::test]
    async fn answers_refusals_and_nonsense_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = program(
            folder.path(),
            &[
                r#"{"id":0,"result":"all {well\n","error":null}"#,
                r#"{"id":0,"result":null,"error":"unknown cluster\n"}"#,
                r#"{"id":0}"#,
                "[1]",
                "",
            ],
        );
        let ask = async || call(&socket, "cluster/status", &["D"], Duration::from_secs(5)).await;
        assert_eq!(ask().await.expect("an answer"), "all {well\n");
        assert_eq!(
            ask().await,
            Err(ControlError::Refused("unknown cluster".to_owned()))
        );
        for _ in 0..3 {
            assert!(matches!(ask().await, Err(ControlError::Garbled(..))));
        }
        let absent = folder.path().join("absent.ctl");
        let error = call(&absent, "status", &[], Duration::from_secs(5)).await;
        assert!(matches!(error, Err(ControlError::Unreachable(..))), "{error:?}");
    }

    #[tokio::test]
    async fn who_says_nothing_is_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("p.ctl");
        let _listener = UnixListener::bind(&socket).expect("a socket in a folder of our own");
        let error = call(&socket, "status", &[], Duration::from_millis(20)).await;
        assert!(matches!(error, Err(ControlError::Silent(..))), "{error:?}");
    }
}
