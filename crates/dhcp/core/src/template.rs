//! What every client of one kind is told, encoded once: the options block, header fields and times of a reply.
//!
//! Clients that agree in subnet, pool, classes, reservation, boot entry and parameter request list get the same
//! octets. The block is built on first need and copied into each reply after that.

use crate::boot::{self, Choice, Firmware};
use crate::plan::Plan;
use crate::settings::{OptionValue, Scope};
use hashbrown::HashMap;
use purlin_dhcp_proto::code;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Templates kept; all are dropped when there would be more (a client that varies its list cannot grow memory).
const KEPT_MAX: usize = 4096;

/// Boot answers kept in words; those that are made later are told without them.
const WORDS_MAX: usize = 4096;

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
    pub(crate) firmware: Firmware,
    pub(crate) boot: Option<Choice>,
    /// This server's own address, where the boot answer may need it; 0.0.0.0 without one.
    pub(crate) server: Ipv4Addr,
}

#[derive(Debug)]
pub(crate) struct Template {
    /// Encoded options, in the order the client asked for them.
    pub(crate) block: Vec<u8>,
    pub(crate) siaddr: Ipv4Addr,
    pub(crate) sname: Vec<u8>,
    pub(crate) file: Vec<u8>,
    /// The boot answer in words, for [`Templates::words`]; 0 is none.
    pub(crate) words: u32,
    /// Whether it tells a boot client how to go on: by a file, or by options 43 or 67 of the configuration.
    pub(crate) boots: bool,
    /// Option 43 as the configuration says it.
    pub(crate) vendor: Option<Vec<u8>>,
    /// Default, least and greatest lease in seconds.
    pub(crate) lease: (u32, u32, u32),
    pub(crate) t1: Option<u32>,
    pub(crate) t2: Option<u32>,
    requested: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Templates {
    /// Nothing is kept: every reply is encoded anew.
    off: bool,
    kept: HashMap<(Kind, u64), Arc<Template>, foldhash::fast::FixedState>,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    words: Words,
}

/// Boot answers in words, numbered from 1. They outlive changes of the plan, because decisions refer to them.
#[derive(Debug, Default)]
struct Words {
    all: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32, foldhash::fast::FixedState>,
}

impl Words {
    /// 0 for no words, and for those that find no room.
    fn number_of(&mut self, words: String) -> u32 {
        if words.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(words.as_str()) {
            return *number;
        }
        if self.all.len() >= WORDS_MAX {
            return 0;
        }
        let words: Arc<str> = words.into();
        self.all.push(Arc::clone(&words));
        let number = self.all.len() as u32;
        self.numbers.insert(words, number);
        number
    }

    fn get(&self, number: u32) -> Option<&str> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.all.get(at).map(|words| &**words)
    }
}

impl Templates {
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    pub(crate) fn keep(&mut self, keep: bool) {
        self.off = !keep;
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
        let (mut made, words) = build(plan, kind, requested);
        made.words = self.words.number_of(words);
        let made = Arc::new(made);
        if self.off {
            return made;
        }
        if self.kept.len() >= KEPT_MAX {
            self.kept.clear();
        }
        self.kept.insert(key, Arc::clone(&made));
        made
    }

    /// The boot answer behind a number.
    pub(crate) fn words(&self, number: u32) -> Option<&str> {
        self.words.get(number)
    }
}

