//! `provision init`: a first infra.toml and its policies, for a new project or for what an account
//! already has. Nothing that is there is overwritten.

mod live;
mod prune;
mod template;

use std::path::{Path, PathBuf};

use clap::Args;

use super::global::Global;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::table::Files;
use crate::report::Screen;

/// Write infra.toml and policies/ for a new project, or for what an account already has.
///
/// After `init --from-live`, `plan` shows only what would be adopted.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The project's name; by default that of the directory.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// The account's twelve digits; with --from-live by default that of the credentials.
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,

    /// The GitHub repository; by default the `origin` of .git/config.
    #[arg(long, value_name = "OWNER/NAME")]
    github: Option<String>,

    /// Declare what the account has.
    #[arg(long)]
    from_live: bool,

    /// With --from-live: only this cluster's services, what they refer to, and what GitHub may use.
    #[arg(long, value_name = "CLUSTER", requires = "from_live")]
    cluster: Option<String>,
}

/// What infra.toml begins with.
#[derive(Clone, Debug)]
struct Project {
    name: String,
    account_id: String,
    region: String,
    /// `OWNER/NAME`.
    github: Option<String>,
}

/// Writes them.
pub(super) async fn run(arguments: &Arguments, global: &Global, screen: &Screen) -> Result<u8> {
    let path = &global.config;
    refuse_existing(path)?;
    name_missing(arguments, global, screen)?;
    let directory = path.parent().unwrap_or(Path::new("")).to_owned();
    let region = region(global, screen)?;
    let github = match &arguments.github {
        Some(given) => Some(repository(given)?),
        None => origin(&directory),
    };
    let name = arguments
        .name
        .clone()
        .or_else(|| directory_name(&directory));
    let mut project = Project {
        name: name.unwrap_or_else(|| "project".to_owned()),
        account_id: arguments.account_id.clone().unwrap_or_default(),
        region,
        github,
    };
    let (files, notes) = if arguments.from_live {
        live::files(&mut project, arguments.cluster.as_deref(), global, screen).await?
    } else {
        if project.account_id.is_empty() {
            project.account_id = asked(screen, "--account-id", "The account's twelve digits:")?;
        }
        (template::files(&project), Vec::new())
    };
    write(path, &files)?;
    for note in notes {
        screen.say(&format!("note: {note}"));
    }
    let names: Vec<String> = files
        .iter()
        .map(|(name, _)| place(path, name).display().to_string())
        .collect();
    screen.result(&format!("Wrote {}.\n", names.join(", ")))?;
    screen.say("`provision plan` says what would be done.");
    Ok(0)
}

/// Where a file is written: infra.toml stands under the name that was given for it.
fn place(config: &Path, name: &Path) -> PathBuf {
    if name == Path::new("infra.toml") {
        return config.to_owned();
    }
    config.parent().unwrap_or(Path::new("")).join(name)
}

fn refuse_existing(path: &Path) -> Result<()> {
    if path.exists() {
        let message = format!("{} is there already. Nothing was written.", path.display());
        return Err(Error::refused(message).hint("Move it away, or name another with -c FILE."));
    }
    Ok(())
}

fn write(config: &Path, files: &Files) -> Result<()> {
    for (name, _) in files {
        refuse_existing(&place(config, name))?;
    }
    for (name, text) in files {
        let path = place(config, name);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| {
            Error::failed(format!("{} cannot be written: {error}.", path.display()))
        })?;
    }
    Ok(())
}

/// Off a terminal, everything that is missing is named at once.
fn name_missing(arguments: &Arguments, global: &Global, screen: &Screen) -> Result<()> {
    let mut missing = Vec::new();
    if given_region(global).is_none() {
        missing.push("--region");
    }
    if arguments.account_id.is_none() && !arguments.from_live {
        missing.push("--account-id");
    }
    if missing.is_empty() || screen.is_interactive() {
        return Ok(());
    }
    let word = if missing.len() == 1 { "is" } else { "are" };
    let message = format!("{} {word} needed.", missing.join(" and "));
    Err(Error::new(ErrorKind::Usage, message).hint("Off a terminal nothing is asked."))
}

/// A value that was not given: asked for on a terminal, named off it.
fn asked(screen: &Screen, flag: &str, question: &str) -> Result<String> {
    let answer = if screen.is_interactive() {
        screen.ask(question)
    } else {
        None
    };
    answer.filter(|answer| !answer.is_empty()).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{flag} is needed."))
            .hint("Off a terminal nothing is asked.")
    })
}

/// The region of the flag or of AWS's variables.
fn region(global: &Global, screen: &Screen) -> Result<String> {
    match given_region(global) {
        Some(region) => Ok(region),
        None => asked(screen, "--region", "The region, such as us-east-2:"),
    }
}

fn given_region(global: &Global) -> Option<String> {
    let variable = |name| {
        std::env::var(name)
            .ok()
            .filter(|value: &String| !value.is_empty())
    };
    let given = global.region.clone();
    given
        .or_else(|| variable("AWS_REGION"))
        .or_else(|| variable("AWS_DEFAULT_REGION"))
}

fn directory_name(directory: &Path) -> Option<String> {
    let here = std::env::current_dir().ok()?.join(directory);
    let name = here.file_name()?.to_string_lossy().into_owned();
    // What a project's name may hold; anything else in a directory's name becomes a hyphen.
    let letter = |letter: char| {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            letter
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(letter).collect();
    let name = name.trim_matches('-').to_owned();
    (!name.is_empty()).then_some(name)
}

fn repository(text: &str) -> Result<String> {
    let valid = text
        .split_once('/')
        .is_some_and(|(owner, name)| !owner.is_empty() && !name.is_empty() && !name.contains('/'));
    if valid {
        return Ok(text.to_owned());
    }
    Err(
        Error::new(ErrorKind::Usage, format!("{text} is not OWNER/NAME."))
            .hint("Such as `--github OperationCode/back-end`, in GitHub's letter case."),
    )
}

/// `OWNER/NAME` of the remote `origin`, if it is on GitHub.
fn origin(directory: &Path) -> Option<String> {
    let config = std::fs::read_to_string(directory.join(".git/config")).ok()?;
    let section = config
        .split("[remote \"origin\"]")
        .nth(1)?
        .split("\n[")
        .next()?;
    let url = section
        .lines()
        .find_map(|line| line.trim().strip_prefix("url"))?;
    let url = url.trim_start_matches([' ', '=']).trim();
    let (_, path) = url.split_once("github.com")?;
    let path = path.trim_start_matches([':', '/']).trim_end_matches('/');
    repository(path.trim_end_matches(".git")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_read_in_each_of_its_forms() {
        for url in [
            "https://github.com/OperationCode/back-end.git",
            "git@github.com:OperationCode/back-end.git",
            "ssh://git@github.com/OperationCode/back-end",
        ] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::create_dir(directory.path().join(".git")).unwrap();
            let text = format!(
                "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = {url}\n\tfetch = x\n[branch \"main\"]\n"
            );
            std::fs::write(directory.path().join(".git/config"), text).unwrap();
            assert_eq!(
                origin(directory.path()).as_deref(),
                Some("OperationCode/back-end"),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_repository_is_a_usage_error() {
        assert_eq!(repository("back-end").unwrap_err().kind, ErrorKind::Usage);
        assert_eq!(repository("a/b/c").unwrap_err().kind, ErrorKind::Usage);
    }
}
