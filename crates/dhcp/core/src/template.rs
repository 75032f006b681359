//! What every client of one kind is told, encoded once: the options block, header fields and times of a reply.
//!
//! Clients that agree in subnet, pool, classes, reservation, boot entry and parameter request list get the same
//! octets. The block is built on first need and copied into each reply after that.

use crate::plan::Plan;
use crate::settings::{BootEntry, OptionValue, Scope};
use hashbrown::HashMap;
use purlin_dhcp_proto::code;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Templates kept; all are dropped when there would be more (a client that varies its list cannot grow memory).
const KEPT_MAX: usize = 4096;

/// Option 33, classful routes.
const STATIC_ROUTES: u8 = 33;

/// What decides a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    pub(crate) network: u16,
    pub(crate) subnet: u16,
    /// Index of the pool in its subnet, `u16::MAX` for none.
    pub(crate) pool: u16,
    pub(crate) reservation: Option<u32>,
    pub(crate) classes: u128,
    /// Matching boot entry: scope level and position.
    pub(crate) boot: Option<(u8, u16)>,
    pub(crate) http_client: bool,
}

#[derive(Debug)]
pub(crate) struct Template {
    /// Encoded options, in the order the client asked for them.
    pub(crate) block: Vec<u8>,
    pub(crate) siaddr: Ipv4Addr,
    pub(crate) sname: Vec<u8>,
    pub(crate) file: Vec<u8>,
    /// Default, least and greatest lease in seconds.
    pub(crate) lease: (u32, u32, u32),
    pub(crate) t1: Option<u32>,
    pub(crate) t2: Option<u32>,
    requested: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Templates {
    kept: HashMap<(Kind, u64), Arc<Template>, foldhash::fast::FixedState>,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

impl Templates {
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    pub(crate) fn get(&mut self, plan: &Plan, kind: Kind, requested: &[u8]) -> Arc<Template> {
        let key = (kind, fold(requested));
        if let Some(found) = self.kept.get(&key)
            && found.requested == requested
        {
            self.hits += 1;
            return Arc::clone(found);
        }
        self.misses += 1;
        let made = Arc::new(build(plan, kind, requested));
        if self.kept.len() >= KEPT_MAX {
            self.kept.clear();
        }
        self.kept.insert(key, Arc::clone(&made));
        made
    }
}

fn fold(bytes: &[u8]) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// The scopes that hold for a kind of client, weakest first.
pub(crate) fn scopes<'p>(plan: &'p Plan, kind: &Kind) -> impl Iterator<Item = &'p Scope> + use<'p> {
    let network = &plan.networks[usize::from(kind.network)];
    let subnet = &plan.subnets[usize::from(kind.subnet)];
    let pool = subnet.pools.get(usize::from(kind.pool)).map(|p| &p.scope);
    let bits = kind.classes;
    let classes = plan
        .classes
        .iter()
        .enumerate()
        .filter(move |(i, _)| bits >> i & 1 == 1)
        .map(|(_, c)| &c.scope);
    let reservation = kind.reservation.map(|at| &network.reservations.get(at).scope);
    [&plan.settings().scope, &network.scope, &subnet.scope]
        .into_iter()
        .chain(pool)
        .chain(classes)
        .chain(reservation)
}

/// The strongest boot entry that `matches`, as scope level and position.
pub(crate) fn boot_entry(
    plan: &Plan,
    kind: &Kind,
    matches: impl Fn(&BootEntry) -> bool,
) -> Option<(u8, u16)> {
    let levels: Vec<&Scope> = scopes(plan, kind).collect();
    levels.iter().enumerate().rev().find_map(|(level, scope)| {
        scope
            .boot
            .iter()
            .position(&matches)
            .map(|at| (level as u8, at as u16))
    })
}

fn secs(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Default lease in seconds where no scope says one.
pub(crate) const LEASE_DEFAULT: u32 = 3600;

fn build(plan: &Plan, kind: Kind, requested: &[u8]) -> Template {
    let subnet = &plan.subnets[usize::from(kind.subnet)];
    let levels: Vec<&Scope> = scopes(plan, &kind).collect();
    let last = |get: &dyn Fn(&Scope) -> Option<u32>| levels.iter().rev().find_map(|s| get(s));
    let lease = last(&|s| s.lease_time.map(secs)).unwrap_or(LEASE_DEFAULT);
    let mut values: Vec<OptionValue> = Vec::new();
    let mask = subnet.prefix.mask().octets().to_vec();
    set(
        &mut values,
        OptionValue {
            code: code::SUBNET_MASK,
            data: mask,
            always: true,
        },
    );
    for scope in &levels {
        scope.options.iter().for_each(|o| set(&mut values, o.clone()));
        if let Some(wait) = scope.v6_only_wait {
            let data = secs(wait).to_be_bytes().to_vec();
            set(
                &mut values,
                OptionValue {
                    code: code::V6_ONLY_PREFERRED,
                    data,
                    always: false,
                },
            );
        }
    }
    let hostname = kind.reservation.and_then(|at| {
        plan.networks[usize::from(kind.network)]
            .reservations
            .get(at)
            .hostname
            .clone()
    });
    if let Some(name) = hostname {
        set(
            &mut values,
            OptionValue {
                code: code::HOST_NAME,
                data: name.into_bytes(),
                always: false,
            },
        );
    }
    let entry = kind
        .boot
        .map(|(level, at)| &levels[usize::from(level)].boot[usize::from(at)]);
    let text = |get: &dyn Fn(&Scope) -> Option<&String>| levels.iter().rev().find_map(|s| get(s)).cloned();
    let file = entry
        .map(|e| e.file.clone())
        .or_else(|| text(&|s| s.boot_file.as_ref()))
        .unwrap_or_default();
    let siaddr = entry
        .and_then(|e| e.next_server)
        .or_else(|| levels.iter().rev().find_map(|s| s.next_server))
        .unwrap_or(Ipv4Addr::UNSPECIFIED);
    boot_options(&mut values, &file, siaddr, kind.http_client, entry.is_some());
    Template {
        block: encode(&values, requested),
        siaddr,
        sname: text(&|s| s.server_name.as_ref()).unwrap_or_default().into_bytes(),
        file: file.into_bytes(),
        lease: (
            lease,
            last(&|s| s.lease_time_min.map(secs)).unwrap_or(lease),
            last(&|s| s.lease_time_max.map(secs)).unwrap_or(lease),
        ),
        t1: last(&|s| s.t1.map(secs)),
        t2: last(&|s| s.t2.map(secs)),
        requested: requested.to_vec(),
    }
}

/// Options 66 and 67 repeat the header fields for clients that ask for them; an HTTP client must see its own
/// vendor class in the reply (UEFI 2.10, section 24.7.3.1).
fn boot_options(
    values: &mut Vec<OptionValue>,
    file: &str,
    siaddr: Ipv4Addr,
    http_client: bool,
    booting: bool,
) {
    if file.is_empty() {
        return;
    }
    set(
        values,
        OptionValue {
            code: code::BOOT_FILE_NAME,
            data: file.as_bytes().to_vec(),
            always: http_client,
        },
    );
    let named = values.iter().any(|v| v.code == code::TFTP_SERVER_NAME);
    if !named && !siaddr.is_unspecified() {
        let data = siaddr.to_string().into_bytes();
        set(
            values,
            OptionValue {
                code: code::TFTP_SERVER_NAME,
                data,
                always: false,
            },
        );
    }
    if http_client && booting {
        set(
            values,
            OptionValue {
                code: code::VENDOR_CLASS,
                data: b"HTTPClient".to_vec(),
                always: true,
            },
        );
    }
}

/// A stronger scope's value replaces a weaker one's; that it is always sent stays true.
fn set(values: &mut Vec<OptionValue>, value: OptionValue) {
    match values.iter_mut().find(|v| v.code == value.code) {
        Some(known) => {
            *known = OptionValue {
                always: known.always || value.always,
                ..value
            }
        }
        None => values.push(value),
    }
}

/// Options in the order of the client's list, then those that are always sent. Without a list, all are sent.
///
/// The subnet mask stands before the router (RFC 2132, 3.3), so it comes first. Who asks for classless routes and
/// gets them is not sent the router and static routes that they replace (RFC 3442, "DHCP Server Administrator
/// Responsibilities"). The v6-only option is for those who name it alone (RFC 8925, 3.3).
fn encode(values: &[OptionValue], requested: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    let mut sent = [false; 256];
    let find = |code: u8| values.iter().find(|v| v.code == code);
    if find(code::CLASSLESS_ROUTES).is_some() && requested.contains(&code::CLASSLESS_ROUTES) {
        let replaced = |code: u8| find(code).is_some_and(|v| !v.always);
        sent[usize::from(code::ROUTERS)] = replaced(code::ROUTERS);
        sent[usize::from(STATIC_ROUTES)] = replaced(STATIC_ROUTES);
    }
    sent[usize::from(code::V6_ONLY_PREFERRED)] = !requested.contains(&code::V6_ONLY_PREFERRED);
    let mask = find(code::SUBNET_MASK);
    let in_list = requested.iter().filter_map(|&code| find(code));
    let rest = values.iter().filter(|v| v.always || requested.is_empty());
    for value in mask.into_iter().chain(in_list).chain(rest) {
        if !std::mem::replace(&mut sent[usize::from(value.code)], true) {
            put(&mut block, value);
        }
    }
    block
}

/// RFC 3396: a value above 255 octets goes in pieces side by side.
fn put(block: &mut Vec<u8>, value: &OptionValue) {
    if value.data.is_empty() {
        block.extend_from_slice(&[value.code, 0]);
    }
    for piece in value.data.chunks(255) {
        block.push(value.code);
        block.push(piece.len() as u8);
        block.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(code: u8, data: &[u8], always: bool) -> OptionValue {
        OptionValue {
            code,
            data: data.to_vec(),
            always,
        }
    }

    #[test]
    fn options_come_in_the_order_asked_for_and_only_then() {
        let values = [
            value(3, &[1], false),
            value(6, &[2], false),
            value(150, &[3], true),
        ];
        assert_eq!(encode(&values, &[6, 3]), [6, 1, 2, 3, 1, 1, 150, 1, 3]);
        assert_eq!(encode(&values, &[6]), [6, 1, 2, 150, 1, 3]);
        assert_eq!(encode(&values, &[]), [3, 1, 1, 6, 1, 2, 150, 1, 3]);
    }

    #[test]
    fn the_mask_stands_before_the_router() {
        let values = [value(3, &[1], false), value(1, &[2], true)];
        assert_eq!(encode(&values, &[3, 1]), [1, 1, 2, 3, 1, 1]);
    }

    #[test]
    fn classless_routes_replace_the_router_for_those_who_ask_for_them() {
        let values = [value(3, &[1], false), value(121, &[2], false)];
        assert_eq!(encode(&values, &[3, 121]), [121, 1, 2]);
        assert_eq!(encode(&values, &[3]), [3, 1, 1]);
        let always = [value(3, &[1], true), value(121, &[2], false)];
        assert_eq!(encode(&always, &[121]), [121, 1, 2, 3, 1, 1]);
    }

    #[test]
    fn v6_only_is_for_those_who_ask_for_it() {
        let values = [value(108, &[1], true), value(6, &[2], false)];
        assert_eq!(encode(&values, &[]), [6, 1, 2]);
        assert_eq!(encode(&values, &[108]), [108, 1, 1]);
    }

    #[test]
    fn a_long_value_is_split() {
        let block = encode(&[value(43, &[7; 300], true)], &[]);
        assert_eq!((block[0], block[1], block[257], block[258]), (43, 255, 43, 45));
    }

    #[test]
    fn the_stronger_scope_wins() {
        let mut values = vec![value(6, &[1], true)];
        set(&mut values, value(6, &[2], false));
        assert_eq!(values, [value(6, &[2], true)]);
    }
}
