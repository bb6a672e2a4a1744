//! A file on its way in: `multipart/form-data` (RFC 7578), read part by part from the request.
//!
//! Nothing of it touches a disk: the file goes into one buffer, made as large as it may become, so that it is never
//! copied to grow. Between the connection and that buffer there are some kilobytes: [`Sips`] lets the parser have no
//! more at once, which would else take all that a fast client has sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kyc_core::Secret;
use kyc_core::domain::document_file::{FileFault, MAX_BYTES, Side};
use kyc_core::domain::fault::{Faults, Invalid};
use kyc_core::domain::words::Vocabulary;
use poem::error::ParseMultipartError;
use poem::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use poem::http::{HeaderMap, HeaderValue};
use poem::web::{Field, Multipart};
use poem::{Body, FromRequest, Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use ring::digest::{SHA256, digest};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use zeroize::Zeroizing;

use crate::api::body::is_plain_name;
use crate::api::problem::{Problem, ProblemKind};
use crate::api::query;

const MEDIA_TYPE: &str = "multipart/form-data";
/// What a body may have besides the file: boundaries, heads of parts, the side.
const AROUND: usize = 16 * 1024;
/// The longest text of a side that is looked at.
const LONGEST_SIDE: usize = 64;
/// How much is read at a time.
const CHUNK: usize = 4 * 1024;
/// How long a client may send nothing of a file.
const STALL: Duration = Duration::from_secs(10);

const SIDE_REQUIRED: Invalid =
    Invalid::new("field.required", "front, back, selfie or proof_of_address is expected");

/// A body that was not read yet: that is done once it is known who asks.
pub(super) struct Upload {
    headers: HeaderMap,
    body: Body,
    faults: Faults,
}

/// What was read of it.
pub(super) struct Parts {
    /// What the file shows.
    pub(super) side: Option<Side>,
    /// The file.
    pub(super) file: Option<Secret<Vec<u8>>>,
    /// What is wrong so far.
    pub(super) faults: Faults,
}

impl Parts {
    /// What stands for the body where a request may come again.
    pub(super) fn identity(&self) -> Vec<u8> {
        let side = self.side.map_or("", Side::as_str);
        let file = self.file.as_ref().map(|bytes| digest(&SHA256, bytes.expose()));
        [side.as_bytes(), b"\n", file.as_ref().map_or(&[][..], AsRef::as_ref)].concat()
    }
}

impl Upload {
    /// Reads the whole body.
    ///
    /// # Errors
    /// A 415 where it is of another media type, a 413 where it is too large, a 408 where the client stalls, a 400 where
    /// it is not well formed.
    pub(super) async fn read(self) -> Result<Parts, Problem> {
        let Self { headers, body, mut faults } = self;
        let limit = MAX_BYTES + AROUND;
        let announced: Option<usize> = header(&headers, CONTENT_LENGTH).and_then(|text| text.parse().ok());
        check_media_type(&headers)?;
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let sips =
            Sips { inner: body.into_async_read(), left: limit, is_over: Arc::clone(&is_over), rests: false };
        let malformed = |_: ParseMultipartError| malformed(&is_over);
        let mut parts = open(headers, Body::from_async_read(sips)).await?;
        let (mut side, mut file) = (None, None);
        while let Some(part) = parts.next_field().await.map_err(malformed)? {
            match part.name() {
                Some("side") if side.is_some() => repeated("/side", &mut faults),
                Some("file") if file.is_some() => repeated("/file", &mut faults),
                Some("side") => {
                    let text = read_part(part, LONGEST_SIDE, LONGEST_SIDE, &is_over).await?;
                    let text = text.as_deref().map(|bytes| str::from_utf8(bytes).unwrap_or_default());
                    side = Some(Side::parse(text.unwrap_or_default()));
                }
                Some("file") => {
                    // No larger than announced, and never to grow.
                    let room = announced.unwrap_or(MAX_BYTES).min(MAX_BYTES);
                    let mut bytes =
                        read_part(part, MAX_BYTES, room, &is_over).await?.ok_or_else(too_large)?;
                    file = Some(Secret::new(std::mem::take(&mut *bytes)));
                }
                name => {
                    let name = name.filter(|name| is_plain_name(name)).unwrap_or_default();
                    faults.add(format!("/{name}"), "field.unknown", "there is no such part; leave it out");
                }
            }
        }
        let side = faults.take("/side", side.unwrap_or(Err(SIDE_REQUIRED)));
        let file = match file {
            Some(file) if file.expose().is_empty() => Err(FileFault::Empty.invalid()),
            Some(file) => Ok(file),
            None => Err(Invalid::new("field.required", "a file is expected")),
        };
        let file = faults.take("/file", file);
        Ok(Parts { side, file, faults })
    }
}

/// The parts of a body, none of which was read.
async fn open(headers: HeaderMap, body: Body) -> Result<Multipart, Problem> {
    let mut request = Request::builder().finish();
    *request.headers_mut() = headers;
    let multipart = <Multipart as FromRequest>::from_request(&request, &mut RequestBody::new(body)).await;
    multipart
        .map_err(|_| Problem::new(ProblemKind::BadRequest).detail("a boundary is expected in Content-Type"))
}

fn header(headers: &HeaderMap, name: poem::http::header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type =
        header(headers, CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
    let encoding = header(headers, CONTENT_ENCODING).unwrap_or("identity");
    if media_type.trim().eq_ignore_ascii_case(MEDIA_TYPE) && encoding.eq_ignore_ascii_case("identity") {
        Ok(())
    } else {
        Err(Problem::new(ProblemKind::UnsupportedMediaType).detail("multipart/form-data is expected"))
    }
}

/// A part up to `most` bytes, in a buffer that has `room` from the beginning; none where it is longer.
async fn read_part(
    part: Field,
    most: usize,
    room: usize,
    is_over: &AtomicBool,
) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let mut chunk = Zeroizing::new([0; CHUNK]);
    let mut reader = std::pin::pin!(part.into_async_read());
    loop {
        let read = tokio::time::timeout(STALL, reader.read(&mut *chunk)).await;
        let read = read.map_err(|_| Problem::new(ProblemKind::Timeout))?.map_err(|_| malformed(is_over))?;
        if read == 0 {
            return Ok(Some(bytes));
        }
        if bytes.len() + read > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
}

fn too_large() -> Problem {
    Problem::new(ProblemKind::TooLarge).detail("the file is larger than 10 MiB")
}

fn malformed(is_over: &AtomicBool) -> Problem {
    if is_over.load(Ordering::Relaxed) {
        too_large()
    } else {
        Problem::new(ProblemKind::BadRequest).detail("the body is not multipart/form-data to its end")
    }
}

fn repeated(pointer: &str, faults: &mut Faults) {
    faults.add(pointer, "field.repeated", "this part is expected once");
}

/// A reader that gives a little, lets others have their turn, and ends in an error past its limit.
struct Sips<R> {
    inner: R,
    left: usize,
    is_over: Arc<AtomicBool>,
    rests: bool,
}

impl<R: AsyncRead + Unpin> AsyncRead for Sips<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        self.rests = read > 0;
        if read > self.left {
            self.is_over.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::Error::other("too large")));
        }
        self.left -= read;
        Poll::Ready(Ok(()))
    }
}

