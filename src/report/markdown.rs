//! A plan as Markdown, for a comment on a pull request or a step summary: a table to see at a
//! glance, then each resource's diff, folded away.

use std::fmt::Write as _;

use super::difference::{Shape, inline, shape, whole};
use super::shown::{About, Summary, fields, notes, symbol};
use crate::kind::Hazard;
use crate::plan::{Action, Plan, Verb};

/// Longest text: GitHub refuses a comment of more than 65,536 characters, and whoever posts it adds
/// a few words.
const LONGEST: usize = 60_000;

/// The plan; cut where it would not fit into a comment, which it then says.
#[must_use]
pub fn plan(plan: &Plan, about: &About) -> String {
    let mut out = String::new();
    let title = if plan.is_empty() {
        "No changes".to_owned()
    } else {
        Summary::of(plan).words()
    };
    let _ = writeln!(
        out,
        "### provision: {title}\n\n`{}` in account `{}`, `{}`\n",
        about.project, about.account_id, about.region
    );
    if plan.is_empty() {
        out.push_str("Your infrastructure matches infra.toml.\n");
    } else {
        write_table(&mut out, plan);
    }
    write_notes(&mut out, plan);
    for action in &plan.actions {
        let details = details(action);
        if out.len() + details.len() > LONGEST {
            out.push_str("\nThe rest is left out here; `provision plan` shows it.\n");
            break;
        }
        out.push_str(&details);
    }
    out
}

fn write_table(out: &mut String, plan: &Plan) {
    out.push_str("| | resource | hazards |\n|---|---|---|\n");
    for action in &plan.actions {
        let hazards: Vec<&str> = action
            .hazards
            .iter()
            .map(|hazard| Hazard::name(*hazard))
            .collect();
        let _ = writeln!(
            out,
            "| `{}` | {} | {} |",
            symbol(action.verb()),
            code(&action.address.to_string()),
            hazards.join(", ")
        );
        if out.len() > LONGEST / 2 {
            out.push_str("| | ... | |\n");
            break;
        }
    }
}

fn write_notes(out: &mut String, plan: &Plan) {
    for (index, (address, note)) in notes(plan).into_iter().enumerate() {
        let blank = if index == 0 { "\n" } else { "" };
        let _ = writeln!(
            out,
            "{blank}- {}: {}",
            code(&address.to_string()),
            escape(note)
        );
    }
}

fn details(action: &Action) -> String {
    let mut lines = Vec::new();
    for field in fields(action) {
        let (sign, shape) = match action.verb() {
            Verb::Create => ('+', whole(&field.after)),
            _ => (' ', shape(&field.before, &field.after)),
        };
        match shape {
            Shape::Inline(_) if sign == ' ' => {
                lines.push(format!("- {}: {}", field.path, inline(&field.before)));
                lines.push(format!("+ {}: {}", field.path, inline(&field.after)));
            }
            Shape::Inline(text) => lines.push(format!("+ {}: {text}", field.path)),
            Shape::Lines(block) => {
                lines.push(format!("{sign} {}:", field.path));
                lines.extend(block.into_iter().map(|line| match sign {
                    '+' => format!("+   {line}"),
                    _ => line,
                }));
            }
        }
    }
    let mut out = String::new();
    if lines.is_empty() && action.access.is_empty() {
        return out;
    }
    let symbol = symbol(action.verb());
    let _ = write!(
        out,
        "\n<details><summary>{symbol} <code>{}</code></summary>\n",
        escape(&action.address.to_string())
    );
    write_fenced(&mut out, &lines);
    for access in &action.access {
        let _ = writeln!(
            out,
            "\nAccess of {}: {}",
            code(&access.subject),
            escape(&access.relation)
        );
        let gained = access.gained.iter().map(|example| ("gains", &example.text));
        let lost = access.lost.iter().map(|example| ("loses", &example.text));
        for (index, (verb, text)) in gained.chain(lost).enumerate() {
            let blank = if index == 0 { "\n" } else { "" };
            let _ = writeln!(out, "{blank}- {verb}: {}", escape(text));
        }
        if let Some(reason) = &access.reason {
            let _ = writeln!(
                out,
                "\nNot decided, so it counts as broadening: {}",
                escape(reason)
            );
        }
    }
    out.push_str("\n</details>\n");
    out
}

/// A diff block whose fence is longer than any run of backticks in it.
fn write_fenced(out: &mut String, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(out, "\n{}", block("diff", &lines.join("\n")));
}

/// A block of code that holds any text.
pub(super) fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// A code span that may hold backticks and stand in a table.
pub(super) fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let text = text.replace('|', "\\|").replace(['\r', '\n'], " ");
    format!("{fence}{text}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or_default()
}

/// Text without a meaning in Markdown or HTML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out
}
