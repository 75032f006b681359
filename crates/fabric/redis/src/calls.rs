//! One command, one answer, never longer than the timeout.

use crate::line::Line;
use crate::pool::{Pool, Wire};
use crate::script::Script;
use crate::trouble::Trouble;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, Value};
use std::time::Duration;

/// Sends commands over whatever connection is up.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) line: Line<Pool>,
    pub(crate) timeout: Duration,
    /// How often a plain command is sent again that got no answer; scripts compare and set, and are sent once.
    pub(crate) retries: u32,
}

impl Calls {
    pub(crate) async fn send<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, Trouble> {
        let mut left = self.retries;
        loop {
            let answer = self.bounded(async |wire: Wire| wire.send(cmd).await).await;
            match answer {
                Err(_) if left > 0 => left -= 1,
                answer => return answer,
            }
        }
    }

    pub(crate) async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&str],
    ) -> Result<T, Trouble> {
        let by_hash = script.by_hash(keys, arguments);
        self.bounded(async |wire: Wire| match wire.clone().send(&by_hash).await {
            Err(cause) if cause.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                wire.send(&script.by_text(keys, arguments)).await
            }
            answer => answer,
        })
        .await
    }

    /// Any exchange over one connection. Whatever goes wrong with it makes the line suspect.
    pub(crate) async fn bounded<T: FromRedisValue>(
        &self,
        exchange: impl AsyncFnOnce(Wire) -> RedisResult<Value>,
    ) -> Result<T, Trouble> {
        let whole = async {
            let wire = self.line.up().await?.wire();
            let answer = exchange(wire).await?;
            Ok(redis::from_redis_value(answer).map_err(redis::RedisError::from)?)
        };
        let answer = match tokio::time::timeout(self.timeout, whole).await {
            Ok(answer) => answer,
            Err(_) => Err(Trouble::Late(self.timeout)),
        };
        if answer.is_err() {
            self.line.suspect();
        }
        answer
    }
}
