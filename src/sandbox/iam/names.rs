//! What IAM accepts as a name, a path, a description, and which principals it knows.

use super::super::error::ServiceError;
use super::invalid;

/// A name of up to `most` characters; IAM's pattern is `[\w+=,.@-]+`.
pub(super) fn check_name(field: &str, name: &str, most: usize) -> Result<(), ServiceError> {
    let allowed = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if !allowed {
        return Err(invalid(format!(
            "The specified value for {field} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )));
    }
    if name.is_empty() || name.chars().count() > most {
        return Err(invalid(format!(
            "1 validation error detected: Value at '{field}' failed to satisfy constraint: Member must have length less than or equal to {most}"
        )));
    }
    Ok(())
}

/// A path begins and ends with a slash.
pub(super) fn check_path(path: &str) -> Result<(), ServiceError> {
    let printable = path.chars().all(|c| ('!'..='\u{7f}').contains(&c));
    if path.starts_with('/') && path.ends_with('/') && path.len() <= 512 && printable {
        return Ok(());
    }
    Err(invalid("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.".to_owned()))
}

/// A description has at most 1000 characters, none of them beyond Latin-1.
pub(super) fn check_description(text: &str) -> Result<(), ServiceError> {
    let latin = text.chars().all(|c| {
        "\t\n\r".contains(c) || (' '..='~').contains(&c) || ('\u{a1}'..='\u{ff}').contains(&c)
    });
    if latin && text.chars().count() <= 1000 {
        return Ok(());
    }
    Err(invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*".to_owned()))
}

/// A session lasts between one hour and twelve.
pub(super) fn check_session(seconds: i64) -> Result<(), ServiceError> {
    if (3600..=43_200).contains(&seconds) {
        return Ok(());
    }
    Err(invalid("1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200".to_owned()))
}
