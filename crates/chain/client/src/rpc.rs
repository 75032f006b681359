//! JSON-RPC 2.0 over one HTTP connection that is used again and again.

mod connection;

pub use connection::Connection;

use crate::Endpoint;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// No answer came: nobody listens, the connection broke, or the time is up. The request may have been carried out.
    #[error("{0}")]
    Transport(String),
    /// The server said no, in its own words.
    #[error("{message} (code {code})")]
    Refused { code: i64, message: String },
    /// The answer is not what the method answers.
    #[error("{method} was answered with something else: {cause}")]
    Malformed { method: String, cause: String },
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: u32,
    method: &'a str,
    params: &'a Value,
}

/// One answer of a batch; `result` is absent or null where there is none.
#[derive(Debug, Deserialize)]
struct Answer {
    id: Option<u32>,
    #[serde(default)]
    result: Value,
    error: Option<Fault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    code: i64,
    message: String,
}

/// A client of one server. One request is under way at a time.
#[derive(Debug)]
pub struct Rpc {
    connection: Connection,
    patience: Duration,
}

impl Rpc {
    /// Nothing is opened before the first question. No answer within `patience` is a failure.
    #[must_use]
    pub fn new(endpoint: Endpoint, patience: Duration) -> Self {
        Self {
            connection: Connection::new(endpoint),
            patience,
        }
    }

    /// Asks one question. A `null` answer becomes `None` where `T` is an `Option`.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn call<T: DeserializeOwned>(&mut self, method: &str, params: &Value) -> Result<T, RpcError> {
        let request = Request {
            jsonrpc: "2.0",
            id: 0,
            method,
            params,
        };
        let body = serde_json::to_vec(&request).expect("a value becomes JSON");
        let text = self.connection.post(Bytes::from(body), self.patience).await?;
        let answer: Answer = serde_json::from_slice(&text).map_err(|cause| malformed(method, &cause))?;
        answered(method, answer)
    }

    /// Asks many questions of one method in one request; the answers come back in the order of the questions.
    ///
    /// # Errors
    /// The first that went wrong.
    pub async fn batch<T: DeserializeOwned>(
        &mut self,
        method: &str,
        params: &[Value],
    ) -> Result<Vec<T>, RpcError> {
        let requests: Vec<_> = (0_u32..)
            .zip(params)
            .map(|(id, params)| Request {
                jsonrpc: "2.0",
                id,
                method,
                params,
            })
            .collect();
        let body = serde_json::to_vec(&requests).expect("values become JSON");
        let text = self.connection.post(Bytes::from(body), self.patience).await?;
        in_order(method, &text, params.len())
    }
}

/// Answers of a batch may come in any order (JSON-RPC 2.0, section 6).
fn in_order<T: DeserializeOwned>(method: &str, text: &[u8], count: usize) -> Result<Vec<T>, RpcError> {
    if text.trim_ascii_start().first() == Some(&b'{') {
        // The batch as a whole was refused.
        let answer: Answer = serde_json::from_slice(text).map_err(|cause| malformed(method, &cause))?;
        return answered::<Value>(method, answer).and(Err(malformed(method, &"one answer to a batch")));
    }
    let answers: Vec<Answer> = serde_json::from_slice(text).map_err(|cause| malformed(method, &cause))?;
    let mut found: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for answer in answers {
        let place = answer.id.and_then(|id| found.get_mut(id as usize));
        let value = answered(method, answer)?;
        *place.ok_or_else(|| malformed(method, &"an answer to another question"))? = Some(value);
    }
    let whole: Option<Vec<T>> = found.into_iter().collect();
    whole.ok_or_else(|| malformed(method, &"fewer answers than questions"))
}

fn answered<T: DeserializeOwned>(method: &str, answer: Answer) -> Result<T, RpcError> {
    if let Some(Fault { code, message }) = answer.error {
        return Err(RpcError::Refused { code, message });
    }
    T::deserialize(answer.result).map_err(|cause| malformed(method, &cause))
}

fn malformed(method: &str, cause: &dyn std::fmt::Display) -> RpcError {
    RpcError::Malformed {
        method: method.to_owned(),
        cause: cause.to_string(),
    }
}

/// The answer to one raw transaction, borrowed from the text: thousands come in a second.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct SendAnswer<'a> {
    pub(crate) id: Option<u32>,
    #[serde(borrow, default)]
    pub(crate) result: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) error: Option<SendFault<'a>>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct SendFault<'a> {
    #[serde(borrow)]
    pub(crate) message: Cow<'a, str>,
}

/// Answers to raw transactions, of a batch or of one.
pub(crate) fn send_answers(text: &[u8]) -> Result<Vec<SendAnswer<'_>>, RpcError> {
    let wrong = |cause: serde_json::Error| malformed("eth_sendRawTransaction", &cause);
    if text.trim_ascii_start().first() == Some(&b'{') {
        return serde_json::from_slice(text).map(|one| vec![one]).map_err(wrong);
    }
    serde_json::from_slice(text).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_batch_find_their_questions() {
        let text = br#"[{"jsonrpc":"2.0","id":1,"result":"b"},{"jsonrpc":"2.0","id":0,"result":"a"}]"#;
        assert_eq!(in_order::<String>("m", text, 2).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_null_is_an_answer() {
        let text = br#"[{"id":0,"result":null}]"#;
        assert_eq!(in_order::<Option<String>>("m", text, 1).unwrap(), [None]);
    }

    #[test]
    fn a_batch_that_is_not_answered_whole_is_malformed() {
        let few: &[u8] = br#"[{"id":0,"result":1}]"#;
        let strange: &[u8] = br#"[{"id":0,"result":1},{"id":7,"result":1}]"#;
        for text in [few, strange, b"[]", b"no"] {
            let found = in_order::<u32>("m", text, 2);
            assert!(matches!(found, Err(RpcError::Malformed { .. })), "{found:?}");
        }
    }

    #[test]
    fn a_refusal_keeps_the_servers_words() {
        let expected = RpcError::Refused {
            code: -32005,
            message: "batch too large".into(),
        };
        let whole: &[u8] = br#"{"id":null,"error":{"code":-32005,"message":"batch too large"}}"#;
        let one: &[u8] = br#"[{"id":0,"error":{"code":-32005,"message":"batch too large"}}]"#;
        for text in [whole, one] {
            assert_eq!(in_order::<u32>("m", text, 1), Err(expected.clone()));
        }
    }

    #[test]
    fn answers_to_transactions_are_read_singly_and_in_batches() {
        let one = send_answers(br#"{"jsonrpc":"2.0","id":3,"result":"0xab"}"#).unwrap();
        assert_eq!((one[0].id, one[0].result.as_deref()), (Some(3), Some("0xab")));
        let many =
            send_answers(br#"[{"id":4,"error":{"code":-32000,"message":"nonce \"too\" low"}}]"#).unwrap();
        assert_eq!(many[0].error.as_ref().unwrap().message, "nonce \"too\" low");
    }
}
