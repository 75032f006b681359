//! A WebSocket that is only listened to (RFC 6455).

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

/// Largest message that is taken, in octets.
const MESSAGE_MAX: u64 = 64 << 20;

const CONTINUED: u8 = 0;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The listening end.
pub(crate) struct Socket(BufReader<TokioIo<Upgraded>>);

impl Socket {
    pub(super) fn new(upgraded: Upgraded) -> Self {
        Self(BufReader::with_capacity(64 << 10, TokioIo::new(upgraded)))
    }

    /// The next text; `None` when the server has closed. Pings are answered meanwhile.
    pub(crate) async fn text(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        loop {
            let (last, kind, payload) = self.frame().await?;
            match kind {
                TEXT | CONTINUED => text.extend(payload),
                CLOSE => return Ok(None),
                PING => self.pong(&payload).await?,
                _ => {}
            }
            if last && matches!(kind, TEXT | CONTINUED) {
                return Ok(Some(text));
            }
        }
    }

    /// Section 5.2: whether it ends its message, its opcode, its payload. Servers do not mask.
    async fn frame(&mut self) -> io::Result<(bool, u8, Vec<u8>)> {
        let [first, second] = self.0.read_u16().await?.to_be_bytes();
        let length = match second {
            126 => u64::from(self.0.read_u16().await?),
            127 => self.0.read_u64().await?,
            short => u64::from(short),
        };
        if second & 0x80 != 0 || length > MESSAGE_MAX {
            return Err(io::Error::other("a frame that no server may send"));
        }
        let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
        self.0.read_exact(&mut payload).await?;
        Ok((first & 0x80 != 0, first & 0x0f, payload))
    }

    /// Section 5.5.3. Clients mask (section 5.3); a mask of zeros leaves the payload as it is.
    async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        let length = u8::try_from(payload.len()).unwrap_or(125).min(125);
        let head = [0x80 | PONG, 0x80 | length, 0, 0, 0, 0];
        let frame = [&head[..], &payload[..usize::from(length)]].concat();
        self.0.write_all(&frame).await?;
        self.0.flush().await
    }
}
