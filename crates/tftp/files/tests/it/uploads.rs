//! Files on their way in: whole, by the rules, or not at all.

use crate::support::{Differs, LONG, Rig, ask, list, other_rig, rig};
use purlin_tftp_core::settings::{Settings, Uploads};
use purlin_tftp_core::template::NamePattern;
use purlin_tftp_files::{FileError, Kernel, OwnedAsk, UPLOAD_PREFIX, Upload};
use std::io::{BufRead, BufReader};
use std::sync::{Arc, mpsc};

fn writable(change: impl FnOnce(&mut Uploads)) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.files.uploads.allow = vec![NamePattern::parse("*").expect("a pattern")];
        settings
            .files
            .uploads
            .allow
            .push(NamePattern::parse("in/*").expect("a pattern"));
        change(&mut settings.files.uploads);
    }
}

fn with(tmpfile: bool, change: impl FnOnce(&mut Uploads)) -> Rig {
    let kernel = Kernel {
        tmpfile,
        ..Kernel::default()
    };
    other_rig(Differs { kernel, shared: None }, writable(change))
}

fn create(rig: &Rig, name: &str, size: Option<u64>) -> Result<Arc<Upload>, FileError> {
    let (done, waits) = mpsc::channel();
    let ask = OwnedAsk {
        write: true,
        ..OwnedAsk::from(&ask(name))
    };
    rig.tree
        .create(ask, size, Box::new(move |result| done.send(result).unwrap()));
    waits.recv_timeout(LONG).expect("an answer")
}

fn append(upload: &Arc<Upload>, octets: &[u8]) -> Result<u64, FileError> {
    let (done, waits) = mpsc::channel();
    upload.append(
        octets.to_vec(),
        Box::new(move |result| done.send(result).unwrap()),
    );
    waits.recv_timeout(LONG).expect("an answer")
}

fn commit(upload: &Arc<Upload>) -> Result<(), FileError> {
    let (done, waits) = mpsc::channel();
    upload.commit(Box::new(move |result| done.send(result).unwrap()));
    waits.recv_timeout(LONG).expect("an answer")
}

/// Until the upload's last job has let go of it.
fn settled(rig: &Rig) {
    crate::support::until("the end of the upload", || rig.tree.stats().uploads_open == 0);
}

#[test]
fn s2_50_an_upload_appears_whole_with_its_commit() {
    for tmpfile in [true, false] {
        for write_behind in [true, false] {
            let rig = with(tmpfile, |uploads| uploads.write_behind = write_behind);
            assert_eq!(rig.get("config").err(), Some(FileError::NotFound));
            let upload = create(&rig, "config", None).unwrap();
            assert_eq!(append(&upload, b"first "), Ok(6));
            assert_eq!(append(&upload, b"second"), Ok(12));
            assert!(!rig.root.join("config").exists());
            assert_eq!(commit(&upload), Ok(()));
            assert_eq!(rig.list(""), ["config"]);
            assert_eq!(
                rig.text("config"),
                "first second",
                "and the miss is forgotten at once"
            );
        }
    }
}

#[test]
fn without_a_commit_nothing_stays() {
    for tmpfile in [true, false] {
        let rig = with(tmpfile, |_| {});
        let upload = create(&rig, "config", Some(1 << 20)).unwrap();
        append(&upload, &[1; 1000]).unwrap();
        assert_eq!(rig.list("").len(), usize::from(!tmpfile));
        drop(upload);
        settled(&rig);
        assert_eq!(rig.list(""), [""; 0]);
        let upload = create(&rig, "config", None).unwrap();
        upload.discard();
        settled(&rig);
        assert_eq!(append(&upload, b"late"), Err(FileError::Io));
        assert_eq!(commit(&upload), Err(FileError::Io));
        assert_eq!(rig.list(""), [""; 0]);
    }
}

#[test]
fn nothing_is_written_unless_it_is_allowed() {
    let rig = rig(|_| {});
    assert!(matches!(
        create(&rig, "config", None),
        Err(FileError::NotAllowed(_))
    ));
    let rig = with(true, |uploads| uploads.create = false);
    assert_eq!(create(&rig, "new", None).err(), Some(FileError::NotFound));
    rig.write("old", "text");
    assert_eq!(create(&rig, "old", None).err(), Some(FileError::Exists));
    assert_eq!(
        create(&rig, "no/such/folder", None).err(),
        Some(FileError::NotAllowed(purlin_tftp_core::plan::codes::UPLOAD_NAME))
    );
    assert_eq!(create(&rig, "in/x", None).err(), Some(FileError::NoDirectory));
    assert_eq!(
        create(&rig, &format!("{UPLOAD_PREFIX}1"), None).err(),
        Some(FileError::Denied)
    );
}