fn fold(bytes: &[u8]) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// The scopes that hold for a kind of client, weakest first.
pub(crate) fn scopes<'p>(
    plan: &'p Plan,
    kind: &Kind,
) -> impl DoubleEndedIterator<Item = &'p Scope> + use<'p> {
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

/// What people call these scopes, in the same order.
pub(crate) fn scope_names(plan: &Plan, kind: &Kind) -> Vec<String> {
    let network = &plan.networks[usize::from(kind.network)];
    let subnet = &plan.subnets[usize::from(kind.subnet)];
    let mut names = vec![
        "[dhcp]".to_owned(),
        format!("network {}", network.name),
        format!("subnet {}", subnet.name),
    ];
    if let Some(pool) = subnet.pools.get(usize::from(kind.pool)) {
        let (first, last) = (Ipv4Addr::from(pool.first), Ipv4Addr::from(pool.last));
        names.push(format!("pool {first}-{last}"));
    }
    for (i, class) in plan.classes.iter().enumerate() {
        if kind.classes >> i & 1 == 1 {
            names.push(format!("class {}", class.name));
        }
    }
    names.extend(kind.reservation.map(|_| "its reservation".to_owned()));
    names
}

fn secs(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Default lease in seconds where no scope says one.
pub(crate) const LEASE_DEFAULT: u32 = 3600;

/// A template, and its boot answer in words.
fn build(plan: &Plan, kind: Kind, requested: &[u8]) -> (Template, String) {
    let levels: Vec<&Scope> = scopes(plan, &kind).collect();
    let last = |get: &dyn Fn(&Scope) -> Option<u32>| levels.iter().rev().find_map(|s| get(s));
    let lease = last(&|s| s.lease_time.map(secs)).unwrap_or(LEASE_DEFAULT);
    let mut values = values(plan, &kind, &levels);
    let vendor = values.iter().find(|v| v.code == code::VENDOR_INFORMATION);
    let vendor = vendor.map(|v| v.data.clone());
    let sname = levels.iter().rev().find_map(|s| s.server_name.clone());
    let named = sname.is_some() || values.iter().any(|v| v.code == code::TFTP_SERVER_NAME);
    let answer = boot::answer(plan, &kind, &levels, named);
    boot::options(&mut values, &answer, kind.firmware);
    let template = Template {
        block: encode(&values, requested),
        siaddr: answer.siaddr,
        sname: sname.unwrap_or_default().into_bytes(),
        file: answer.file.into_bytes(),
        words: 0,
        boots: vendor.is_some() || values.iter().any(|v| v.code == code::BOOT_FILE_NAME),
        vendor,
        lease: (
            lease,
            last(&|s| s.lease_time_min.map(secs)).unwrap_or(lease),
            last(&|s| s.lease_time_max.map(secs)).unwrap_or(lease),
        ),
        t1: last(&|s| s.t1.map(secs)),
        t2: last(&|s| s.t2.map(secs)),
        requested: requested.to_vec(),
    };
    (template, answer.words)
}

/// The options that hold for a kind of client, boot options left out.
fn values(plan: &Plan, kind: &Kind, levels: &[&Scope]) -> Vec<OptionValue> {
    let mut values: Vec<OptionValue> = Vec::new();
    let mut put = |code: u8, data: Vec<u8>, always: bool| {
        set(&mut values, OptionValue { code, data, always });
    };
    let subnet = &plan.subnets[usize::from(kind.subnet)];
    put(code::SUBNET_MASK, subnet.prefix.mask().octets().to_vec(), true);
    for scope in levels {
        for option in &scope.options {
            put(option.code, option.data.clone(), option.always);
        }
        if let Some(wait) = scope.v6_only_wait {
            put(code::V6_ONLY_PREFERRED, secs(wait).to_be_bytes().to_vec(), false);
        }
    }
    let reservations = &plan.networks[usize::from(kind.network)].reservations;
    let hostname = kind
        .reservation
        .and_then(|at| reservations.get(at).hostname.clone());
    if let Some(name) = hostname {
        put(code::HOST_NAME, name.into_bytes(), false);
    }
    values
}

/// A stronger scope's value replaces a weaker one's; that it is always sent stays true.
pub(crate) fn set(values: &mut Vec<OptionValue>, value: OptionValue) {
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
    fn words_keep_their_number_and_are_bounded() {
        let mut words = Words::default();
        let number = |words: &mut Words, n: usize| words.number_of(format!("boot file {n}"));
        assert_eq!(words.number_of(String::new()), 0);
        for n in 1..=WORDS_MAX {
            assert_eq!(number(&mut words, n), n as u32);
        }
        assert_eq!((number(&mut words, 7), number(&mut words, WORDS_MAX + 1)), (7, 0));
        assert_eq!((words.get(7), words.get(0)), (Some("boot file 7"), None));
    }

    #[test]
    fn the_stronger_scope_wins() {
        let mut values = vec![value(6, &[1], true)];
        set(&mut values, value(6, &[2], false));
        assert_eq!(values, [value(6, &[2], true)]);
    }
}
