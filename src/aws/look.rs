//! One look at AWS: each batched read happens at most once in it, single-flight, and is shared by
//! all kinds. A failed read is remembered too, so that every kind reports the same failure.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::Error;

type Shared = Result<Arc<dyn Any + Send + Sync>, Error>;

/// What was read since `taken`, by key.
pub struct Look {
    taken: Duration,
    reads: Mutex<BTreeMap<String, Arc<OnceCell<Shared>>>>,
}

impl Look {
    pub(super) fn new(taken: Duration) -> Self {
        Self {
            taken,
            reads: Mutex::default(),
        }
    }

    /// When it was begun: time since the Unix epoch. Nothing in it is older.
    #[must_use]
    pub fn taken(&self) -> Duration {
        self.taken
    }

    /// What `read` gives, read at most once in this look under this key. A key stands for one type:
    /// another one is a bug and is reported as an unreadable answer.
    pub async fn once<T, F>(
        &self,
        key: impl Into<String>,
        read: impl FnOnce() -> F + Send,
    ) -> Result<Arc<T>, Error>
    where
        T: Any + Send + Sync,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let key = key.into();
        let cell = self
            .reads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key.clone())
            .or_default()
            .clone();
        let shared = cell
            .get_or_init(|| async {
                let value = read().await?;
                Ok(Arc::new(value) as Arc<dyn Any + Send + Sync>)
            })
            .await
            .clone()?;
        shared
            .downcast::<T>()
            .map_err(|_| Error::unreadable(format!("the read {key} in this look")))
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Look")
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
