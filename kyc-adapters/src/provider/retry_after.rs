//! How long an answer asks us to wait: the header `Retry-After` (RFC 9110, section 10.2.3), seconds or a date; or the
//! seconds of `RateLimit-Reset`, which some vendors send in its place.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use ureq::http::HeaderMap;
use ureq::http::header::RETRY_AFTER;

/// The longest delay that a provider may ask for; a rate limit uses up no try, so it must not last for ever.
const MAX: Duration = Duration::from_hours(1);

/// The delay that the headers ask for, at most an hour; none where they name none that can be read.
pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let read = |name: &str| parse(headers.get(name)?.to_str().ok()?.trim(), now);
    read(RETRY_AFTER.as_str()).or_else(|| read("ratelimit-reset"))
}

fn parse(text: &str, now: Timestamp) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // A number beyond 64 bits is a long delay too.
        return Some(text.parse().map_or(MAX, Duration::from_secs).min(MAX));
    }
    // The one form of HTTP-date that may be sent, IMF-fixdate, is also a date of RFC 2822.
    let until = DateTimeParser::new().parse_timestamp(text).ok()?;
    let delay = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
    Some(delay.min(MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_window_is_the_delay_where_no_other_is_named() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(read(&headers, now), None);
        headers.insert("RateLimit-Reset", "42".parse().unwrap());
        assert_eq!(read(&headers, now), Some(Duration::from_secs(42)));
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        assert_eq!(read(&headers, now), Some(Duration::from_secs(7)));
    }

    #[test]
    fn both_forms_are_read_and_bounded() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("3601", Some(3600)),
            ("99999999999999999999999", Some(3600)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("Tue, 08 Nov 1994 08:49:37 GMT", Some(3600)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
