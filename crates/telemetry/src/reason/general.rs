//! Reasons of the record store and of ownership that every service shares: 8001 to 8099.

use super::{Reason, ReasonCode};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $slug:literal, $text:literal, $explain:literal, $fix:literal;)*) => {
        $($(#[$doc])* pub const $name: ReasonCode = ReasonCode($code);)*

        /// The general reasons, in order of code.
        pub static REASONS: &[Reason] = &[
            $(Reason { code: $name, slug: $slug, text: $text, explain: $explain, fix: $fix },)*
        ];
    };
}

reasons! {
    /// No space for records.
    STORE_FULL = 8001, "store_full", "no space is left for lease records",
        "The disk of the data directory is full, so nothing new can be promised durably. Clients that ask for a \
         lease get no answer and go on with the one they have; answers resume by themselves when space is there.",
        "Free space on the disk of the data directory (`df -h DIR`), or move the directory to a larger disk.";
    /// Writing or syncing failed.
    STORE_FAILED = 8002, "store_failed", "the disk failed to keep lease records",
        "A write or a sync of the journal failed. What the disk holds is uncertain after that, so the journal is \
         closed and no lease is promised any more; a restart reads back what is really there.",
        "Look for disk errors in the kernel log (`dmesg`), replace the disk if needed, then restart.";
    /// The right to decide has run out.
    TENURE_ENDED = 8003, "tenure_ended", "this node may not decide at present",
        "A node decides only while its ownership holds. It could not be renewed in time, for example because the \
         coordination service is out of reach, so another node may own these addresses now.",
        "See `purlin status` for the owner, and check the connection to the coordination service.";
    /// Another process uses the data directory.
    STORE_IN_USE = 8004, "store_in_use", "another process uses the data directory",
        "Two processes on one data directory would both promise the same addresses, so the second refuses to start.",
        "Stop the other process, or give this one its own directory with `node.data_dir`.";
    /// Records of a newer version.
    STORE_TOO_NEW = 8005, "store_too_new", "the data directory was written by a newer version",
        "The format of the records is not known to this version. It does not guess, because a misread lease could \
         be promised twice.",
        "Start the newer version again, or restore a backup made with this one.";
    /// Records damaged in the middle.
    STORE_DAMAGED = 8006, "store_damaged", "records of the data directory are damaged",
        "A checksum does not hold at a place that a power cut cannot explain, so leases may be missing. A torn end \
         of the journal is ordinary and repaired without this message.",
        "Check the disk, then restore the newest backup; keep a copy of the damaged directory for inspection.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_in_their_range() {
        assert!(REASONS.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(REASONS.iter().all(|reason| (8001..8100).contains(&reason.code.0)));
    }

    #[test]
    fn every_reason_explains_itself_and_says_what_to_do() {
        for reason in REASONS {
            assert!(
                !reason.slug.is_empty() && !reason.text.is_empty(),
                "{}",
                reason.code
            );
            assert!(
                reason.explain.len() > 60 && !reason.fix.is_empty(),
                "{}",
                reason.code
            );
        }
    }
}
