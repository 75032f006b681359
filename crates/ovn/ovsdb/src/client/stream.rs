//! A stream to a server, whatever it runs over.

use super::endpoint::Endpoint;
use super::tls::Tls;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) async fn connect(endpoint: &Endpoint, tls: Option<&Tls>) -> io::Result<Box<dyn Stream>> {
    match endpoint {
        Endpoint::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
        Endpoint::Tcp(host, port) => Ok(Box::new(tcp(host, *port).await?)),
        Endpoint::Ssl(host, port) => {
            let tls = tls.ok_or_else(|| {
                io::Error::other("an ssl: endpoint needs a certificate, a key and an authority")
            })?;
            let name = host.clone().try_into().map_err(io::Error::other)?;
            let stream = tcp(host, *port).await?;
            let connector = tokio_rustls::TlsConnector::from(tls.0.clone());
            Ok(Box::new(connector.connect(name, stream).await?))
        }
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // Requests are small and somebody waits for each.
    stream.set_nodelay(true)?;
    Ok(stream)
}
