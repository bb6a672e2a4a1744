//! A stream that fails when its other end takes nothing for too long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The bytes that count as progress: two thousand a second within half a minute. Fewer would let a client that
/// takes a byte now and then keep its connection for hours.
const PROGRESS: usize = 64 * 1024;

/// A stream whose writes fail after a time without progress, so that a client that asks and reads nothing, or
/// next to nothing, does not keep its connection for ever.
pub(super) struct WriteStall<S> {
    stream: S,
    limit: Duration,
    // Since a write had to wait, until enough was taken or all is out.
    waiting: Option<Pin<Box<Sleep>>>,
    taken: usize,
}

impl<S: AsyncWrite + Unpin> WriteStall<S> {
    pub(super) const fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, waiting: None, taken: 0 }
    }

    /// Polls a write, which has taken as many bytes as `progress` says.
    fn bounded<T: Copy>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
        progress: impl FnOnce(T) -> usize,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(written) = write(Pin::new(&mut self.stream), context) {
            let taken = written.as_ref().map_or(0, |written| progress(*written));
            self.taken = self.taken.saturating_add(taken);
            if self.taken >= PROGRESS {
                self.waiting = None;
            }
            return Poll::Ready(written);
        }
        if self.waiting.is_none() {
            self.taken = 0;
        }
        let limit = self.limit;
        ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// All that was written is out.
const fn everything((): ()) -> usize {
    usize::MAX
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteStall<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteStall<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.bounded(context, |stream, context| stream.poll_write(context, bytes), |length| length)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.bounded(context, |stream, context| stream.poll_write_vectored(context, slices), |length| length)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bounded(context, AsyncWrite::poll_flush, everything)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bounded(context, AsyncWrite::poll_shutdown, everything)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (_client, server) = duplex(4);
        let mut stream = WriteStall::new(server, Duration::from_millis(1));
        let written = stream.write_all(b"more than it holds").await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_byte_now_and_then_is_no_progress_and_many_are() {
        let (mut client, server) = duplex(PROGRESS);
        let mut stream = WriteStall::new(server, Duration::from_mins(1));
        // Writes until it has to wait, and tells until when.
        let mut fill = || {
            let mut context = Context::from_waker(std::task::Waker::noop());
            while let Poll::Ready(written) = Pin::new(&mut stream).poll_write(&mut context, &[7; 1024]) {
                written.unwrap();
            }
            stream.waiting.as_ref().unwrap().deadline()
        };
        let begun = fill();
        for _ in 0..100 {
            client.read_u8().await.unwrap();
            assert_eq!(fill(), begun);
        }
        client.read_exact(&mut vec![0; PROGRESS - 200]).await.unwrap();
        assert_eq!(fill(), begun);
        client.read_exact(&mut [0; 200]).await.unwrap();
        assert!(fill() > begun);
    }

    #[tokio::test]
    async fn a_client_that_reads_gets_everything() {
        let (mut client, server) = duplex(4);
        let mut stream = WriteStall::new(server, Duration::from_mins(1));
        let mut text = String::new();
        let (written, read) = tokio::join!(
            async move {
                stream.write_all(b"more than it holds").await?;
                stream.shutdown().await
            },
            client.read_to_string(&mut text)
        );
        written.unwrap();
        read.unwrap();
        assert_eq!(text, "more than it holds");
    }
}
