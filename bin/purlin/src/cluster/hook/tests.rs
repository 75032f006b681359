use super::*;
use std::os::unix::fs::PermissionsExt;

/// A program in a folder of its own.
struct Program {
    folder: tempfile::TempDir,
    hook: Hook,
}

impl Program {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("scale");
        let words = format!("#!/bin/sh\ncd {}\n{text}\n", folder.path().display());
        std::fs::write(&file, words).expect("our own folder can be written");
        let program = Self {
            hook: Hook {
                program: file,
                timeout: Duration::from_secs(10),
                pause: Duration::from_millis(1),
            },
            folder,
        };
        program.mode(0o700);
        program
    }

    fn mode(&self, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&self.hook.program, permissions).expect("it is ours");
    }

    fn outcome(&self) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let order = Order {
            number: 7,
            from: 3,
            to: 5,
            reason: "processor; $(touch shell) `touch shell`".to_owned(),
        };
        runtime.block_on(self.hook.act(&order))
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join(name)).ok()
    }
}

#[test]
fn a_hook_gets_words_and_json_and_no_environment() {
    let program =
        Program::new("echo \"$@\" > words; cat > order; env | cut -d= -f1 | sort > names; echo fine");
    let outcome = program.outcome();
    assert!(outcome.done && outcome.output == "fine", "{outcome:?}");
    assert_eq!(program.read("words").as_deref(), Some("scale_up 3 5\n"));
    let order: serde_json::Value =
        serde_json::from_str(&program.read("order").expect("written")).expect("JSON");
    assert_eq!(
        (&order["number"], &order["to"], &order["try"]),
        (&json!(7), &json!(5), &json!(1))
    );
    assert_eq!(program.read("shell"), None, "nothing was interpreted");
    let names = program.read("names").expect("written");
    // What the shell of the script itself sets is PWD, and what else it likes.
    assert!(!names.contains("CARGO") && names.contains("PATH"), "{names}");
}

#[test]
fn a_failure_says_how_it_ended_and_is_not_tried_again() {
    let program = Program::new("echo x >> runs; echo no quota >&2; exit 3");
    let outcome = program.outcome();
    assert!(!outcome.done, "{outcome:?}");
    assert!(
        outcome.output.contains("3") && outcome.output.contains("no quota"),
        "{outcome:?}"
    );
    assert_eq!(program.read("runs").as_deref(), Some("x\n"));
}

#[test]
fn not_now_is_asked_again_and_not_for_ever() {
    let program = Program::new("echo x >> runs; [ $(wc -l < runs) -ge 2 ] || exit 75; echo done");
    assert!(program.outcome().done);
    assert_eq!(program.read("runs").as_deref(), Some("x\nx\n"));
    let never = Program::new("echo x >> runs; echo busy; exit 75");
    let outcome = never.outcome();
    assert!(
        !outcome.done && outcome.output.contains("3 times: busy"),
        "{outcome:?}"
    );
    assert_eq!(never.read("runs").as_deref(), Some("x\nx\nx\n"));
}

#[test]
fn its_time_ends_it_and_what_it_started() {
    let mut program = Program::new("sleep 60 & echo $! > child; echo started; wait");
    program.hook.timeout = Duration::from_secs(1);
    let outcome = program.outcome();
    assert!(
        !outcome.done && outcome.output.contains("longer than 1 s"),
        "{outcome:?}"
    );
    assert!(outcome.output.contains("started"), "{outcome:?}");
    let child = program.read("child").expect("written");
    let state = || std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    // It was told to end; the kernel may take a moment.
    let end = Instant::now() + Duration::from_secs(10);
    while !(state().is_empty() || state().contains(") Z ")) {
        assert!(Instant::now() < end, "{}", state());
        std::thread::yield_now();
    }
}

#[test]
fn a_long_output_is_cut_and_does_not_hold_it_up() {
    let program = Program::new("head -c 1000000 /dev/zero | tr '\\0' x");
    let outcome = program.outcome();
    assert!(outcome.done, "{outcome:?}");
    assert_eq!(outcome.output.len() as u64, OUTPUT_MAX);
}

#[test]
fn a_program_that_others_may_write_is_not_run() {
    for (mode, help) in [(0o722, "chmod go-w"), (0o600, "chmod 755")] {
        let program = Program::new("echo x >> runs");
        program.mode(mode);
        let outcome = program.outcome();
        assert!(!outcome.done && outcome.output.contains(help), "{outcome:?}");
        assert_eq!(program.read("runs"), None);
    }
    let mut gone = Program::new("");
    gone.hook.program = gone.folder.path().join("none");
    assert!(!gone.outcome().done);
}
