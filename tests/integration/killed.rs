//! The built binary killed at random moments, in the sandbox on disk and against moto's server: no
//! state file is ever torn, and the next run goes on to what is declared. What comes when follows
//! from a seed; `PROVISION_KILLED` sets how many cases the sandbox gets.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::project::Project;
use crate::emulators::Server;

/// Cases in the sandbox where nothing else is asked for: a few seconds.
const FEW: usize = 24;
/// For so many in the sandbox there is one against moto, which takes as long.
const ONE_OF: usize = 6;
/// The sandbox's state.
const STATE: &str = ".provision/sandbox.json";
/// What the plan says at the end of every journey.
const SAME: &str = "No changes. Your infrastructure matches infra.toml.";

/// A run that is killed, in a directory in which something was done before.
struct Journey {
    name: &'static str,
    arguments: &'static [&'static str],
    /// What is run at the end, and the last line that it then prints.
    check: &'static [&'static str],
    line: &'static str,
}

const JOURNEYS: [Journey; 3] = [
    Journey {
        name: "make",
        arguments: &["apply", "--yes"],
        check: &["plan", "--detailed-exitcode"],
        line: SAME,
    },
    Journey {
        name: "change",
        arguments: &["apply", "--yes", "--allow", "broadens"],
        check: &["plan", "--detailed-exitcode"],
        line: SAME,
    },
    Journey {
        name: "destroy",
        arguments: &["destroy", "--yes", "--allow", "deletes"],
        check: &["destroy"],
        line: "No changes. There is nothing of this project to destroy.",
    },
];

/// How a run ended that was sent a signal.
struct Killed {
    status: ExitStatus,
    said: String,
}

/// Numbers that look like chance and follow from their seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most.max(1)
    }
}

/// Begins a run, sends it a signal after a while, and waits for its end.
#[expect(
    clippy::disallowed_methods,
    reason = "a process outside is waited for: no clock of ours is its"
)]
fn kill(mut command: Command, signal: &str, after: Duration) -> Killed {
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    // It may have ended by itself: then nobody is sent anything.
    let pid = child.id().to_string();
    let _ = Command::new("kill")
        .args([signal, &pid])
        .stderr(Stdio::null())
        .status();
    let output = child.wait_with_output().unwrap();
    Killed {
        status: output.status,
        said: String::from_utf8(output.stderr).unwrap(),
    }
}

/// How the end of a run after a signal has to be: Ctrl-C is an end in order once it writes.
fn judge_end(case: &str, signal: &str, killed: &Killed, wrote: bool) {
    let Killed { status, said } = killed;
    if signal == "-KILL" {
        return;
    }
    match (status.code(), status.signal()) {
        (Some(0), _) => {}
        (Some(1), _) => {
            assert!(
                said.contains("Stopping after the calls in flight"),
                "{case}: {said}"
            );
            assert!(said.contains("goes on from here"), "{case}: {said}");
        }
        // Before the first write nobody listens, and there is nothing to bring to an end.
        (None, Some(2)) => assert!(!wrote, "{case}: it wrote, and died of Ctrl-C: {said}"),
        other => panic!("{case}: {other:?}: {said}"),
    }
}

