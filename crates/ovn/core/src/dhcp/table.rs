//! The options that OVN 23.03 writes into its southbound database.

use super::{Family, Kind};

type Known = (&'static str, u16, Kind);

pub(super) fn known(family: Family) -> &'static [Known] {
    match family {
        Family::V4 => V4,
        Family::V6 => V6,
    }
}

/// `bootfile_name_alt` (254) and `next_server` (253) are OVN's own numbers: the first answers iPXE, the second is the
/// header's field.
const V4: &[Known] = &[
    ("offerip", 0, Kind::Ipv4),
    ("netmask", 1, Kind::Ipv4),
    ("router", 3, Kind::Ipv4),
    ("dns_server", 6, Kind::Ipv4),
    ("log_server", 7, Kind::Ipv4),
    ("lpr_server", 9, Kind::Ipv4),
    ("hostname", 12, Kind::Text),
    ("domain_name", 15, Kind::Text),
    ("swap_server", 16, Kind::Ipv4),
    ("ip_forward_enable", 19, Kind::Bool),
    ("policy_filter", 21, Kind::Ipv4),
    ("default_ttl", 23, Kind::Uint8),
    ("mtu", 26, Kind::Uint16),
    ("broadcast_address", 28, Kind::Ipv4),
    ("router_discovery", 31, Kind::Bool),
    ("router_solicitation", 32, Kind::Ipv4),
    ("arp_cache_timeout", 35, Kind::Uint32),
    ("ethernet_encap", 36, Kind::Bool),
    ("tcp_ttl", 37, Kind::Uint8),
    ("tcp_keepalive_interval", 38, Kind::Uint32),
    ("nis_server", 41, Kind::Ipv4),
    ("ntp_server", 42, Kind::Ipv4),
    ("netbios_name_server", 44, Kind::Ipv4),
    ("netbios_node_type", 46, Kind::Uint8),
    ("lease_time", 51, Kind::Uint32),
    ("server_id", 54, Kind::Ipv4),
    ("T1", 58, Kind::Uint32),
    ("T2", 59, Kind::Uint32),
    ("tftp_server", 66, Kind::HostId),
    ("bootfile_name", 67, Kind::Text),
    ("domain_search_list", 119, Kind::Domains),
    ("classless_static_route", 121, Kind::StaticRoutes),
    ("tftp_server_address", 150, Kind::Ipv4),
    ("path_prefix", 210, Kind::Text),
    ("ms_classless_static_route", 249, Kind::StaticRoutes),
    ("wpad", 252, Kind::Text),
    ("next_server", 253, Kind::Ipv4),
    ("bootfile_name_alt", 254, Kind::Text),
];

const V6: &[Known] = &[
    ("server_id", 2, Kind::Mac),
    ("ia_addr", 5, Kind::Ipv6),
    ("dns_server", 23, Kind::Ipv6),
    ("domain_search", 24, Kind::Text),
];
