//! Virtual addresses of load balancers with their backends, out of and into text.

use std::net::IpAddr;

/// A virtual address with its backends, in the form in which they are stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vip {
    pub(super) vip: String,
    pub(super) backends: String,
    pub(super) has_port: bool,
}

/// `IP`, `IP:PORT`, `[IP6]:PORT`. The port 0 is none.
pub(super) fn endpoint(text: &str) -> Result<(IpAddr, u16), String> {
    let mut colons = Vec::new();
    let mut bracketed = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '[' => bracketed = true,
            ']' => bracketed = false,
            ':' if !bracketed => colons.push(at),
            _ => {}
        }
    }
    let (host, port) = match colons.as_slice() {
        [at] => (&text[..*at], &text[at + 1..]),
        _ => (text, ""),
    };
    let port = match port {
        "" => 0,
        port => purlin_ovsdb::text::integer(port)
            .and_then(|port| u16::try_from(port).ok())
            .ok_or_else(|| format!("{text}: bad port number \"{port}\""))?,
    };
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => Ok((address, port)),
        Err(_) if host.contains(':') => Err(String::new()),
        Err(_) => Err(format!("{text}: bad IP address \"{host}\"")),
    }
}

/// What is wrong: the sentence for the command, and what goes to the log.
#[derive(Debug, Default)]
pub(super) struct Fault {
    pub(super) text: String,
    pub(super) log: Vec<String>,
}

impl Fault {
    fn new(text: String, log: String) -> Self {
        let log = Some(log).filter(|log| !log.is_empty()).into_iter().collect();
        Self { text, log }
    }
}

/// Reads a virtual address and its backends as they are.
pub(super) fn explicit(vip: &str, backends: &str) -> Result<Vip, Fault> {
    let (address, port) = endpoint(vip).map_err(|log| {
        let text = format!(
            "{vip}: should be an IP address (or an IP address and a port number with : as a separator)."
        );
        Fault::new(text, log)
    })?;
    let backends = explicit_backends(backends, &address.to_string(), address.is_ipv4(), port != 0)?;
    Ok(Vip {
        vip: composed(&address, port),
        backends,
        has_port: port != 0,
    })
}

/// In brackets where a port follows an address with colons.
fn composed(address: &IpAddr, port: u16) -> String {
    match (address, port) {
        (address, 0) => address.to_string(),
        (IpAddr::V4(v4), port) => format!("{v4}:{port}"),
        (IpAddr::V6(v6), port) => format!("[{v6}]:{port}"),
    }
}

fn explicit_backends(text: &str, vip: &str, v4: bool, ported: bool) -> Result<String, Fault> {
    let (mut good, mut bad, mut log) = (Vec::new(), Vec::new(), Vec::new());
    let form = if ported {
        "should be an IP address and a port number with : as a separator"
    } else {
        "should be an IP address"
    };
    for word in text.split(',').filter(|word| !word.is_empty()) {
        match endpoint(word) {
            Err(why) => {
                log.extend(Some(why).filter(|why| !why.is_empty()));
                bad.push(format!("{word}: {form}"));
            }
            Ok((address, _)) if address.is_ipv4() != v4 => {
                bad.push(format!("{word}: IP address family is different from VIP {vip}"));
            }
            Ok((_, port)) if (port != 0) != ported => bad.push(format!("{word}: {form}")),
            Ok((address, port)) => good.push(composed(&address, port)),
        }
    }
    if bad.is_empty() {
        return Ok(good.join(","));
    }
    let text = format!("{}.", bad.join(", "));
    Err(Fault { text, log })
}

/// Reads `^VARIABLE[:PORT]` and its backends, which may be variables too.
pub(super) fn template(vip: &str, backends: &str, v4: bool) -> Result<Vip, Fault> {
    let parts: Vec<&str> = vip.split(':').filter(|part| !part.is_empty()).collect();
    let [host, port @ ..] = parts.as_slice() else {
        return Err(Fault::new(template_form(vip), String::new()));
    };
    if port.len() > 1 {
        return Err(Fault::new(template_form(vip), String::new()));
    }
    let backends = match template_backends(backends) {
        Ok(backends) => backends,
        Err(why) => explicit_backends(backends, host, v4, !port.is_empty()).map_err(|fault| Fault {
            text: format!("invalid backend: template ({why}) OR explicit ({})", fault.text),
            ..fault
        })?,
    };
    Ok(Vip {
        vip: parts.join(":"),
        backends,
        has_port: !port.is_empty(),
    })
}

fn template_form(vip: &str) -> String {
    format!("{vip}: should be a template of the form: '^vip_variable[:^port_variable|:port]'.")
}

fn template_backends(text: &str) -> Result<String, String> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for word in text.split(',').filter(|word| !word.is_empty()) {
        let parts: Vec<&str> = word.split(':').filter(|part| !part.is_empty()).collect();
        if matches!(parts.len(), 1 | 2) {
            good.push(parts.join(":"));
        } else {
            let shown = parts.first().copied().unwrap_or_default();
            bad.push(format!(
                "{shown}: should be a template of the form: '^backendip_variable1[:^port_variable1|:port]'"
            ));
        }
    }
    if bad.is_empty() {
        return Ok(good.join(","));
    }
    Err(format!("{}.", bad.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vip: &str, backends: &str) -> Result<(String, String), String> {
        let vip = explicit(vip, backends).map_err(|fault| fault.text)?;
        Ok((vip.vip, vip.backends))
    }

    #[test]
    fn addresses_with_colons_stand_in_brackets_before_a_port() {
        let ok = |vip: &str, backends: &str| Ok((vip.to_owned(), backends.to_owned()));
        assert_eq!(
            read("30.0.0.10:80", "10.0.0.1:80,10.0.0.2:80"),
            ok("30.0.0.10:80", "10.0.0.1:80,10.0.0.2:80")
        );
        assert_eq!(
            read("[AE0F::10]:80", "[fd0f:0::1]:80"),
            ok("[ae0f::10]:80", "[fd0f::1]:80")
        );
        assert_eq!(
            read("ae0f::10", "fd0f::1,fd0f::2"),
            ok("ae0f::10", "fd0f::1,fd0f::2")
        );
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        let why = |vip, backends| read(vip, backends).unwrap_err();
        assert_eq!(
            why("30.0.0.10a", "10.0.0.1"),
            "30.0.0.10a: should be an IP address (or an IP address and a port number with : as a separator)."
        );
        assert_eq!(
            why("30.0.0.10", "10.0.0.1:80"),
            "10.0.0.1:80: should be an IP address."
        );
        assert_eq!(
            why("30.0.0.10:80", "10.0.0.1,fd::1"),
            "10.0.0.1: should be an IP address and a port number with : as a separator, fd::1: IP address family is \
             different from VIP 30.0.0.10."
        );
    }
}