#[test]
fn replacing_is_a_policy_and_keeps_the_rights() {
    use std::os::unix::fs::PermissionsExt;
    for tmpfile in [true, false] {
        let rig = with(tmpfile, |uploads| {
            (uploads.overwrite, uploads.create) = (true, false);
        });
        rig.write("old", "old text");
        std::fs::set_permissions(rig.root.join("old"), PermissionsExt::from_mode(0o600)).unwrap();
        let before = rig.get("old").unwrap();
        let upload = create(&rig, "old", None).unwrap();
        append(&upload, b"new").unwrap();
        assert_eq!(rig.text("old"), "old text", "the old one stands until the commit");
        assert_eq!(commit(&upload), Ok(()));
        assert_eq!(rig.text("old"), "new");
        assert_eq!(&*before.chunk(0).unwrap(), b"old text");
        assert_eq!(rig.list(""), ["old"]);
        let mode = std::fs::metadata(rig.root.join("old"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn links_directories_and_devices_are_not_written_to() {
    let rig = with(true, |uploads| uploads.overwrite = true);
    rig.write("aim", "text");
    std::os::unix::fs::symlink("aim", rig.root.join("link")).unwrap();
    std::fs::create_dir(rig.root.join("folder")).unwrap();
    assert_eq!(create(&rig, "link", None).err(), Some(FileError::Denied));
    assert_eq!(create(&rig, "folder", None).err(), Some(FileError::IsDirectory));
}

#[test]
fn the_size_cap_holds_for_promises_and_deeds() {
    let rig = with(true, |uploads| uploads.size_max.0 = 1_000);
    assert_eq!(create(&rig, "a", Some(1_001)).err(), Some(FileError::TooBig));
    let upload = create(&rig, "a", Some(1_000)).unwrap();
    assert_eq!(append(&upload, &[0; 1_000]), Ok(1_000));
    assert_eq!(append(&upload, &[0]), Err(FileError::TooBig));
    assert_eq!(commit(&upload), Err(FileError::TooBig));
    settled(&rig);
    assert_eq!(rig.list(""), [""; 0]);
}

#[test]
fn a_broken_promise_of_size_leaves_no_hole() {
    let rig = with(true, |_| {});
    let upload = create(&rig, "a", Some(100_000)).unwrap();
    append(&upload, b"short").unwrap();
    commit(&upload).unwrap();
    assert_eq!(rig.text("a"), "short");
}

#[test]
fn of_two_uploads_of_a_name_the_first_has_it() {
    for tmpfile in [true, false] {
        let rig = with(tmpfile, |_| {});
        let first = create(&rig, "a", None).unwrap();
        assert_eq!(create(&rig, "/a", None).err(), Some(FileError::Taken));
        append(&first, b"first").unwrap();
        commit(&first).unwrap();
        assert_eq!(create(&rig, "a", None).err(), Some(FileError::Exists));
        assert_eq!(rig.text("a"), "first");
    }
}

#[test]
fn directories_are_not_made_and_the_reason_says_so() {
    let rig = with(true, |uploads| {
        uploads
            .allow
            .push(NamePattern::parse("new/**").expect("a pattern"));
    });
    rig.write("new/file", "in the way");
    for name in ["new/d/e", "new/file/e", "in/e"] {
        assert_eq!(
            create(&rig, name, None).err(),
            Some(FileError::NoDirectory),
            "{name}"
        );
    }
    assert_eq!(create(&rig, "new/e", None).err(), None);
    let rig = with(true, |uploads| uploads.create = false);
    assert_eq!(create(&rig, "e", None).err(), Some(FileError::NotFound));
}

#[test]
fn a_file_that_came_meanwhile_is_not_replaced() {
    for tmpfile in [true, false] {
        let rig = with(tmpfile, |_| {});
        let upload = create(&rig, "a", None).unwrap();
        append(&upload, b"mine").unwrap();
        rig.write("a", "theirs");
        assert_eq!(commit(&upload), Err(FileError::Exists));
        assert_eq!(rig.text("a"), "theirs");
        assert_eq!(rig.list(""), ["a"]);
    }
}

#[test]
fn what_waits_for_the_disk_is_bounded() {
    let rig = with(true, |_| {});
    let upload = create(&rig, "a", None).unwrap();
    let (done, waits) = mpsc::channel();
    // The disk stands still as long as this answer is not given.
    let (go, wait) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    upload.append(
        vec![0],
        Box::new(move |_| {
            begin.send(()).unwrap();
            wait.recv().unwrap();
        }),
    );
    begun.recv_timeout(LONG).unwrap();
    for _ in 0..17 {
        let done = done.clone();
        upload.append(
            vec![0; 1 << 19],
            Box::new(move |result| done.send(result).unwrap()),
        );
    }
    assert_eq!(waits.recv_timeout(LONG), Ok(Err(FileError::Busy)), "at once");
    go.send(()).unwrap();
    assert_eq!(waits.iter().take(16).filter(Result::is_ok).count(), 16);
    assert_eq!(commit(&upload), Ok(()));
    assert_eq!(rig.get("a").unwrap().size(), 1 + (16 << 19));
}

#[test]
fn leftovers_of_a_crash_are_removed_and_live_ones_are_not() {
    let rig = with(false, |_| {});
    let live = create(&rig, "live", None).unwrap();
    rig.write(&format!("{UPLOAD_PREFIX}99-0"), "half");
    rig.write(&format!("in/{UPLOAD_PREFIX}99-1"), "half");
    rig.write("in/other", "whole");
    rig.tree
        .apply(&purlin_tftp_core::plan::Plan::compile(&rig.settings));
    crate::support::until("the cleaning", || {
        rig.list("in") == ["other"] && rig.list("").len() == 2
    });
    append(&live, b"text").unwrap();
    commit(&live).unwrap();
    assert_eq!(rig.list(""), ["in", "live"]);
}

const HALF_IN: &str = "PURLIN_TEST_HALF_AN_UPLOAD_IN";

/// The process that the next test kills; on its own it has nothing to do.
#[test]
fn half_an_upload_until_killed() {
    let Ok(root) = std::env::var(HALF_IN) else { return };
    let rig = with(false, |_| {});
    let mut settings = rig.settings.clone();
    settings.files.root = Some(root.into());
    rig.tree.apply(&purlin_tftp_core::plan::Plan::compile(&settings));
    let upload = create(&rig, "config", None).unwrap();
    append(&upload, b"half").unwrap();
    println!("half written");
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_killed_process_leaves_nothing_that_is_served_or_stays() {
    let rig = with(true, |_| {});
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "uploads::half_an_upload_until_killed"])
        .env(HALF_IN, &rig.root)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines
            .map_while(Result::ok)
            .any(|line| line.contains("half written"))
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let left = rig.list("");
    assert!(left.len() == 1 && left[0].starts_with(UPLOAD_PREFIX), "{left:?}");
    assert_eq!(rig.get(&left[0]).err(), Some(FileError::NotFound));
    rig.tree
        .apply(&purlin_tftp_core::plan::Plan::compile(&rig.settings));
    crate::support::until("the cleaning", || rig.list("").is_empty());
    let upload = create(&rig, "config", None).unwrap();
    append(&upload, b"whole").unwrap();
    commit(&upload).unwrap();
    assert_eq!(rig.text("config"), "whole");
}

#[test]
fn whoever_cleans_up_never_takes_a_live_upload() {
    for tmpfile in [true, false] {
        let rig = with(tmpfile, |uploads| uploads.overwrite = true);
        let plan = purlin_tftp_core::plan::Plan::compile(&rig.settings);
        for i in 0..100 {
            rig.tree.apply(&plan);
            let upload = create(&rig, "a", None).unwrap();
            append(&upload, i.to_string().as_bytes()).unwrap();
            rig.tree.apply(&plan);
            assert_eq!(commit(&upload), Ok(()), "{tmpfile} {i}");
        }
        assert_eq!(rig.text("a"), "99");
        crate::support::until("the last cleaning", || rig.list("") == ["a"]);
    }
}

/// A file system of one megabyte, when this process may mount one.
fn small_disk(rig: &Rig) -> Option<SmallDisk> {
    let folder = rig.root.join("in");
    std::fs::create_dir(&folder).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(&folder)
        .output();
    match mount {
        Ok(done) if done.status.success() => Some(SmallDisk(folder)),
        _ => {
            println!("skipped: no right to mount a small disk");
            None
        }
    }
}

struct SmallDisk(std::path::PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("--lazy")
            .arg(&self.0)
            .output();
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_stays() {
    for tmpfile in [true, false] {
        let rig = with(tmpfile, |_| {});
        let Some(disk) = small_disk(&rig) else { return };
        assert_eq!(
            create(&rig, "in/a", Some(8 << 20)).err(),
            Some(FileError::NoSpace),
            "known beforehand"
        );
        let upload = create(&rig, "in/a", None).unwrap();
        let full = (0..64).find_map(|_| append(&upload, &[1; 1 << 16]).err());
        assert_eq!(full, Some(FileError::NoSpace));
        assert_eq!(commit(&upload), Err(FileError::NoSpace));
        settled(&rig);
        assert_eq!(list(&disk.0), [""; 0]);
        // The file is closed a moment after the upload has ended.
        crate::support::until("its space is free again", || {
            let upload = create(&rig, "in/a", None).unwrap();
            append(&upload, &[1; 1 << 19]).is_ok() && commit(&upload) == Ok(())
        });
    }
}
