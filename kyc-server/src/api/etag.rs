//! The version of a customer as an entity tag, and the versions that an If-Match names (RFC 9110, sections
//! 8.8.3 and 13.1.1).

use super::problem::{Problem, ProblemKind};

/// The tag of a version.
pub(super) fn of(version: u32) -> String {
    format!("\"{version}\"")
}

/// The versions that an If-Match names; none for `*`. A tag that is weak, or none of ours, matches nothing.
///
/// # Errors
/// A 400 where it is no list of entity tags.
pub(super) fn versions(if_match: &str) -> Result<Option<Vec<u32>>, Problem> {
    if if_match.trim() == "*" {
        return Ok(None);
    }
    let tags = if_match.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    let read = |tag: &str| {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        let quoted = opaque.strip_prefix('"')?.strip_suffix('"').filter(|tag| !tag.contains('"'))?;
        let ours = quoted.parse().ok().filter(|version| of(*version) == tag);
        Some(ours)
    };
    let read: Option<Vec<_>> = tags.map(read).collect();
    match read {
        Some(tags) if !tags.is_empty() => Ok(Some(tags.into_iter().flatten().collect())),
        Some(_) | None => {
            Err(Problem::new(ProblemKind::BadRequest).detail("If-Match: an ETag such as \"1\" is expected"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_if_match_names_versions() {
        for (text, expected) in [
            ("*", None),
            ("\"3\"", Some(vec![3])),
            (" \"3\" , \"4\"", Some(vec![3, 4])),
            ("W/\"3\"", Some(vec![])),
            ("\"abc\"", Some(vec![])),
            ("\"03\"", Some(vec![])),
        ] {
            assert_eq!(versions(text).unwrap(), expected, "{text}");
        }
        for bad in ["", ",", "3", "\"3", "3\"", "\"3\" \"4\""] {
            assert_eq!(versions(bad).unwrap_err().kind(), ProblemKind::BadRequest, "{bad}");
        }
    }
}
