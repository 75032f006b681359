//! The DHCP service's reasons: why a client got what it got, or nothing. Codes 1000-1999, stable for ever.

use purlin_telemetry::{Reason, ReasonCode};

macro_rules! reasons {
    ($($code:literal $name:ident $slug:literal $text:literal $explain:literal $fix:literal;)*) => {
        $(pub(crate) const $name: ReasonCode = ReasonCode($code);)*

        /// Every reason, in the order of codes.
        pub static REASONS: &[Reason] = &[$(Reason {
            code: ReasonCode($code), slug: $slug, text: $text, explain: $explain, fix: $fix,
        },)*];
    };
}

reasons! {
    1001 OFFERED_FRESH "offered_fresh" "offered {address}, which nobody had before"
        "The client had no lease here, so it was offered an address of its pool that was never used." "";
    1002 OFFERED_OWN "offered_own" "offered {address}, its own address"
        "The client holds or last held this address, so it is offered the same one." "";
    1003 OFFERED_RESERVED "offered_reserved" "offered {address}, reserved for it"
        "A reservation names this client." "";
    1004 OFFERED_REQUESTED "offered_requested" "offered {address}, which it asked for"
        "The client named an address (option 50) that was free in its pool." "";
    1005 OFFERED_REUSED "offered_reused" "offered {address}, whose former lease has ended"
        "No unused address was left, so the one whose lease ended longest ago is given to a new client." "";
    1006 OFFERED_CONTESTED "offered_contested" "offered {address}, which is on offer to another client too"
        "Every other address is leased or on offer. The offer that is oldest goes to this client as well; whoever requests the address first gets it."
        "Many offers that nobody takes up are a flood: see `dhcp.limits`, and the relay or switch port they come from.";
    1010 BOUND_NEW "bound_new" "bound {address} for {a} s"
        "First binding of this client to the address; the record is durable before the acknowledgement leaves (or, in lead mode, promised for no longer than the client lead time)." "";
    1011 RENEWED "renewed" "extended {address} by {a} s"
        "The client renewed, rebound or confirmed the lease that it holds." "";
    1012 REBOOTED "confirmed" "confirmed {address} after a reboot for {a} s"
        "The client asked whether its former address is still right (INIT-REBOOT), and it is." "";
    1013 INFORMED "informed" "gave options without a lease to {address}"
        "The client has an address by other means and asked for options only (DHCPINFORM)." "";
    1014 BOOTP_BOUND "bootp_bound" "gave {address} to a BOOTP client, without an end"
        "BOOTP knows no leases: the binding stays until an operator releases it." "";
    1015 RELEASED "released" "released {address}"
        "The client gave its address back; it is kept for it while others are free." "";
    1016 RAPID_COMMIT "rapid_commit" "bound {address} for {a} s in one exchange"
        "Client and subnet both agree on rapid commit (RFC 4039): DISCOVER is answered by ACK." "";
    1017 EXPIRED "expired" "the lease of {address} ended"
        "The client did not renew in time. The address is kept for it while others are free." "";
    1018 OFFER_LAPSED "offer_lapsed" "the offer of {address} was not taken up"
        "The client was offered an address and never requested it here; it may have chosen another server." "";
    1019 OPERATOR_RELEASED "operator_released" "an operator released {address}"
        "The lease was ended through the API or the command line." "";
    1020 ADOPTED "adopted" "took over {address} for {a} s, which the client uses without a record here"
        "The client renews an address that no record gives to it and nobody else has a claim on, as after a change of servers. It keeps it."
        "";

    1021 PROXY_OFFERED "proxy_offered" "told a boot client what to boot; its address is another server's business"
        "The subnet is served beside another DHCP server (proxy = true). A boot client's DISCOVER is answered by an OFFER without an address, which it joins with the other server's." "";
    1022 PROXY_CONFIRMED "proxy_confirmed" "told {address} what to boot; its address is another server's"
        "A boot client that has its address asked the boot server (UDP port 4011) for its boot file (PXE 2.1, section 2.2)." "";

    1101 NO_SUBNET_FOR_RELAY "no_subnet_for_relay" "no subnet matches giaddr {via}"
        "The request came through a relay whose address (or link selection, option 82.5 or 118) lies in no configured subnet, so there is nothing to answer with."
        "Add a subnet that contains the relay's address, or list the address under `relays` of the right subnet.";
    1102 NO_SUBNET_FOR_LINK "no_subnet_for_link" "no subnet matches the link that {via} stands on"
        "The request came without a relay, and no subnet contains the receiving interface's address."
        "Add a subnet for this link, or name the interface under `interfaces` of the right subnet.";
    1103 POOL_EXHAUSTED "pool_exhausted" "no free address: all {a} of subnet pools are taken"
        "Every address of the pools this client may use is leased, offered, declined or quarantined."
        "Add a pool or shorten the lease time; `purlin dhcp subnet list` shows how full each subnet is.";
    1104 NO_POOL_FOR_CLASSES "no_pool_for_classes" "no pool admits a client of its classes"
        "The subnet's pools are guarded by classes, and the client is a member of none of them."
        "Compare `purlin dhcp class list` with what the client sends, or add a pool without `classes`.";
    1105 RESERVED_ONLY "reserved_only" "the subnet serves reserved clients only"
        "The subnet has `reserved_only = true` and no reservation names this client."
        "Add a reservation for it.";
    1106 CLASS_DROP "class_drop" "the client is in a class that is not served"
        "A class with `drop = true` matches the client." "Change the class test if this client should be served.";
    1107 RATE_LIMITED_CLIENT "rate_limited_client" "more than {a} packets a second from this client"
        "The client sends faster than `dhcp.limits.per_client`; what is above is not answered."
        "Look for a loop or a broken client; raise the limit if it is right.";
    1108 RATE_LIMITED_RELAY "rate_limited_relay" "more than {a} packets a second through {via}"
        "The relay sends faster than `dhcp.limits.per_relay`." "Raise the limit, or find what floods behind this relay.";
    1109 OTHER_SERVER "other_server" "the client chose server {a:ip}"
        "The request names another server (option 54). Our offer, if any, is taken back." "";
    1110 UNKNOWN_CLIENT "unknown_client" "no record of this client and {address}"
        "The client asked to keep an address that is not recorded for it. This server is not authoritative here, or cannot be sure yet, so it stays silent (RFC 2131, 4.3.2)."
        "";
    1111 QUARANTINE "quarantine" "{address} is in quarantine for {a} s"
        "After an unclean start, addresses that may have been given out without a durable record are not touched until every such promise has ended. After a restore from a backup that is one longest lease, and it holds for every address that this node has not bound itself since."
        "`purlin status` tells whether a restore is the cause and until when; docs/howto/backup-and-restore.md says what can be done.";
    1112 BOOTP_OFF "bootp_off" "BOOTP clients are not served"
        "The request has no DHCP message type (option 53), so it is BOOTP." "Set `dhcp.bootp = true` to serve such clients.";
    1113 NOT_OURS_TO_RELEASE "not_ours_to_release" "cannot release {address}: it is not this client's"
        "The release names an address that is not leased to the client that sent it." "";
    1114 NOT_OURS_TO_DECLINE "not_ours_to_decline" "cannot decline {address}: it was not given to this client"
        "The decline names an address that this client was not given by us." "";
    1115 UNSUPPORTED_TYPE "unsupported_type" "message type {a} is not served"
        "The message type is none that this version answers." "";
    1116 STORE_UNWRITABLE "store_unwritable" "nothing can be promised: the journal takes no records"
        "The disk is full or the journal has failed. Answers that promise an address wait until records can be written again."
        "Free space in the data directory; see `purlin status`.";
    1117 TENURE_ENDED "tenure_ended" "this node does not own the addresses at this moment"
        "The node's claim has ended or is being renewed (rule R0)." "See `purlin status`.";
    1118 CONFLICT_FOUND "conflict_found" "{address} answered a probe: somebody uses it"
        "The address was probed before it was offered, and something answered. It is out of use for `dhcp.decline_hold`."
        "Find the machine that uses it without a lease.";
    1119 PROBING "probing" "asking the link whether {address} is in use"
        "The offer waits for the conflict check." "";
    1120 DECLINED "declined" "the client found {address} in use by somebody else"
        "The client declined the address; it is out of use for `dhcp.decline_hold`."
        "Find the machine that uses it without a lease.";
    1121 RESERVATION_TAKEN "reservation_taken" "its reserved address {a:ip} is in use by another client"
        "Another client holds the reserved address until its lease ends; this one gets a dynamic address meanwhile."
        "Release the other lease with `purlin dhcp lease release ADDRESS`.";
    1122 PROBES_FULL "probes_full" "too many conflict checks at once"
        "The number of probes in flight is bounded; the client will ask again." "";
    1123 DECLINED_TOO_OFTEN "declined_too_often" "the client declines every address; {address} stays in use"
        "The client has declined eight addresses within an hour. More likely than so many conflicts is a broken client, or a device on its link that answers ARP for every address, so its lease is ended and the address is not put out of use."
        "Look at the client, and for proxy ARP on its link.";
    1124 HELD_BACK "held_back" "no address: what the backup does not know is held back for {a} s"
        "The node was restored from a backup. Addresses given out after the backup was taken may be in use, so none goes to a new client until every such lease has ended."
        "Wait, or see docs/howto/backup-and-restore.md for what can be done about it; `purlin status` tells until when.";
    1125 PROXY_NO_FILE "proxy_no_file" "no boot file for a boot client of architecture {a}"
        "The subnet is served beside another DHCP server, and no boot entry or profile fits this boot client, so there is nothing to tell it. An HTTP client takes whole URLs only."
        "Add a boot entry or a boot profile for its architecture.";
    1126 PROXY_NOT_BOOTING "proxy_not_booting" "not a boot client; another server gives addresses here"
        "The subnet is served beside another DHCP server (proxy = true), and the client's vendor class (option 60) is neither PXEClient nor HTTPClient." "";
    1127 PROXY_ADDRESS "proxy_address" "this is about the address, which another server gives"
        "The subnet is served beside another DHCP server (proxy = true): requests for addresses, releases and the like are for that one." "";
    1128 FORWARDED "forwarded" "slot {a} belongs to another node; the packet goes there"
        "The node shares the addresses with others, and another one holds the slot of the address that decides about this client. It gets the packet as it came." "";
    1129 ASTRAY "astray" "forwarded here for slot {a}, which this node does not hold"
        "Another node believes that this one holds the slot, most often because it has just moved. The packet goes no further, so that it cannot go in circles; the client asks again."
        "If it lasts, compare the holders on both nodes: `purlin status`.";
    1130 VACATED "vacated" "ended the lease of {address}: its client takes another address at another node"
        "A client has one address in a network. It has chosen another one, which another node gives, so this one is for nobody else until what was promised of it has ended: the choice may have been a packet that came late." "";
    1131 UNWRITTEN "unwritten" "the lease of {address} could not be recorded: its client has another one at another node"
        "The other lease could not be ended, because its node was not reached. The client got no acknowledgement and asks again." "";
    1132 NO_COPY "no_copy" "{address} was another client's, and the database's standby does not follow"
        "The database has a standby that commits do not wait for. An address changes its client only once the standby has that too; otherwise a failover could bring the former client back. The standby is not connected or far behind. New addresses are given meanwhile, for no longer than the client lead time."
        "See why the standby does not follow, or remove it for good (docs/formats/postgres.md).";

    1201 NAK_WRONG_NETWORK "nak_wrong_network" "refused {address}: it is not on the network of {via}"
        "The client named an address of another network, most often because it was moved. A request is refused; an INFORM is not answered, as its reply would go to whoever has that address." "";
    1202 NAK_TAKEN "nak_taken" "refused {address}: another client has it"
        "The address is leased or offered to somebody else." "";
    1203 NAK_OTHER_LEASE "nak_other_lease" "refused {address}: its lease is {a:ip}"
        "The client holds another address here." "";
    1204 NAK_UNKNOWN "nak_unknown" "refused {address}: no lease of this client is recorded"
        "The server is authoritative: no other one gives addresses here, so an address that is not recorded for the client is not its own, and it asks anew at once. RFC 2131, 4.3.2 would have a server without a record stay silent, for the sake of others that may have one."
        "Where another server does give addresses here, set `dhcp.authoritative = false`.";
    1205 NAK_RESERVED "nak_reserved" "refused {address}: {a:ip} is reserved for this client"
        "A reservation made since gives the client another address; it will ask anew and get it." "";
    1206 NAK_NOT_ADMITTED "nak_not_admitted" "refused {address}: its pool does not admit the client any more"
        "The address lies in no pool that serves this client (pools or classes were changed), or it is reserved for another." "";
    1207 NAK_NO_COPY "nak_no_copy" "refused {address}: it was another client's, and the database's standby does not follow"
        "The client takes up an offer of an address that was another client's. An address changes its client only once the database's standby has that too (PUR-1132), and the standby is not connected or far behind. The client asks anew and is offered an address that nobody had, for no longer than the client lead time. A client that renews is met with silence instead."
        "See why the standby does not follow, or remove it for good (docs/formats/postgres.md).";

    1301 MALFORMED "malformed" "malformed packet"
        "The datagram is no DHCP message: too short, a broken option, or lengths that do not fit. It is counted and dropped."
        "";
    1302 NOT_A_REQUEST "not_a_request" "a reply was sent to the server port"
        "The message's `op` is not BOOTREQUEST: another server's answer, or noise." "";
    1303 NO_IDENTITY "no_identity" "the client has neither hardware address nor identifier"
        "Without one of the two there is nothing to bind an address to." "";
    1304 TOO_MANY_HOPS "too_many_hops" "passed {a} relays"
        "More than 16 hops: a relay loop (RFC 1542, 4.1.1)." "Look for relays that forward to each other.";
    1305 REPLY_TOO_BIG "reply_too_big" "options did not fit the client's message size and were left out"
        "The client's maximum message size (option 57) cannot hold all options, even with overload." "";
    1306 BAD_RELAY "bad_relay" "giaddr {a:ip} is no relay's address"
        "The relay address is a broadcast, multicast, loopback or reserved one; or it lies in no subnet, is listed under no `relays` and is not where the packet came from. A reply sent there might reach machines that never asked, so none is."
        "Of a real relay that sends from another address than its giaddr, list the giaddr under `relays` of a subnet.";
    1307 NO_BOOT_FILE "no_boot_file" "the answer to a boot client named no boot file"
        "The client got its address, but nothing to boot: no boot entry, `boot_file` or boot profile fits what it is. An HTTP client takes whole URLs only, and a machine that boots over HTTP names another architecture than over TFTP."
        "Compare the architecture with `purlin boot profile list`, which shows profiles in their order, and with the boot entries of the client's subnet; add one that fits. A machine that boots from its disk anyway needs none.";
}

/// The reason of that code.
#[must_use]
pub fn reason(code: ReasonCode) -> Option<&'static Reason> {
    REASONS
        .binary_search_by_key(&code, |r| r.code)
        .ok()
        .map(|i| &REASONS[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_rise_and_slugs_differ() {
        assert!(REASONS.windows(2).all(|w| w[0].code < w[1].code));
        let mut slugs: Vec<_> = REASONS.iter().map(|r| r.slug).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), REASONS.len());
    }
}