impl<'a> ApiExtractor<'a> for Upload {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(_registry: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        let mut side = MetaSchema::new("string");
        side.description = Some("What the file shows.");
        side.enum_items = Side::WORDS.iter().map(|side| side.word().into()).collect();
        side.example = Some(Side::Front.word().into());
        let mut file = MetaSchema::new_with_format("string", "binary");
        file.description =
            Some("A JPEG, PNG, WebP or PDF file of at most 10 MiB. Its name is not looked at.");
        let mut schema = MetaSchema::new("object");
        let inline = |schema| MetaSchemaRef::Inline(Box::new(schema));
        schema.properties = vec![("side", inline(side)), ("file", inline(file))];
        schema.required = vec!["side", "file"];
        let content = vec![MetaMediaType { content_type: MEDIA_TYPE, schema: inline(schema) }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let mut faults = Faults::new();
        query::refuse_unknown(request, &[], &mut faults);
        Ok(Self { headers: request.headers().clone(), body: body.take()?, faults })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Result<Parts, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=x"));
        let upload = Upload { headers, body: Body::from_string(text.to_owned()), faults: Faults::new() };
        upload.read().await
    }

    fn part(name: &str, value: &str) -> String {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    }

    #[tokio::test]
    async fn parts_are_read_in_any_order_and_stand_for_the_request() {
        let both = [part("side", "back"), part("file", "bytes")];
        let one = read(&format!("{}{}--x--\r\n", both[0], both[1])).await.unwrap();
        let other = read(&format!("{}{}--x--\r\n", both[1], both[0])).await.unwrap();
        assert_eq!(
            (one.side, one.file.as_ref().unwrap().expose().as_slice()),
            (Some(Side::Back), &b"bytes"[..])
        );
        assert_eq!(one.identity(), other.identity());
        let changed = read(&format!("{}{}--x--\r\n", part("side", "front"), both[1])).await.unwrap();
        assert_ne!(one.identity(), changed.identity());
        let changed = read(&format!("{}{}--x--\r\n", both[0], part("file", "bytez"))).await.unwrap();
        assert_ne!(one.identity(), changed.identity());
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_malformed() {
        let whole = format!("{}{}--x--\r\n", part("side", "back"), part("file", "bytes"));
        for length in 0..whole.len() - 6 {
            let refused = read(&whole[..length]).await.err().unwrap_or_else(|| panic!("{length}"));
            assert_eq!(refused.kind(), ProblemKind::BadRequest, "{length}");
        }
    }

    #[tokio::test]
    async fn the_buffer_of_a_file_never_grows() {
        let large = part("file", &"y".repeat(MAX_BYTES));
        let parts = read(&format!("{large}--x--\r\n")).await.unwrap();
        let file = parts.file.unwrap();
        assert_eq!((file.expose().len(), file.expose().capacity()), (MAX_BYTES, MAX_BYTES));
        let large = part("file", &"y".repeat(MAX_BYTES + 1));
        let refused = read(&format!("{large}--x--\r\n")).await.err().unwrap();
        assert_eq!(refused.kind(), ProblemKind::TooLarge);
        let other = part("other", &"y".repeat(MAX_BYTES + AROUND));
        let refused = read(&format!("{other}--x--\r\n")).await.err().unwrap();
        assert_eq!(refused.kind(), ProblemKind::TooLarge);
    }

    #[tokio::test]
    async fn a_reader_lets_others_have_their_turn_between_two_sips() {
        let source = vec![7; 100_000];
        let is_over = Arc::new(AtomicBool::new(false));
        let mut sips = Sips { inner: &*source, left: 1_000_000, is_over, rests: false };
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut room = [0; 1000];
        let mut sip = || {
            let mut buffer = ReadBuf::new(&mut room);
            Pin::new(&mut sips).poll_read(&mut context, &mut buffer).is_ready()
        };
        assert_eq!([sip(), sip(), sip(), sip()], [true, false, true, false]);
    }
}
