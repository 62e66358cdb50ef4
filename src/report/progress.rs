//! What a run says while it goes on, on standard error: a line for each action that ends, and on a
//! terminal a last line that says what is waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Screen;
use super::shown::symbol;
use crate::apply::Event;
use crate::kind::Address;
use crate::plan::{Plan, Verb};

/// How often the last line turns: what `indicatif` calls a steady tick.
const TICK: Duration = Duration::from_millis(120);

/// The progress of one plan.
#[derive(Debug)]
pub struct Progress<'a> {
    screen: &'a Screen,
    bar: Option<ProgressBar>,
    left: Mutex<BTreeMap<Address, Left>>,
    total: usize,
}

/// What an action still has to do.
#[derive(Debug)]
struct Left {
    verb: Verb,
    steps: usize,
    failed: bool,
}

impl<'a> Progress<'a> {
    /// Follows this plan on this screen.
    #[must_use]
    pub fn new(screen: &'a Screen, plan: &Plan) -> Self {
        let left = plan.actions.iter().map(|action| {
            let left = Left {
                verb: action.verb(),
                steps: action.steps.len(),
                failed: false,
            };
            (action.address.clone(), left)
        });
        let bar = screen.is_animated().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            screen,
            bar,
            left: Mutex::new(left.collect()),
            total: plan.actions.len(),
        }
    }

    /// Says what happened, as far as it is news.
    pub fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started(step) => {
                self.wait(&format!("{}: {}", step.address, step.call.name()));
                if self.screen.is_verbose() {
                    self.line(&format!("  {}: {}", step.address, step.call.name()));
                }
            }
            Event::Finished(step) => self.ended(&step.address, None),
            Event::Already(step) => self.ended(&step.address, Some("already so")),
            // What failed and why is said at the end, where nothing scrolls it away.
            Event::Failed(step, _) => {
                if let Some(left) = self.left().get_mut(&step.address) {
                    left.failed = true;
                }
                self.line(&format!("! {}: failed", step.address));
            }
            Event::Note(address, note) => self.line(&format!("note: {address}: {note}")),
            Event::Rollout(address, state) => {
                self.wait(&format!("{address}: rollout {state}"));
                self.line(&format!("  {address}: rollout {state}"));
            }
            Event::Waiting(what) => {
                self.wait(&format!("waiting {what}"));
                if self.screen.is_verbose() {
                    self.line(&format!("  waiting {what}"));
                }
            }
        }
    }

    /// Clears the last line.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn ended(&self, address: &Address, instead: Option<&str>) {
        let line = {
            let mut all = self.left();
            let Some(left) = all.get_mut(address) else {
                return;
            };
            left.steps = left.steps.saturating_sub(1);
            if left.steps > 0 || left.failed {
                return;
            }
            let verb = left.verb;
            let done = all
                .values()
                .filter(|left| left.steps == 0 && !left.failed)
                .count();
            let word = instead.unwrap_or_else(|| past(verb));
            format!("{} {address}: {word} [{done}/{}]", symbol(verb), self.total)
        };
        self.line(&line);
    }

    fn left(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.screen.say(text)),
            None => self.screen.say(text),
        }
    }

    fn wait(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }
}

fn past(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Change => "changed",
        Verb::Delete => "deleted",
        Verb::Replace => "replaced",
    }
}
