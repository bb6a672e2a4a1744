//! The writer: a thread that owns the only writing connection, and the bounded queue before it.

mod batch;
mod erasures;
mod log;
mod scrub;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use kyc_core::ports::store::{Changeset, Claim, Claimed, CommitError, StoreError, Upload};
use tokio::sync::oneshot;

pub(super) use self::batch::Batches;
use self::batch::Unknown;
use self::erasures::Erasures;
use self::log::Log;
use super::{OnFatal, SqliteConfig};

/// How many jobs are waited for at most: past it the sync is a small part of the work.
const ENOUGH: usize = 64;

/// What waits for the writer, each with where its answer goes.
pub(super) enum Job {
    /// Apply a changeset.
    Commit(Box<Changeset>, Reply<(), CommitError>),
    /// Keep chunks of a file.
    Stage(Box<Upload>, Reply<(), CommitError>),
    /// Lease what is due.
    Claim(Claim, Reply<Vec<Claimed>, StoreError>),
    /// Say whether writing works.
    Probe(Reply<(), StoreError>),
}

impl Job {
    /// Gives the answer.
    fn give(self) {
        match self {
            Self::Commit(_, reply) | Self::Stage(_, reply) => reply.give(),
            Self::Claim(_, reply) => reply.give(),
            Self::Probe(reply) => reply.give(),
        }
    }

    /// Says in place of the answer that nothing was written.
    fn refuse(self, error: StoreError) {
        match self {
            Self::Commit(_, reply) | Self::Stage(_, reply) => reply.refuse(error),
            Self::Claim(_, reply) => reply.refuse(error),
            Self::Probe(reply) => reply.refuse(error),
        }
    }
}

/// Where the answer to a job goes. It is held here until COMMIT.
pub(super) struct Reply<T, E> {
    caller: oneshot::Sender<Result<T, E>>,
    answer: Option<Result<T, E>>,
}

impl<T, E: From<StoreError>> Reply<T, E> {
    const fn to(caller: oneshot::Sender<Result<T, E>>) -> Self {
        Self { caller, answer: None }
    }

    // A caller who has gone away does not hear it; one whose job was not reached is told that nothing was
    // written, by the sender's end.
    fn give(self) {
        if let Some(answer) = self.answer {
            drop(self.caller.send(answer));
        }
    }

    fn refuse(self, error: StoreError) {
        drop(self.caller.send(Err(error.into())));
    }
}

/// Jobs that can't be answered, since nobody knows what came of them. They are held so that their callers
/// wait: a dropped one would say that nothing was written.
type Unanswered = Arc<Mutex<Vec<Job>>>;

/// The way to the writer.
pub(super) struct Handle {
    jobs: RwLock<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pending_erasures: Arc<AtomicU64>,
    _unanswered: Unanswered,
}

impl Handle {
    /// Starts the thread.
    pub(super) fn start(batches: Batches, config: SqliteConfig) -> io::Result<Self> {
        let (sender, jobs) = sync_channel(config.queue.max(1));
        let unanswered = Unanswered::default();
        let erasures = Erasures::of(&batches).map_err(|_| io::Error::other("a read failed"))?;
        let pending_erasures = erasures.pending();
        let writer = Writer {
            log: Log::default(),
            erasures,
            batches,
            batch: config.batch.max(1),
            fatal: Fatal(config.on_fatal),
            unanswered: Arc::clone(&unanswered),
        };
        let thread = thread::Builder::new().name("kyc-writer".into()).spawn(move || writer.run(&jobs))?;
        Ok(Self {
            jobs: RwLock::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            pending_erasures,
            _unanswered: unanswered,
        })
    }

    /// How many people were erased of whom the files may still hold something.
    pub(super) fn pending_erasures(&self) -> u64 {
        self.pending_erasures.load(Ordering::Relaxed)
    }

    /// Queues a job and waits for its answer.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] at once where the queue is full; [`StoreError::Unavailable`] where the
    /// writer has stopped, or has undone the job.
    pub(super) async fn ask<T, E: From<StoreError>>(
        &self,
        job: impl FnOnce(Reply<T, E>) -> Job,
    ) -> Result<Result<T, E>, StoreError> {
        let (caller, answer) = oneshot::channel();
        self.send(job(Reply::to(caller)))?;
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
    erasures: Erasures,
    batch: usize,
    fatal: Fatal,
    unanswered: Unanswered,
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut waiting = Vec::with_capacity(self.batch);
        loop {
            match jobs.recv_timeout(self.erasures.patience()) {
                Ok(job) => {
                    waiting.push(job);
                    self.gather(jobs, &mut waiting);
                    let ran = self.batches.run(&mut waiting);
                    if self.batches.take_erased() > 0 {
                        self.erasures.begin(&self.batches.connection);
                    }
                    match ran {
                        Ok(true) => self.log.written(&self.batches.connection),
                        Ok(false) => self.log.idle(&self.batches.connection),
                        Err(unknown) => return self.fail(unknown),
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.log.idle(&self.batches.connection),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let Err(unknown) = self.erasures.go_on(&mut self.batches) {
                return self.fail(unknown);
            }
        }
        if let Err(unknown) = self.erasures.close(&mut self.batches) {
            self.fail(unknown);
        }
    }

    /// Takes what else waits. Where processors are short, those go first who may bring more that shares the
    /// sync; where they are not, that takes no time.
    fn gather(&self, jobs: &Receiver<Job>, waiting: &mut Vec<Job>) {
        loop {
            thread::yield_now();
            let before = waiting.len();
            waiting.extend(jobs.try_iter().take(self.batch - before));
            if waiting.len() == before || waiting.len() >= ENOUGH.min(self.batch) {
                return;
            }
        }
    }

    fn fail(self, unknown: Unknown) {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).extend(unknown.jobs);
        self.fatal.stop(unknown.words);
        // Closing it would write back log frames of which nobody knows whether they are on the disk.
        std::mem::forget(self.batches.connection);
    }
}

#[cfg(test)]
mod tests;
