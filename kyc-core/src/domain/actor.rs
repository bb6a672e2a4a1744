//! Who acts: every use case takes an actor, and every audit event names one.

use std::fmt;

use super::api_key::{ApiKey, KeyName};
use super::fault::Invalid;
use super::ids::ApiKeyId;
use super::permission::{Forbidden, Permission, Role, Sight};
use super::told::Telling;

/// Who asks for something: somebody with an API key, or a part of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    kind: ActorKind,
    request: Option<RequestId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ActorKind {
    Account { key: Option<ApiKeyId>, name: KeyName, subject: KeyName, role: Role },
    Operator(String),
    System(&'static str),
}

impl Actor {
    /// An account of a role, for an application that knows its own users.
    ///
    /// # Errors
    /// `key_name.invalid` where the name is not 1 to 64 of `A-Za-z0-9._@-`.
    pub fn account(name: &str, role: Role) -> Result<Self, Invalid> {
        let name = KeyName::parse(name)?;
        let kind = ActorKind::Account { key: None, subject: name.clone(), name, role };
        Ok(Self { kind, request: None })
    }

    /// An administrator.
    ///
    /// # Errors
    /// As [`Actor::account`].
    pub fn admin(name: &str) -> Result<Self, Invalid> {
        Self::account(name, Role::Admin)
    }

    /// Whoever holds an API key.
    #[must_use]
    pub fn of_key(key: &ApiKey) -> Self {
        let ApiKey { id, name, subject, role, .. } = key;
        let kind =
            ActorKind::Account { key: Some(*id), name: name.clone(), subject: subject.clone(), role: *role };
        Self { kind, request: None }
    }

    /// The operator at the command line of the machine, by the user's id there. Who may write the data folder
    /// may do everything.
    #[must_use]
    pub fn operator(user_id: u32) -> Self {
        Self { kind: ActorKind::Operator(format!("uid-{user_id}")), request: None }
    }

    /// A part of the system that acts by itself, such as `worker`. It may do everything.
    #[must_use]
    pub const fn system(part: &'static str) -> Self {
        Self { kind: ActorKind::System(part), request: None }
    }

    /// The same actor, within a request.
    #[must_use]
    pub fn within(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }

    /// Whether the actor may do something. To be asked before anything is looked up, so that who may not
    /// does not learn what exists (I7).
    ///
    /// # Errors
    /// [`Forbidden`] where not.
    pub const fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        match &self.kind {
            ActorKind::Account { role, .. } if !role.may(permission) => Err(Forbidden),
            ActorKind::Account { .. } | ActorKind::Operator(_) | ActorKind::System(_) => Ok(()),
        }
    }

    /// How much of a person's data the actor sees.
    #[must_use]
    pub const fn sight(&self) -> Sight {
        match &self.kind {
            ActorKind::Account { role, .. } => role.sight(),
            ActorKind::Operator(_) | ActorKind::System(_) => Sight::Full,
        }
    }

    /// How much the actor is told of what was found.
    #[must_use]
    pub const fn telling(&self) -> Telling {
        match &self.kind {
            ActorKind::Account { role, .. } => role.telling(),
            ActorKind::Operator(_) | ActorKind::System(_) => Telling::Everything,
        }
    }

    /// The name of the key or account, or of the part.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.kind {
            ActorKind::Account { name, .. } => name.as_str(),
            ActorKind::Operator(user) => user,
            ActorKind::System(part) => part,
        }
    }

    /// The person or system behind the key. Where two have to agree, subjects count and not keys.
    #[must_use]
    pub fn subject(&self) -> &str {
        match &self.kind {
            ActorKind::Account { subject, .. } => subject.as_str(),
            ActorKind::Operator(user) => user,
            ActorKind::System(part) => part,
        }
    }

    /// Who it is, for what belongs to one API key alone: the key's id; the name of an account without a key.
    #[must_use]
    pub fn holder(&self) -> String {
        match &self.kind {
            ActorKind::Account { key: Some(key), .. } => format!("key:{key}"),
            ActorKind::Account { key: None, name, .. } => format!("account:{}", name.as_str()),
            ActorKind::Operator(user) => format!("operator:{user}"),
            ActorKind::System(part) => format!("system:{part}"),
        }
    }

    /// The role in one word; `operator` at the command line, `system` for a part of the system.
    #[must_use]
    pub const fn role(&self) -> &'static str {
        match &self.kind {
            ActorKind::Account { role, .. } => role.as_str(),
            ActorKind::Operator(_) => "operator",
            ActorKind::System(_) => "system",
        }
    }

    /// The request within which it acts.
    #[must_use]
    pub const fn request(&self) -> Option<&RequestId> {
        self.request.as_ref()
    }
}

/// As audit events name it: `role:subject`, and `#` with the key's id where there is one.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role(), self.subject())?;
        match &self.kind {
            ActorKind::Account { key: Some(key), .. } => write!(f, "#{key}"),
            ActorKind::Account { key: None, .. } | ActorKind::Operator(_) | ActorKind::System(_) => Ok(()),
        }
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
