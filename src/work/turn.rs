//! Functions that are awaited, since they work on all threads for seconds.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    common::{DataFusionError, Result},
    execution::memory_pool::MemoryPool,
};
use tokio::sync::Semaphore;

use super::workers::{Workers, while_awaited};

/// What a session gives to such a function: one call at a time has all its threads, and
/// its memory.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pool: Arc<dyn MemoryPool>,
    threads: usize,
    calls: Arc<Semaphore>,
}

impl Turn {
    pub(crate) fn new(pool: Arc<dyn MemoryPool>, threads: usize) -> Self {
        Turn {
            pool,
            threads,
            calls: Arc::new(Semaphore::new(1)),
        }
    }

    /// Does `work` once it is its turn, on a thread where it may block; dropping the
    /// future stops it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        function: &'static str,
        work: impl FnOnce(&Workers, &Arc<dyn MemoryPool>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let call = Arc::clone(&self.calls).acquire_owned().await;
        let call = call.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let pool = Arc::clone(&self.pool);
        while_awaited(function, self.threads, move |workers| {
            let _call = call;
            work(workers, &pool)
        })
        .await
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.calls, &other.calls)
    }
}

impl Eq for Turn {}

impl Hash for Turn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.calls).hash(state);
    }
}
