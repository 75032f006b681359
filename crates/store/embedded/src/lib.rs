//! The embedded store: a group-commit journal for leases, a transactional file for records, in one folder.
//!
//! ```text
//!   data folder
//!   ├─ lock             held while the store is open
//!   ├─ journal/NAME/    one folder per journal: segments, a checkpoint      docs/formats/journal.md
//!   ├─ restored         only in a folder made from a backup                 docs/formats/backup.md
//!   └─ records.redb     tables of the control plane                         docs/formats/records.md
//! ```

mod backup;
mod embedded;
mod journal;
pub mod medium;
mod records;
mod restored;

pub use backup::{BackupError, Progress, Summary, restore, restore_on, verify, verify_on};
pub use embedded::{Embedded, Options};
pub use journal::{JournalFiles, JournalOptions, JournalStats, SYNC_BUCKETS};
pub use records::{EachRow, RecordFile};
pub use restored::Restored;
