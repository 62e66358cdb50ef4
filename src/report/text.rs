//! A plan as text for a terminal: one block per resource, then notes, then the summary line.
//! Styles are always written; the screen strips them where they are not wanted.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::difference::{Shape, shape, whole};
use super::shown::{About, fields, last_line, needs_allow, notes, symbol};
use crate::kind::{AccessChange, Hazard};
use crate::plan::{Action, Plan, Verb};

const ADDED: Style = AnsiColor::Green.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const DANGER: Style = AnsiColor::Red.on_default().bold();
const STRONG: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The whole plan; the last line is the summary.
#[must_use]
pub fn plan(plan: &Plan, about: &About) -> String {
    let mut out = String::new();
    for action in &plan.actions {
        let begun = out.len();
        write_action(&mut out, action);
        // One line alone needs no blank one after it.
        if out
            .get(begun..)
            .is_some_and(|block| block.lines().count() > 1)
        {
            out.push('\n');
        }
    }
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
    for (address, note) in notes(plan) {
        let _ = writeln!(out, "note: {address}: {note}");
    }
    let hazards = needs_allow(plan);
    if !hazards.is_empty() {
        let names: Vec<&str> = hazards.iter().map(|hazard| hazard.name()).collect();
        let flags: Vec<String> = names.iter().map(|name| format!("--allow {name}")).collect();
        let _ = writeln!(
            out,
            "{DANGER}!{DANGER:#} {}: {} needs {}.",
            names.join(", "),
            if about.destroy { "destroy" } else { "apply" },
            flags.join(" ")
        );
    }
    let blank = if out.is_empty() || out.ends_with("\n\n") {
        ""
    } else {
        "\n"
    };
    let _ = writeln!(out, "{blank}{STRONG}{}{STRONG:#}", last_line(plan, about));
    out
}

fn style(verb: Verb) -> Style {
    match verb {
        Verb::Create => ADDED,
        Verb::Change => CHANGED,
        Verb::Delete | Verb::Replace => REMOVED,
    }
}

fn write_action(out: &mut String, action: &Action) {
    let verb = action.verb();
    let style = style(verb);
    let _ = write!(
        out,
        "{style}{}{style:#} {STRONG}{}{STRONG:#}",
        symbol(verb),
        action.address
    );
    write_hazards(out, action);
    out.push('\n');
    for field in fields(action) {
        let shape = match verb {
            Verb::Create => whole(&field.after),
            _ => shape(&field.before, &field.after),
        };
        match shape {
            Shape::Inline(text) => {
                let _ = writeln!(out, "    {}: {text}", field.path);
            }
            Shape::Lines(lines) => {
                let _ = writeln!(out, "    {}:", field.path);
                for line in lines {
                    write_line(out, &line, verb != Verb::Create);
                }
            }
        }
    }
    for access in &action.access {
        write_access(out, access);
    }
}

fn write_hazards(out: &mut String, action: &Action) {
    let names: Vec<&str> = action
        .hazards
        .iter()
        .map(|hazard| Hazard::name(*hazard))
        .collect();
    if !names.is_empty() {
        let _ = write!(out, "  {DANGER}!{DANGER:#} {}", names.join(", "));
    }
}

/// A line of a document; of a diff, in the colour of its sign.
fn write_line(out: &mut String, line: &str, signed: bool) {
    let style = match line.chars().next() {
        Some('+') if signed => ADDED,
        Some('-') if signed => REMOVED,
        Some('@') if signed => DIM,
        _ => Style::new(),
    };
    let _ = writeln!(out, "      {style}{line}{style:#}");
}

fn write_access(out: &mut String, access: &AccessChange) {
    let AccessChange {
        subject,
        relation,
        gained,
        lost,
        reason,
    } = access;
    let _ = writeln!(out, "    access of {subject}: {relation}");
    for example in gained {
        let _ = writeln!(out, "      {ADDED}+{ADDED:#} {}", example.text);
    }
    for example in lost {
        let _ = writeln!(out, "      {REMOVED}-{REMOVED:#} {}", example.text);
    }
    if let Some(reason) = reason {
        let _ = writeln!(out, "      {DANGER}!{DANGER:#} {reason}");
    }
}
