//! Requests and answers on the wire (RFC 9112), as far as a fake needs them.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::net::TcpStream;

use serde_json::Value;

/// The largest body that is read: a document of 10 MiB and its multipart frame.
const MAX_BODY: usize = 12 * 1024 * 1024;

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// Names and values of headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The path without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of a parameter of the query, as it came; none where it is absent.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value)
    }

    /// The value of a header, whatever the case of its name; empty where it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// An answer to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Names and values of headers but for `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer of JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json; charset=utf-8", body.to_string())
    }

    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// An answer of any kind.
    #[must_use]
    pub fn of(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }.header("Content-Type", content_type)
    }

    /// A page as a proxy in between sends it.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::of(status, "text/html", "<!doctype html><title>Sign in</title><p>Sign in to the network.</p>")
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} X\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if self.status != 204 {
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// The next request of a connection; none where it has ended.
pub(super) fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let line = line(reader)?;
    if line.is_empty() {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(malformed()) };
    let headers = fields(reader)?;
    let mut request = Request { method, target, headers, body: Vec::new() };
    if request.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        request.body = chunks(reader)?;
    } else if !request.header("content-length").is_empty() {
        let length: usize = request.header("content-length").parse().map_err(|_| malformed())?;
        read_onto(reader, length, &mut request.body)?;
    }
    Ok(Some(request))
}

/// Sends an answer.
pub(super) fn write(mut stream: &TcpStream, reply: &Reply) -> io::Result<()> {
    stream.write_all(&reply.bytes())
}

/// Sends the head of an answer, and half of the body that it announces.
pub(super) fn write_half(mut stream: &TcpStream, reply: &Reply) -> io::Result<()> {
    // An answer without a body is cut in its head.
    let bytes = reply.bytes();
    let cut =
        if reply.body.is_empty() { bytes.len() / 2 } else { bytes.len() - reply.body.len().div_ceil(2) };
    stream.write_all(&bytes[..cut])
}

/// Sends the head of an answer of JSON, and a body for as long as anybody reads it.
pub(super) fn write_without_end(mut stream: &TcpStream) -> io::Result<()> {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head)?;
    let chunk = [b"1000\r\n", &[b' '; 0x1000][..], b"\r\n"].concat();
    loop {
        stream.write_all(&chunk)?;
    }
}

/// A line without its end; empty at the end of the connection too.
fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    line.truncate(line.trim_end().len());
    Ok(line)
}

fn fields(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Ok(all);
        }
        let (name, value) = line.split_once(':').ok_or_else(malformed)?;
        all.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&line(reader)?, 16).map_err(|_| malformed())?;
        if length == 0 {
            fields(reader)?;
            return Ok(body);
        }
        read_onto(reader, length, &mut body)?;
        line(reader)?;
    }
}

fn read_onto(reader: &mut impl BufRead, length: usize, body: &mut Vec<u8>) -> io::Result<()> {
    if body.len() + length > MAX_BODY {
        return Err(malformed());
    }
    let start = body.len();
    body.resize(start + length, 0);
    reader.read_exact(&mut body[start..])
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_both_kinds_are_read_one_request_after_another() {
        let bytes = b"POST /a?b=c&d=e HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}\
            PUT /f HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        let mut reader = &bytes[..];
        let first = read(&mut reader).unwrap().unwrap();
        assert_eq!((first.path(), first.query("d"), first.query("f")), ("/a", Some("e"), None));
        assert_eq!(first.json(), serde_json::json!({}));
        let second = read(&mut reader).unwrap().unwrap();
        assert_eq!((second.method.as_str(), second.body.as_slice()), ("PUT", &b"abc"[..]));
        assert_eq!(read(&mut reader).unwrap(), None);
    }
}
