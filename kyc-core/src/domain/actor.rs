//! Who acts: every use case takes an actor, and every audit event names one.

use std::fmt;

use super::fault::Invalid;

/// Who asks for something. Permission by role comes with API keys; until then an actor is the operator's
/// admin or the system itself, and both may do everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    kind: ActorKind,
    name: String,
    request: Option<RequestId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ActorKind {
    Admin,
    System,
}

impl Actor {
    /// An administrator, by the name of the key or account behind it.
    ///
    /// # Errors
    /// `actor.invalid` where the name is not 1 to 64 of `A-Za-z0-9._@-`.
    pub fn admin(name: &str) -> Result<Self, Invalid> {
        let well_formed = (1..=64).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-'));
        if well_formed {
            Ok(Self { kind: ActorKind::Admin, name: name.to_owned(), request: None })
        } else {
            Err(Invalid::new("actor.invalid", "1 to 64 of A-Z a-z 0-9 . _ @ - are expected"))
        }
    }

    /// A part of the system that acts by itself, such as `worker`.
    #[must_use]
    pub fn system(part: &'static str) -> Self {
        Self { kind: ActorKind::System, name: part.to_owned(), request: None }
    }

    /// The same actor, within a request.
    #[must_use]
    pub fn within(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }

    /// The name of the key, account or part.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role in one word.
    #[must_use]
    pub const fn role(&self) -> &'static str {
        match self.kind {
            ActorKind::Admin => "admin",
            ActorKind::System => "system",
        }
    }

    /// The request within which it acts.
    #[must_use]
    pub const fn request(&self) -> Option<&RequestId> {
        self.request.as_ref()
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role(), self.name)
    }
}

/// The id of a request: 1 to 64 of `A-Za-z0-9._-`, since a client may choose it and it stands in logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// Reads an id.
    ///
    /// # Errors
    /// `request_id.invalid` where the form is another.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let well_formed = (1..=64).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("request_id.invalid", "1 to 64 of A-Z a-z 0-9 . _ - are expected"))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
