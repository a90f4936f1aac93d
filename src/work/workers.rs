//! Threads for work that takes seconds, and that stops when nobody waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use datafusion::common::{DataFusionError, Result, exec_datafusion_err};

/// Runs a function's `work` on a thread where it may block, as long as the future is
/// there.
///
/// Dropping the future asks the work to stop, and does not wait for it.
pub(crate) async fn while_awaited<T: Send + 'static>(
    function: &'static str,
    threads: usize,
    work: impl FnOnce(&Workers) -> Result<T> + Send + 'static,
) -> Result<T> {
    let stopped = Arc::new(AtomicBool::new(false));
    let _stop = StopOnDrop(Arc::clone(&stopped));
    let workers = Workers {
        function,
        threads,
        stopped,
    };
    let done = tokio::task::spawn_blocking(move || work(&workers)).await;
    done.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The threads that share a piece of work.
#[derive(Debug)]
pub(crate) struct Workers {
    function: &'static str,
    threads: usize,
    stopped: Arc<AtomicBool>,
}

impl Workers {
    /// Calls `work` with each number below `count`, in no order, and a state that
    /// each thread makes for itself; returns the states, in no order.
    ///
    /// # Errors
    ///
    /// Returns an error when the work was asked to stop, or when a number's work
    /// failed; numbers that no thread had taken by then are left.
    pub(crate) fn each<S: Send>(
        &self,
        count: usize,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize) -> Result<()> + Sync,
    ) -> Result<Vec<S>> {
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let run = || {
            let mut state = state();
            loop {
                if failed.load(Ordering::Relaxed) {
                    return Ok(state);
                }
                self.go_on()?;
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(state);
                }
                work(&mut state, number).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            }
        };
        let threads = self.threads.clamp(1, count.max(1));
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
            let mut states = vec![run()];
            for other in others {
                states.push(match other.join() {
                    Ok(state) => state,
                    Err(panic) => std::panic::resume_unwind(panic),
                });
            }
            states.into_iter().collect()
        })
    }

    /// Returns how many threads there are at most.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Returns an error when nobody waits any more.
    pub(crate) fn go_on(&self) -> Result<()> {
        match self.stopped.load(Ordering::Relaxed) {
            true => Err(exec_datafusion_err!("{} was stopped", self.function)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
impl Workers {
    /// Threads that nobody stops.
    pub(crate) fn new(threads: usize) -> Workers {
        Workers {
            function: "a test",
            threads,
            stopped: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use datafusion::common::exec_err;

    use super::*;

    #[test]
    fn each_number_is_worked_on_once() {
        for threads in [1, 2, 5] {
            let collect = |numbers: &mut Vec<usize>, number| {
                numbers.push(number);
                Ok(())
            };
            let states = Workers::new(threads).each(100, Vec::new, collect).unwrap();
            let mut numbers = states.concat();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_failure_ends_the_work_of_all() {
        let fail = |_: &mut (), number| match number {
            7 => exec_err!("the seventh"),
            _ => Ok(()),
        };
        let error = Workers::new(2).each(usize::MAX, || (), fail).unwrap_err();
        assert!(error.to_string().contains("the seventh"));
    }

    #[tokio::test]
    async fn a_future_that_is_dropped_stops_its_threads() {
        let (started, has_started) = mpsc::channel();
        let (ended, has_ended) = mpsc::channel();
        let future = while_awaited("a test", 2, move |workers| {
            let begin = |_: &mut (), number| {
                if number == 0 {
                    started.send(()).unwrap();
                }
                Ok(())
            };
            let result = workers.each(usize::MAX, || (), begin);
            ended.send(result.map(|_| ())).unwrap();
            Ok(())
        });
        tokio::select! {
            _ = future => unreachable!("the work has no end of its own"),
            _ = tokio::task::spawn_blocking(move || has_started.recv().unwrap()) => {}
        }
        assert!(has_ended.recv().unwrap().is_err());
    }
}
