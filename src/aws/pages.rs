//! Follows an answer's pages to their end. A truncated list would make a resource count as absent,
//! so a list that does not end is an error.

use std::future::Future;

use super::Error;
use crate::planted::{Bug, planted};

/// More pages than any account has resources of one kind; a list that is longer repeats itself.
const MOST_PAGES: usize = 10_000;

/// All items of a list whose pages are read one after the other, each by its token.
pub(super) async fn all<T, F>(
    operation: &str,
    mut page: impl FnMut(Option<String>) -> F + Send,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), Error>> + Send,
    T: Send,
{
    let mut items = Vec::new();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let (more, next) = page(token.clone()).await?;
        items.extend(more);
        match next.filter(|next| !next.is_empty()) {
            None => return Ok(items),
            Some(_) if planted(Bug::FirstPageOnly) => return Ok(items),
            Some(next) if token.as_ref() == Some(&next) => break,
            Some(next) => token = Some(next),
        }
    }
    Err(Error::unreadable(format!(
        "The pages of {operation} do not end."
    )))
}
