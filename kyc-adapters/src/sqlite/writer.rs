//! The writer: a thread that owns the only writing connection, and the bounded queue before it.

mod batch;
mod log;

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use kyc_core::ports::store::{Changeset, Claim, Claimed, CommitError, StoreError};
use tokio::sync::oneshot;

pub(super) use self::batch::Batches;
use self::batch::Unknown;
use self::log::Log;
use super::{OnFatal, SqliteConfig};

/// What waits for the writer, each with where its answer goes.
pub(super) enum Job {
    /// Apply a changeset.
    Commit(Box<Changeset>, oneshot::Sender<Result<(), CommitError>>),
    /// Lease what is due.
    Claim(Claim, oneshot::Sender<Result<Vec<Claimed>, StoreError>>),
    /// Say whether writing works.
    Probe(oneshot::Sender<Result<(), StoreError>>),
}

/// The answer to a job, which is given only after COMMIT.
pub(super) enum Answer {
    Commit(oneshot::Sender<Result<(), CommitError>>, Result<(), CommitError>),
    Claim(oneshot::Sender<Result<Vec<Claimed>, StoreError>>, Result<Vec<Claimed>, StoreError>),
    Probe(oneshot::Sender<Result<(), StoreError>>, Result<(), StoreError>),
}

impl Answer {
    /// Gives the answer. A caller who has gone away does not hear it.
    fn give(self) {
        match self {
            Self::Commit(reply, answer) => drop(reply.send(answer)),
            Self::Claim(reply, answer) => drop(reply.send(answer)),
            Self::Probe(reply, answer) => drop(reply.send(answer)),
        }
    }

    /// Says in place of the answer that nothing was written.
    fn refuse(self, error: StoreError) {
        match self {
            Self::Commit(reply, _) => drop(reply.send(Err(error.into()))),
            Self::Claim(reply, _) => drop(reply.send(Err(error))),
            Self::Probe(reply, _) => drop(reply.send(Err(error))),
        }
    }
}

/// Answers that can't be given, since nobody knows them. They are held so that their callers wait: a
/// dropped one would say that nothing was written.
type Unanswered = Arc<Mutex<Vec<Answer>>>;

/// The way to the writer.
pub(super) struct Handle {
    jobs: RwLock<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    _unanswered: Unanswered,
}

impl Handle {
    /// Starts the thread.
    pub(super) fn start(batches: Batches, config: SqliteConfig) -> io::Result<Self> {
        let (sender, jobs) = sync_channel(config.queue.max(1));
        let unanswered = Unanswered::default();
        let writer = Writer {
            log: Log::default(),
            batches,
            batch: config.batch.max(1),
            fatal: Fatal(config.on_fatal),
            unanswered: Arc::clone(&unanswered),
        };
        let thread = thread::Builder::new().name("kyc-writer".into()).spawn(move || writer.run(&jobs))?;
        Ok(Self {
            jobs: RwLock::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            _unanswered: unanswered,
        })
    }

    /// Queues a job and waits for its answer.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] at once where the queue is full; [`StoreError::Unavailable`] where the
    /// writer has stopped, or has undone the job.
    pub(super) async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(job(reply))?;
        answer.await.map_err(|_| StoreError::Unavailable)
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
        let sender = jobs.as_ref().ok_or(StoreError::Unavailable)?;
        sender.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Disconnected(_) => StoreError::Unavailable,
        })
    }

    /// Has the writer finish what is queued, and waits for it.
    pub(super) async fn close(&self) {
        if let Some(thread) = self.stop() {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            drop(joined);
        }
    }

    /// Closes the queue: the writer ends once it is empty.
    fn stop(&self) -> Option<JoinHandle<()>> {
        self.jobs.write().unwrap_or_else(PoisonError::into_inner).take();
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            drop(thread.join());
        }
    }
}

/// Tells of the end; also where the thread panics, since nobody knows then what was answered.
struct Fatal(OnFatal);

impl Fatal {
    fn stop(&self, words: &str) {
        tracing::error!("{words}");
        (self.0)(words);
    }
}

impl Drop for Fatal {
    fn drop(&mut self) {
        if thread::panicking() {
            self.stop(
                "the writer of the database panicked: stopping, since what it had committed is unknown",
            );
        }
    }
}

struct Writer {
    batches: Batches,
    log: Log,
    batch: usize,
    fatal: Fatal,
    unanswered: Unanswered,
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut waiting = Vec::with_capacity(self.batch);
        loop {
            match jobs.recv_timeout(log::IDLE) {
                Ok(job) => {
                    waiting.push(job);
                    waiting.extend(jobs.try_iter().take(self.batch - 1));
                    match self.batches.run(&mut waiting) {
                        Ok(true) => self.log.written(&self.batches.connection),
                        Ok(false) => self.log.idle(&self.batches.connection),
                        Err(unknown) => return self.fail(unknown),
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.log.idle(&self.batches.connection),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        log::write_back(&self.batches.connection);
    }

    fn fail(self, unknown: Unknown) {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).extend(unknown.answers);
        self.fatal.stop(unknown.words);
        // Closing it would write back log frames of which nobody knows whether they are on the disk.
        std::mem::forget(self.batches.connection);
    }
}

#[cfg(test)]
mod tests;
