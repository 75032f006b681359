//! The contract suite over this engine.

use std::path::Path;
use std::sync::Arc;

use purlin_store::{Records, contract};
use purlin_store_embedded::RecordFile;
use purlin_store_embedded::medium::{CrashDisk, Medium, RealFiles};

use crate::rigs::{OnCrashDisk, OnFiles};

#[test]
fn the_journal_keeps_its_contract_on_files() {
    contract::journal::all(OnFiles::new);
}

#[test]
fn the_journal_keeps_its_contract_on_a_disk_with_faults() {
    contract::journal::all(OnCrashDisk::new);
}

#[test]
fn records_keep_their_contract_on_files() {
    contract::records::all(|| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        move || -> Arc<dyn Records> {
            Arc::new(RecordFile::open(Arc::new(RealFiles), &dir.path().join("records")).expect("opens"))
        }
    });
}

#[test]
fn records_keep_their_contract_on_a_simulated_disk() {
    contract::records::all(|| {
        let disk = CrashDisk::new();
        disk.create_dir(Path::new("/data")).expect("a folder");
        move || -> Arc<dyn Records> {
            Arc::new(RecordFile::open(Arc::new(disk.clone()), Path::new("/data/records")).expect("opens"))
        }
    });
}
