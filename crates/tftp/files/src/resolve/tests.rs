use super::*;
use rustix::fs::mknodat;
use std::fs::{self as stdfs, create_dir, create_dir_all, write};
use std::io::Read;
use std::os::unix::fs::symlink;
use std::sync::atomic::AtomicBool;

struct Tree {
    _keep: tempfile::TempDir,
    outside: PathBuf,
    root: PathBuf,
}

/// A root with files, a neighbour outside of it, and links of every kind.
fn tree() -> Tree {
    let keep = tempfile::tempdir().expect("a folder");
    let root = keep.path().join("root");
    let outside = keep.path().join("outside");
    create_dir_all(root.join("a/b")).unwrap();
    create_dir(&outside).unwrap();
    write(root.join("a/b/file"), "inside").unwrap();
    write(outside.join("secret"), "secret").unwrap();
    symlink("b/file", root.join("a/near")).unwrap();
    symlink("../a/b/../b/file", root.join("a/around")).unwrap();
    symlink(root.join("a/b/file"), root.join("absolute")).unwrap();
    symlink(outside.join("secret"), root.join("out")).unwrap();
    symlink("../outside/secret", root.join("up")).unwrap();
    symlink("../outside", root.join("updir")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("/proc/self/exe", root.join("magic")).unwrap();
    symlink("a/b", root.join("dirlink")).unwrap();
    write(root.join(format!("{UPLOAD_PREFIX}1")), "half").unwrap();
    Tree {
        _keep: keep,
        outside,
        root,
    }
}

fn text(file: OwnedFd) -> String {
    let mut text = String::new();
    stdfs::File::from(file).read_to_string(&mut text).unwrap();
    text
}

/// The answer of the kernel's way and of the walk must be the same one.
fn both(tree: &Tree, path: &str, links: Links) -> Result<String, FileError> {
    let root = Root::open(&Arc::from(&*tree.root)).unwrap();
    let answer = |kernel| {
        let resolver = Resolver::new(kernel);
        let found = resolver.find(&root, path, links);
        let opened = resolver
            .open(&root, path, links, OFlags::empty())
            .map(|(file, ..)| text(file));
        assert_eq!(
            found.map(|_| ()),
            opened.as_ref().map(|_| ()).map_err(|e| *e),
            "{path} {links:?} {kernel}"
        );
        opened
    };
    let (kernel, walk) = (answer(true), answer(false));
    assert_eq!(kernel, walk, "{path} {links:?}");
    kernel
}

#[test]
fn files_are_found_by_either_way() {
    let tree = tree();
    for links in [Links::Never, Links::Inside, Links::Anywhere] {
        assert_eq!(both(&tree, "a/b/file", links).unwrap(), "inside");
        assert_eq!(both(&tree, "a/b/none", links), Err(FileError::NotFound));
        assert_eq!(both(&tree, "a/b/file/more", links), Err(FileError::NotFound));
        assert_eq!(both(&tree, "a/b", links), Err(FileError::IsDirectory));
        assert_eq!(both(&tree, &"x".repeat(300), links), Err(FileError::NotFound));
        assert_eq!(both(&tree, "loop", links), Err(FileError::Denied));
        assert_eq!(both(&tree, "magic", links), Err(FileError::Denied));
    }
}

#[test]
fn dots_never_lead_out_of_the_root() {
    let tree = tree();
    for path in [
        "../outside/secret",
        "a/../../outside/secret",
        "a/b/../../../outside/secret",
    ] {
        for links in [Links::Never, Links::Inside] {
            assert_eq!(both(&tree, path, links), Err(FileError::Denied), "{path}");
        }
    }
}

#[test]
fn links_go_as_far_as_the_policy_says() {
    let tree = tree();
    for path in ["a/near", "a/around", "absolute", "dirlink/file"] {
        assert_eq!(both(&tree, path, Links::Never), Err(FileError::Denied), "{path}");
        assert_eq!(both(&tree, path, Links::Inside).unwrap(), "inside", "{path}");
        assert_eq!(both(&tree, path, Links::Anywhere).unwrap(), "inside", "{path}");
    }
    for path in ["out", "up", "updir/secret"] {
        assert_eq!(both(&tree, path, Links::Never), Err(FileError::Denied), "{path}");
        assert_eq!(both(&tree, path, Links::Inside), Err(FileError::Denied), "{path}");
        assert_eq!(both(&tree, path, Links::Anywhere).unwrap(), "secret", "{path}");
    }
}

#[test]
fn unfinished_uploads_are_not_there() {
    let name = format!("{UPLOAD_PREFIX}1");
    assert_eq!(both(&tree(), &name, Links::Anywhere), Err(FileError::NotFound));
}

#[test]
fn fifos_sockets_and_devices_are_refused_without_waiting() {
    let tree = tree();
    let folder = stdfs::File::open(&tree.root).unwrap();
    mknodat(&folder, "fifo", FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(tree.root.join("socket")).unwrap();
    assert_eq!(both(&tree, "fifo", Links::Inside), Err(FileError::Denied));
    assert_eq!(both(&tree, "socket", Links::Inside), Err(FileError::Denied));
    let devices = Tree {
        root: "/dev".into(),
        outside: PathBuf::new(),
        _keep: tempfile::tempdir().unwrap(),
    };
    assert_eq!(both(&devices, "null", Links::Never), Err(FileError::Denied));
}

#[test]
fn a_link_through_names_the_real_place() {
    let tree = tree();
    let root = Root::open(&Arc::from(&*tree.root)).unwrap();
    let real = |path| Resolver::new(true).find(&root, path, Links::Inside).unwrap().real;
    assert_eq!(real("a/b/file"), None);
    assert_eq!(real("a/near").unwrap().file_name().unwrap(), "file");
}

#[test]
fn a_file_without_the_right_to_read_is_denied() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        println!("skipped: root may read everything");
        return;
    }
    let tree = tree();
    stdfs::set_permissions(tree.root.join("a/b/file"), PermissionsExt::from_mode(0o000)).unwrap();
    let root = Root::open(&Arc::from(&*tree.root)).unwrap();
    let opened = Resolver::new(true).open(&root, "a/b/file", Links::Never, OFlags::empty());
    assert_eq!(opened.map(|_| ()), Err(FileError::Denied));
}

