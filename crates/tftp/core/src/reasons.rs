//! The boot-file service's reasons: why a request ended as it did. Codes 2000-2999, stable for ever; those about names
//! and rules (2400-2449) stand beside the rules.

use purlin_telemetry::{Reason, ReasonCode};

macro_rules! reasons {
    ($($code:literal $name:ident $slug:literal $text:literal $explain:literal $fix:literal;)*) => {
        $(pub const $name: ReasonCode = ReasonCode($code);)*

        /// Every reason of transfers, in the order of codes.
        pub static REASONS: &[Reason] = &[$(Reason {
            code: ReasonCode($code), slug: $slug, text: $text, explain: $explain, fix: $fix,
        },)*];
    };
}

reasons! {
    2001 SENT "file_sent" "the whole file was sent"
        "Every block was acknowledged." "";
    2002 STORED "file_stored" "the whole file was stored"
        "Every block arrived, and the file was durable and visible before the last acknowledgement left." "";
    2003 SIZE_PROBE "size_probe" "the client asked for the size only"
        "Firmware asks for a file with the option tsize, takes the answer and ends the transfer with an ERROR (8 for EDK2), then asks again for the content. That is how it is meant to be."
        "";
    2004 WITHDRAWN "client_withdrew" "the client withdrew before it acknowledged anything, with error {a}"
        "The client ended the transfer while our first answer, perhaps sent several times, was on its way. Some clients send several requests and keep the one that is answered first (Raspberry Pi)."
        "";
    2005 SUPERSEDED "superseded" "the client began again from the same port"
        "A new request came from the port of a running transfer: the client has restarted, or wants another file now." "";
    2006 CLIENT_ERROR "client_error" "the client ended the transfer with error {a}"
        "The client gave up in the middle: no room (3), a block it did not expect (4), or an operator's keystroke (0)."
        "Error 4 or 5 points to a box in between that rewrites ports; 3 to the client's memory or disk.";
    2007 CLIENT_REFUSED_OPTIONS "client_refused_options" "the client refused the options with error 8"
        "The client sent ERROR 8 after our OACK although it had not asked for the size."
        "Compare what the client can do with `tftp.blksize` and `tftp.windowsize`, or give it a class of its own.";
    2010 NO_ANSWER "client_silent" "no answer after {a} retransmissions"
        "The transfer had begun, then the client stopped answering: switched off, rebooted, or cut off."
        "If it happens to many clients at once, look for loss on the path; `purlin why` shows how many blocks were sent again.";
    2011 NEVER_ANSWERED "client_never_answered" "the client never answered, after {a} retransmissions"
        "The request came, our first answer was repeated, and nothing came back. Typical of a firewall or address translation that lets requests pass but not answers, of a route that leads elsewhere, and of forged requests."
        "See whether answers leave by the right interface and address, and keep `tftp.ports` on one port where anything translates addresses.";
    2012 IDLE "client_idle" "no sign of the client for too long"
        "The idle limit ended the transfer." "Raise `tftp.timing.idle` for clients that pause on purpose.";
    2013 LIFETIME "lifetime_over" "the transfer took longer than it may"
        "`tftp.timing.lifetime` ends transfers even when they move." "Raise or remove the limit if the path is that slow.";
    2014 CUT "ended_by_operator" "an operator ended the transfer"
        "The transfer was ended through the API or the command line." "";
    2015 STOPPING "server_stopping" "the server is stopping"
        "New requests are refused while open transfers finish." "";
    2016 NO_BLOCK "no_block_arrived" "options were agreed on, but no block of {a} octets was ever acknowledged"
        "The client took our OACK and then nothing more. When it is still there, blocks are too large for the path: a tunnel or a switch port with a smaller MTU swallows them, or fragments are dropped."
        "Give such clients a class with a smaller `blksize`, or set `mtu` and let the block size follow.";
    2017 CROWDED_OUT "crowded_out" "the client never answered and made room for another"
        "All places (`tftp.limits.total`) were taken, and this client had left several first answers unanswered. Many of these are a flood of forged requests, or a network that lets requests pass and answers not."
        "Find where the requests come from; raise the limit if they are real.";

    2101 NOT_FOUND "not_found" "there is no such file"
        "After all rules, the name leads to nothing. Boot loaders try a dozen names before one fits, so most of these are harmless."
        "If the file should exist, look at the name in the record: the root, the rules and the case of letters all matter.";
    2102 DENIED "denied" "the file may not be read or written"
        "Permissions of the file, a link that leads out of its root, or something that is no regular file."
        "The service's user must be able to read the file and every folder above it; `tftp.links` says what links may do.";
    2103 IS_DIRECTORY "is_directory" "the name is that of a directory"
        "Only files are served." "";
    2104 TOO_BIG "too_big" "the file is bigger than may be stored"
        "The disk's or the service's limit for one file was reached." "See `tftp.uploads.size_max`.";
    2105 EXISTS "exists" "the file exists already"
        "Uploads replace files only where `tftp.uploads.overwrite` allows it." "";
    2106 NO_SPACE "no_space" "the disk is full"
        "Nothing of the upload was kept." "Make room below the root.";
    2107 IO "io_error" "the file could not be read or written"
        "The disk or file system answered with an error." "See the system log of this node.";
    2108 BUSY "busy" "too much was waiting for the disk"
        "The queue of the I/O threads was full, so the request was refused at once instead of late."
        "A faster disk, more `tftp.io.threads`, or a bigger cache.";
    2109 CHANGED "file_changed" "the file changed while it was sent"
        "It became shorter or unreadable. What the client has is not the whole of any version."
        "Replace files by renaming a new one over the old: running transfers then end with the old content.";
    2110 TAKEN "name_taken" "another upload has this name"
        "A client is writing a file of this name already. The first has the name until its upload is whole, given up, or too long silent; two would mix."
        "Let clients write to names of their own, as `crash/<mac>`; `purlin tftp transfers` shows who has the name. A client that was cut off keeps it until `tftp.timing.idle` is over.";
    2111 NO_DIRECTORY "no_directory" "the directory of the upload does not exist"
        "Uploads make files, never directories: a client that may write cannot fill the tree with folders."
        "Make the directory below the root, writable for the service's user, or have clients write to one that is there.";

    2201 BAD_BLKSIZE "bad_blksize" "bad value of option blksize"
        "RFC 2348 allows 8 to 65464." "The client or its configuration is wrong.";
    2202 BAD_BLKSIZE2 "bad_blksize2" "bad value of option blksize2"
        "It must be 8 to 65464." "The client or its configuration is wrong.";
    2203 BAD_TSIZE "bad_tsize" "bad value of option tsize"
        "It must be a number of octets." "The client or its configuration is wrong.";
    2204 BAD_TIMEOUT "bad_timeout" "bad value of option timeout"
        "RFC 2349 allows 1 to 255 seconds." "The client or its configuration is wrong.";
    2205 BAD_UTIMEOUT "bad_utimeout" "bad value of option utimeout"
        "It must be 10000 to 255000000 microseconds." "The client or its configuration is wrong.";
    2206 BAD_WINDOWSIZE "bad_windowsize" "bad value of option windowsize"
        "RFC 7440 allows 1 to 65535 blocks." "The client or its configuration is wrong.";
    2207 BAD_ROLLOVER "bad_rollover" "bad value of option rollover"
        "It must be 0 or 1." "The client or its configuration is wrong.";
    2210 MAIL_MODE "mail_mode" "mode mail is not served"
        "RFC 1350 made it obsolete; nobody may implement it." "";
    2211 UNKNOWN_MODE "unknown_mode" "the mode is neither octet nor netascii"
        "No RFC knows the mode." "Set the client to `octet`.";
    2212 LIMIT_CLIENT "limit_per_client" "this machine has {a} transfers open already"
        "`tftp.limits.per_client` was reached. A machine is a hardware address where its lease is known here, else an address."
        "Raise the limit if the client is right to open so many.";
    2213 LIMIT_IP "limit_per_ip" "this address has {a} transfers open already"
        "`tftp.limits.per_ip` was reached." "Raise the limit when many machines share the address, as behind address translation.";
    2214 LIMIT_TOTAL "limit_total" "{a} transfers are open already"
        "`tftp.limits.total` was reached." "Raise the limit: an open transfer takes less than 1 KiB.";
    2215 UPLOAD_TOO_BIG "upload_too_big" "the client announced more octets than may be stored"
        "The option tsize of the write request is above `tftp.uploads.size_max`; refused before anything was written."
        "Raise `tftp.uploads.size_max` if such files are wanted.";
    2216 UPLOAD_GREW "upload_grew" "the upload became bigger than may be stored"
        "More than `tftp.uploads.size_max` arrived; nothing of it was kept."
        "Raise `tftp.uploads.size_max` if such files are wanted.";
    2217 BLOCK_TOO_BIG "block_too_big" "the client sent a block bigger than agreed"
        "A DATA packet had more octets than the block size." "The client is wrong; nothing of the upload was kept.";

    2301 MALFORMED "malformed" "the packet is no TFTP packet"
        "Too short, an unknown opcode, a request without terminated name and mode, or sent from port 0, where nobody hears an answer. What begins like a request is answered by ERROR 4, at a limited rate; the rest is not. Every one is counted; records tell of one packet outside of requests per address and second at most." "";
    2302 STRAY "stray_packet" "the packet belongs to no transfer here"
        "Its sender is unknown here, after a restart perhaps; it is told so by ERROR 5 at a limited rate, and a transfer of the same address goes on undisturbed. Every one is counted; records tell of one packet outside of requests per address and second at most."
        "Packets for a transfer that come from another port or address than its own are forged, or rewritten by a box in between.";
    2303 STRAY_SILENT "stray_packet_unanswered" "the packet belongs to no transfer here and was not answered"
        "An ERROR is never answered; the rest came from a client whose transfer has just ended, or above the rate limit." "";
    2304 NOT_FOR_SERVERS "not_for_servers" "the packet is of a kind that only servers send"
        "An OACK, or DATA for a file that is being read." "";
    2305 MULTICAST "multicast_request" "the packet came to a broadcast or multicast address"
        "Requests and other packets that every server on the link hears are not answered: each of them would." "";
    2306 REPEATED_REQUEST "repeated_request" "the client repeated its request"
        "The first answer was late or lost. It is sent again, but no faster than a round trip, and no second transfer begins."
        "Many of these mean that requests wait too long: see the receive buffer in `purlin doctor`.";
    2307 REPEATED_ACK "repeated_ack" "an acknowledgement came twice"
        "Nothing is sent for it: answering every copy would double all traffic from there on (the Sorcerer's Apprentice)." "";
    2308 OLD_ACK "unknown_block_acknowledged" "an acknowledgement named a block that is not under way"
        "It is late, or made up. Nothing is sent for it." "";
    2309 GAP_ACK "gap_acknowledged" "the client missed a block, and the window began again from there"
        "RFC 7440: an acknowledgement inside the window says that the next block was lost."
        "Many of these for one client: its window is too large for its network interface; lower `windowsize` in a class.";
    2310 REPEATED_BLOCK "repeated_block" "a block of an upload came twice"
        "It is acknowledged again, not stored again." "";
    2311 GAP_BLOCK "gap_in_upload" "a block of an upload is missing"
        "What came behind it is not taken; the client is told where to begin again." "";

    2501 NOT_MODIFIED "http_not_modified" "the client has this file already"
        "The request named the entity tag of the file as it is; nothing was sent (RFC 9110, section 13.1.2)." "";
    2502 HTTP_REFUSED "http_refused" "the HTTP request was refused with status {a}"
        "A method other than GET and HEAD, a path that is no name, a range behind the end, or a condition that does not hold."
        "Look at the request in the record; boot firmware sends GET and HEAD only.";
    2503 HTTP_CUT "http_cut_off" "the connection ended before the whole file was sent"
        "The client closed it, or vanished. A file that changed meanwhile is told apart (PUR-2109)."
        "If it happens to many clients at once, look for a limit or a time-out in a box in between.";
    2504 HTTP_PART "http_part_sent" "a part of the file was sent"
        "The request named a range of octets, and all of them were sent (RFC 9110, section 14). Loaders that fetch an image piece by piece leave one such record for each." "";
    2505 TLS_NOTHING_IN_COMMON "tls_nothing_in_common" "this node and the client know no TLS version and cipher suite in common"
        "Firmware and boot loaders built without elliptic curves offer key exchange by RSA and DHE alone, as OVMF of 2022 does. This node agrees on keys by ECDHE, with TLS 1.2 and 1.3."
        "Give such machines an http:// URL, or let them load a newer iPXE that way first.";
    2506 TLS_ALERT "tls_client_alert" "the client ended the TLS handshake with alert {a}"
        "Alerts 42 to 48 are about the certificate (RFC 8446, section 6): 48 says that its authority is unknown to the client, 42 that it is not for the name in the URL."
        "The firmware must trust the authority of the node's certificate (tls/ca.pem in the data directory, unless api.tls_cert is set), and the URL must name the node as the certificate does (api.tls_names).";
}

/// The reason of that code, whichever part of the service it belongs to.
#[must_use]
pub fn reason(code: ReasonCode) -> Option<&'static Reason> {
    let table = match code.0 {
        2400..2450 => crate::plan::codes::REASONS,
        _ => REASONS,
    };
    table
        .binary_search_by_key(&code, |reason| reason.code)
        .ok()
        .map(|at| &table[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_rise_and_slugs_differ() {
        assert!(REASONS.windows(2).all(|pair| pair[0].code < pair[1].code));
        let mut slugs: Vec<_> = REASONS
            .iter()
            .chain(crate::plan::codes::REASONS)
            .map(|r| r.slug)
            .collect();
        let all = slugs.len();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), all);
    }

    #[test]
    fn reasons_of_rules_are_found_too() {
        assert_eq!(reason(SENT).map(|r| r.slug), Some("file_sent"));
        let of_rules = crate::plan::codes::REASONS[0];
        assert_eq!(reason(of_rules.code), Some(&of_rules));
        assert_eq!(reason(ReasonCode(2999)), None);
    }
}
