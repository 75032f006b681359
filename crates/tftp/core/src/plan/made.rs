//! Texts made for a client from templates.

use super::path::RelativePath;
use super::{Ask, Facts, Plan, Resolved, codes, who_fits};
use crate::rule::{Client, dashed, hex};
use crate::settings::{Body, Template};
use crate::template::{MarkName, Seen, Values, kind_of};
use purlin_telemetry::ReasonCode;
use std::net::IpAddr;
use std::sync::Arc;

impl Plan {
    /// Templates whose name fits, in the order of the configuration.
    pub(super) fn templates<'p>(&'p self, name: &'p str) -> impl Iterator<Item = (&'p Template, Seen)> {
        let templates = &self.settings.files.templates;
        let exact = self.exact.get(name).map_or(&[][..], Vec::as_slice);
        let (mut left, mut right) = (exact.iter().peekable(), self.patterns.iter().peekable());
        std::iter::from_fn(move || {
            loop {
                let (at, pattern) = match (left.peek(), right.peek()) {
                    (Some(a), Some(b)) if b < a => (*right.next()?, true),
                    (Some(_), _) => (*left.next()?, false),
                    (None, _) => (*right.next()?, true),
                };
                let template = &templates[at];
                match pattern {
                    false => return Some((template, Seen::default())),
                    true => {
                        if let Some(seen) = template.name.fits(name) {
                            return Some((template, seen));
                        }
                    }
                }
            }
        })
    }

    pub(super) fn made(
        &self,
        path: &RelativePath,
        ask: &Ask<'_>,
        client: &Client<'_>,
        facts: Option<&Facts>,
    ) -> Result<Option<Resolved>, ReasonCode> {
        let fitting = self.templates(path.as_str()).find(|(template, seen)| {
            let mac = seen.mac.as_ref().or(client.mac);
            who_fits(&template.who, client.address, mac)
        });
        let Some((template, seen)) = fitting else {
            return Ok(None);
        };
        let values = self.values(path, ask, client, facts, seen);
        match &template.body {
            Body::Text(text) => {
                let filled = text.fill(|name| values.get(name));
                Ok(Some(match filled {
                    Ok(text) => Resolved::Made {
                        kind: kind_of(path.as_str(), &text),
                        text,
                    },
                    Err(mark) => Resolved::NoValue(MarkName::of(mark)),
                }))
            }
            Body::File(file) => Ok(Some(Resolved::MadeFrom {
                root: self.root.as_ref().map(Arc::clone).ok_or(codes::ROOT_MISSING)?,
                path: file.clone(),
                values,
            })),
        }
    }

    fn values(
        &self,
        path: &RelativePath,
        ask: &Ask<'_>,
        client: &Client<'_>,
        facts: Option<&Facts>,
        seen: Seen,
    ) -> Values {
        let none = Facts::default();
        // A name that says which machine it is for is believed before the lease of whoever asks: PXELINUX and GRUB put
        // there what the firmware has told them.
        let known = facts.unwrap_or(&none);
        let stranger = seen
            .mac
            .is_some_and(|mac| known.mac.is_some_and(|lease| lease != mac));
        let known = if stranger { &none } else { known };
        let mac = seen.mac.or(known.mac);
        let profile = self.profile(&Facts { mac, ..known.clone() });
        let url = self.url(ask);
        let mut values = Values::default();
        let ip = seen.ip.map_or(client.address, IpAddr::V4);
        values.add("ip", Some(ip.to_string()));
        values.add("ip_hex", Some(hex(ip)));
        values.add("mac", mac.map(|mac| mac.to_string()));
        values.add("mac_dashed", mac.map(dashed));
        values.add("uuid", seen.uuid.or(known.uuid).map(uuid_text));
        values.add_word("hostname", known.hostname.as_deref());
        values.add_word("arch", known.architecture.as_deref());
        values.add_word("user_class", known.user_class.as_deref());
        values.add_word("subnet", known.subnet.as_deref());
        values.add("server", self.server(ask).map(|server| server.to_string()));
        values.add("name", Some(path.as_str()));
        if let Some(profile) = profile {
            values.add("profile", Some(profile.name.as_str()));
            values.add("file", Some(profile.file.as_str()));
            let whole = profile.file.contains("://").then(|| profile.file.clone());
            let below = url
                .as_ref()
                .map(|url| format!("{url}/{}", profile.file.trim_start_matches('/')));
            values.add("file_url", whole.or(below));
            for (name, value) in &profile.values {
                values.add(name.clone(), Some(value.as_str()));
            }
        }
        values.add("url", url);
        values
    }

    /// The address the request came to; when that is not known, the first of its version that is listened on by name.
    fn server(&self, ask: &Ask<'_>) -> Option<IpAddr> {
        let client = ask.client.to_canonical();
        let sockets = self.settings.http.listen.iter().chain(&self.settings.listen);
        let named = || {
            sockets
                .map(std::net::SocketAddr::ip)
                .find(|ip| !ip.is_unspecified() && ip.is_ipv4() == client.is_ipv4())
        };
        ask.server.map(|server| server.to_canonical()).or_else(named)
    }

    /// Where this client finds files by URL: HTTP where it is served, else TFTP. No `/` at the end.
    fn url(&self, ask: &Ask<'_>) -> Option<String> {
        let server = self.server(ask)?;
        let host = match server {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        let listening = |sockets: &[std::net::SocketAddr]| {
            let here = sockets.iter().find(|socket| socket.ip() == server);
            let open = sockets
                .iter()
                .find(|socket| socket.ip().is_unspecified() && (socket.is_ipv6() || server.is_ipv4()));
            here.or(open).map(std::net::SocketAddr::port)
        };
        let (scheme, port, usual) = match listening(&self.settings.http.listen) {
            Some(port) => ("http", port, 80),
            None => ("tftp", listening(&self.settings.listen).unwrap_or(69), 69),
        };
        Some(match port == usual {
            true => format!("{scheme}://{host}"),
            false => format!("{scheme}://{host}:{port}"),
        })
    }
}

fn uuid_text(uuid: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(uuid));
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