/// A thread swaps a file, and a directory on the way, for links that lead out, while others open the names.
#[test]
fn a_link_swapped_in_meanwhile_never_leads_out() {
    let tree = tree();
    let root = Root::open(&Arc::from(&*tree.root)).unwrap();
    create_dir(tree.root.join("d")).unwrap();
    write(tree.root.join("d/secret"), "inside").unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                swap(&tree);
            }
        });
        for kernel in [true, false] {
            let resolver = Resolver::new(kernel);
            let mut served = 0;
            for _ in 0..3_000 {
                for (path, links) in [
                    ("swapped", Links::Never),
                    ("swapped", Links::Inside),
                    ("d/secret", Links::Inside),
                ] {
                    let opened = resolver.open(&root, path, links, OFlags::empty());
                    served += u32::from(opened.as_ref().is_ok_and(|_| true));
                    assert!(
                        opened.is_err() || text(opened.unwrap().0) == "inside",
                        "{path} led out"
                    );
                }
            }
            assert!(served > 0, "the file was there at times");
        }
        done.store(true, Ordering::Relaxed);
    });
}

fn swap(tree: &Tree) {
    let at = |name: &str| tree.root.join(name);
    let _ = stdfs::remove_file(at("next"));
    write(at("next"), "inside").unwrap();
    stdfs::rename(at("next"), at("swapped")).unwrap();
    symlink(tree.outside.join("secret"), at("next")).unwrap();
    stdfs::rename(at("next"), at("swapped")).unwrap();
    stdfs::rename(at("d"), at("kept")).unwrap();
    symlink("../outside", at("d")).unwrap();
    stdfs::remove_file(at("d")).unwrap();
    stdfs::rename(at("kept"), at("d")).unwrap();
}
