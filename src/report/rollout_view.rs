//! What a run that deploys says while it goes on, on standard error: on a terminal a line for each
//! service that shows how its rollout stands, elsewhere a line for each thing that is news.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Screen;
use crate::rollout::{Event, How, Progress, Proof, Told};

/// How often the lines turn: what `indicatif` calls a steady tick.
const TICK: Duration = Duration::from_millis(120);
/// A line: who, how many of the tasks run, and how it stands.
const LINE: &str = "{spinner} {prefix} [{bar:12}] {msg} ({elapsed})";

/// The rollouts of one run.
#[derive(Debug)]
pub struct RolloutView<'a> {
    screen: &'a Screen,
    terminal: Option<Terminal>,
}

/// The lines that are rewritten.
#[derive(Debug)]
struct Terminal {
    all: MultiProgress,
    bars: Mutex<BTreeMap<String, ProgressBar>>,
    colors: bool,
}

impl<'a> RolloutView<'a> {
    /// Shows what happens on this screen.
    #[must_use]
    pub fn new(screen: &'a Screen) -> Self {
        let terminal = screen.is_animated().then(|| Terminal {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            bars: Mutex::default(),
            colors: screen.colors_errors(),
        });
        Self { screen, terminal }
    }

    /// Says what happened.
    pub fn event(&self, event: &Event<'_>) {
        match (&self.terminal, event) {
            (_, Event::Unproved(objections)) => {
                let list = objections.join("\n  ");
                let words = format!("! unproved, and allowed:\n  {list}");
                self.above(|| self.screen.complain(&words));
            }
            (
                Some(terminal),
                Event::Rollout {
                    address,
                    told: Told::Progress(progress),
                },
            ) => terminal.show(address, progress),
            _ => {
                let words = words(event);
                self.above(|| self.screen.say(&words));
            }
        }
    }

    /// Clears the lines that are rewritten.
    pub fn finish(&self) {
        if let Some(terminal) = &self.terminal {
            for bar in terminal.bars().values() {
                bar.finish_and_clear();
            }
            // Nothing is left to tell a failure to.
            let _ = terminal.all.clear();
        }
    }

    /// Prints above the lines that are rewritten.
    fn above(&self, print: impl FnOnce()) {
        match &self.terminal {
            Some(terminal) => terminal.all.suspend(print),
            None => print(),
        }
    }
}

impl Terminal {
    fn bars(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, ProgressBar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, address: &str, progress: &Progress) {
        let style = if self.colors {
            state_style(progress)
        } else {
            Style::new()
        };
        let words = format!("{style}{progress}{style:#}");
        let (running, desired) = (unsigned(progress.running), unsigned(progress.desired));
        let mut bars = self.bars();
        let bar = bars.entry(address.to_owned()).or_insert_with(|| {
            let mut bar = ProgressBar::new(desired)
                .with_prefix(address.to_owned())
                .with_message(words.clone());
            if let Ok(style) = ProgressStyle::with_template(LINE) {
                bar = bar.with_style(style.progress_chars("=> "));
            }
            let bar = self.all.add(bar);
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_length(desired);
        bar.set_position(running);
        bar.set_message(words);
    }
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Green while all goes well, yellow once tasks failed, red on the way back.
fn state_style(progress: &Progress) -> Style {
    let color = if progress.state.contains("ROLLBACK") || progress.state.contains("rolling back") {
        AnsiColor::Red
    } else if progress.failed > 0 {
        AnsiColor::Yellow
    } else {
        AnsiColor::Green
    };
    color.on_default()
}

/// An event in words, indented: the results stand at the margin.
fn words(event: &Event<'_>) -> String {
    match event {
        Event::Warning(warning) => format!("warning: {warning}"),
        Event::Unproved(objections) => objections.join("\n"),
        Event::Proved(proof) => evidence(proof),
        Event::Image {
            address,
            repository,
            tag,
            digest,
            running,
        } => {
            let tag = tag.map(|tag| format!(":{tag} is")).unwrap_or_default();
            let now = match running {
                Some(running) if running == digest => " (runs already)".to_owned(),
                Some(running) => format!(" (runs {running})"),
                None => String::new(),
            };
            format!("  {address}: {repository}{tag} {digest}{now}")
        }
        Event::Sent {
            address,
            revision,
            how,
        } => {
            let how = match how {
                How::Sent => "is sent",
                How::UnderWay => "is under way already",
                How::Already => "runs already",
            };
            format!("  {address}: revision {revision} {how}")
        }
        Event::Back { address, to } => format!("  {address}: back to {to}"),
        Event::WentBack { address, revision } => format!(
            "  {address}: went back to {revision} already; rollback --to REVISION goes further"
        ),
        Event::Stopped {
            address,
            deployment,
        } => format!("  {address}: stopped {deployment}"),
        Event::Answered {
            address,
            hook,
            action,
        } => format!("  {address}: hook {hook}: {}", action.name()),
        Event::Rollout { address, told } => match told {
            Told::Progress(progress) => format!("  {address}: rollout {progress}"),
            Told::Happened(message) => format!("  {address}: event: {message}"),
        },
        Event::Stabilizing { address } => {
            format!("  {address}: deployed; waiting until the service is stable")
        }
    }
}

/// The evidence in words.
fn evidence(proof: &Proof) -> String {
    let mut lines = vec![
        format!(
            "  proved by service/{}: {} run it for {} s",
            proof.key,
            match proof.tasks {
                1 => "1 task has".to_owned(),
                tasks => format!("{tasks} tasks have"),
            },
            proof.ran.as_secs()
        ),
        format!("    deployment {}", proof.deployment),
    ];
    for (repository, digest) in &proof.digests {
        lines.push(format!("    image {repository}@{digest}"));
    }
    for check in &proof.checks {
        lines.push(format!("    check {check}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{state_style, words};
    use crate::rollout::{Event, How, Progress};

    #[test]
    fn an_image_is_said_with_what_runs_so_far() {
        let image = |running: Option<&'static str>| {
            words(&Event::Image {
                address: "service/web",
                repository: "web",
                tag: Some("v1"),
                digest: "sha256:b",
                running,
            })
        };
        assert_eq!(image(None), "  service/web: web:v1 is sha256:b");
        assert!(image(Some("sha256:a")).ends_with("(runs sha256:a)"));
        assert!(image(Some("sha256:b")).ends_with("(runs already)"));
        let sent = words(&Event::Sent {
            address: "service/web",
            revision: "web:2",
            how: How::UnderWay,
        });
        assert_eq!(sent, "  service/web: revision web:2 is under way already");
    }

    #[test]
    fn colours_tell_whether_it_goes_well() {
        let mut progress = Progress::default();
        let well = state_style(&progress);
        progress.failed = 1;
        let failing = state_style(&progress);
        progress.state = "ROLLBACK_IN_PROGRESS".to_owned();
        let back = state_style(&progress);
        assert!(well != failing && failing != back && back != well);
    }
}
