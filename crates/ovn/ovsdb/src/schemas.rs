//! The schemas of OVN as JSON texts (RFC 7047, section 3.2), as its packages install them: see `schemas/README.md`.
//!
//! Licence: Apache-2.0, as OVN.

/// `OVN_Northbound`, version 7.0.0.
pub const NB: &str = include_str!("../schemas/ovn-nb.ovsschema");
/// `OVN_Southbound`, version 20.27.0.
pub const SB: &str = include_str!("../schemas/ovn-sb.ovsschema");
