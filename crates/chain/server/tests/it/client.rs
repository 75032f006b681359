//! A JSON-RPC client of few lines: what goes over the wire is what a test says.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tungstenite::{Message, WebSocket};

const PATIENCE: Duration = Duration::from_secs(60);

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// One HTTP request on a connection of its own.
pub(crate) fn http(address: SocketAddr, method: &str, headers: &str, body: &str) -> Reply {
    let mut stream = connect(address);
    let length = body.len();
    let host = if headers.to_ascii_lowercase().contains("host:") {
        ""
    } else {
        "Host: localhost\r\n"
    };
    write!(
        stream,
        "{method} / HTTP/1.1\r\n{host}{headers}Content-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .expect("sent");
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).expect("a body");
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunk(&rest) } else { rest };
    Reply {
        status,
        headers: head,
        body: String::from_utf8(body).expect("text"),
    }
}

fn unchunk(mut octets: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = octets.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&octets[..end]).expect("a size");
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        whole.extend_from_slice(&octets[end + 2..end + 2 + size]);
        octets = &octets[end + 2 + size..];
        octets = octets.get(2..).unwrap_or_default();
    }
    whole
}

pub(crate) fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// A WebSocket.
pub(crate) struct Ws(WebSocket<TcpStream>);

impl Ws {
    pub(crate) fn open(address: SocketAddr, host: &str) -> Self {
        let url = format!("ws://{host}/");
        let (socket, _) = tungstenite::client(url, connect(address)).expect("a WebSocket");
        Self(socket)
    }

    pub(crate) fn send(&mut self, method: &str, params: &Value) {
        let text = request(method, params).to_string();
        self.0.send(Message::text(text)).expect("sent");
    }

    /// The next message.
    pub(crate) fn next(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().expect("a message") {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    }

    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.send(method, params);
        self.next()["result"].take()
    }
}