/// The next run, until it settles: where the dead one held the lock, that is said and undone first.
fn go_on(
    case: &str,
    project: &Project,
    prefix: &[&'static str],
    journey: &Journey,
    may_be_locked: bool,
) {
    let with = |arguments: &[&'static str]| [prefix, arguments].concat();
    let mut next = project.run(&with(journey.arguments));
    if next.code == Some(1) && next.stderr.contains("is held by run") {
        assert!(may_be_locked, "{case}: the lock stayed: {}", next.stderr);
        let (_, rest) = next.stderr.split_once("`provision unlock ").unwrap();
        let run = &rest[..rest.find('`').unwrap()];
        project.run(&[prefix, &["unlock", run]].concat()).with(0);
        next = project.run(&with(journey.arguments));
    }
    assert_eq!(
        next.code,
        Some(0),
        "{case}: the next run:\n{}\n{}",
        next.stdout,
        next.stderr
    );
    let check = project.run(&with(journey.check)).with(0);
    assert_eq!(check.last_line(), journey.line, "{case}");
}

fn cases() -> usize {
    let cases = std::env::var("PROVISION_KILLED").ok();
    cases.map_or(FEW, |cases| cases.parse().unwrap())
}

/// Makes, changes and removes in turn, each killed once on its way.
pub(crate) fn in_the_sandbox_the_next_run_goes_on() {
    let cases = cases();
    let mut chance = Chance(0x6b69_6c6c_6564_2121);
    let project = sandboxed();
    let begun = Instant::now();
    project.run(&["--sandbox", "apply", "--yes"]).with(0);
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let made = fs::read(project.path(STATE)).unwrap();
    assert!(wrote(b"", &made), "the sandbox has no trail of its changes");
    let mut counts = [0; 3];
    for number in 0..cases {
        let journey = &JOURNEYS[number % JOURNEYS.len()];
        let signal = if chance.below(2) == 0 {
            "-KILL"
        } else {
            "-INT"
        };
        let after = Duration::from_micros(chance.below(whole * 5 / 4));
        let case = format!("{} {number}, {signal} after {after:?}", journey.name);
        let project = sandboxed();
        if journey.name != "make" {
            fs::create_dir(project.path(".provision")).unwrap();
            fs::write(project.path(STATE), &made).unwrap();
        }
        if journey.name == "change" {
            project.edit("retention_in_days = 30", "retention_in_days = 60");
            project.edit("DJANGO_ENV =", "COLOUR = \"blue\", DJANGO_ENV =");
        }
        let before = fs::read(project.path(STATE)).unwrap_or_default();
        let arguments = [&["--sandbox"], journey.arguments].concat();
        let killed = kill(project.command(&arguments), signal, after);
        let state = fs::read(project.path(STATE)).unwrap_or_default();
        let whole_file: Result<Value, _> = serde_json::from_slice(&state);
        assert!(state.is_empty() || whole_file.is_ok(), "{case}: torn");
        judge_end(&case, signal, &killed, wrote(&before, &state));
        counts[match killed.status.code() {
            Some(0) => 0,
            Some(_) => 1,
            None => 2,
        }] += 1;
        go_on(&case, &project, &["--sandbox"], journey, signal == "-KILL");
        let unfinished = project.path(".provision/sandbox.json.new");
        assert!(!unfinished.exists(), "{case}: a half written file stayed");
    }
    let [done, stopped, died] = counts;
    println!(
        "killed in the sandbox: {cases} runs, {done} were done before, {stopped} stopped in order, {died} died; every next run settled"
    );
}

/// Whether somebody asked for a change between two states of the sandbox: then its trail is longer.
/// Other records change as time passes, also while a run only looks.
fn wrote(before: &[u8], after: &[u8]) -> bool {
    let newest = |bytes: &[u8]| {
        let state: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let events = state["tables"]["trail_event"].as_object();
        events.and_then(|events| events.keys().max().cloned())
    };
    newest(before) != newest(after)
}

/// The project with a lock, in an empty directory.
fn sandboxed() -> Project {
    let project = Project::copy();
    project.edit(
        "region = \"us-east-2\"\n",
        "region = \"us-east-2\"\nlock = \"ssm:/provision/back-end\"\n",
    );
    project
}

/// The same against moto's server.
pub(crate) fn against_moto_the_next_run_goes_on(server: &Server) {
    let mut project = Project::seed("moto", server);
    project.set("AWS_ENDPOINT_URL", server.url());
    project.edit(
        "region = \"us-east-2\"\n",
        "region = \"us-east-2\"\nlock = \"ssm:/provision/back-end\"\n",
    );
    let [make, _, destroy] = &JOURNEYS;
    let mut chance = Chance(0x6d6f_746f_2121_2121);
    let begun = Instant::now();
    project.run(make.arguments).with(0);
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    project.run(destroy.arguments).with(0);
    let cases = cases() / ONE_OF;
    // A run that is killed when all is done leaves its lock to the next one that has to write.
    let mut died = false;
    for number in 0..cases {
        // What the one made is what the next one removes.
        let journey = if number % 2 == 0 { make } else { destroy };
        let signal = if chance.below(2) == 0 {
            "-KILL"
        } else {
            "-INT"
        };
        let after = Duration::from_micros(chance.below(whole));
        let case = format!("moto {} {number}, {signal} after {after:?}", journey.name);
        let killed = kill(project.command(journey.arguments), signal, after);
        if !(died && killed.said.contains("is held by run")) {
            judge_end(&case, signal, &killed, false);
        }
        go_on(&case, &project, &[], journey, died || signal == "-KILL");
        died = signal == "-KILL";
    }
    println!("killed against moto: {cases} runs, every next one settled");
}
