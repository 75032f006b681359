//! `redis://` and `rediss://`. Messages name the part, never its text: what stands wrongly in one place may be the
//! password of another.

use super::{Address, REDIS_PORT, Secret, SettingFault, Settings, Tls, Topology};
use percent_encoding::percent_decode_str;

pub(super) fn read(key: &'static str, text: &str) -> Result<Settings, SettingFault> {
    parse(text.trim()).map_err(|says| SettingFault::new(key, says))
}

fn parse(text: &str) -> Result<Settings, &'static str> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("it starts with redis:// or rediss://")?;
    let tls = match scheme {
        "redis" => None,
        "rediss" => Some(Tls::default()),
        _ => return Err("it starts with redis:// or rediss://"),
    };
    if rest.contains(['?', '#']) {
        return Err("options after '?' or '#' are not known; inside a password write %3F and %23");
    }
    // The last '@' divides: a password that was not encoded may hold others.
    let (credentials, rest) = match rest.rsplit_once('@') {
        Some((credentials, rest)) => (Some(credentials), rest),
        None => (None, rest),
    };
    let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
    let mut settings = Settings::new(Topology::Single(Address::parse_list(hosts, REDIS_PORT)?));
    if let Topology::Single(addresses) = &settings.topology
        && addresses.is_empty()
    {
        return Err("the host is missing");
    }
    settings.tls = tls;
    if !database.is_empty() {
        let number: Option<u32> = database.parse().ok();
        settings.database = number.ok_or("what follows the '/' is the number of a database")?;
    }
    if let Some(credentials) = credentials {
        let (user, password) = credentials
            .split_once(':')
            .ok_or("a password comes after a colon, as in redis://:password@host")?;
        settings.username = Some(decode(user)?).filter(|user| !user.is_empty());
        settings.password = Some(decode(password)?)
            .filter(|password| !password.is_empty())
            .map(Secret::new);
    }
    Ok(settings)
}

fn decode(text: &str) -> Result<String, &'static str> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| "the percent-encoded user or password is not UTF-8")
}
