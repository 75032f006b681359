//! DHCP.

mod clients;
mod datacenter;
mod durability;
mod guide;
mod kea_same;
mod kea_tools;
mod node;
mod proxy;
mod relay;
mod rfc2131;
