//! What is wrong with an input: every fault at once, each with a pointer and a stable code.

use std::fmt;

/// One fault of an input. It says where and what, and never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the request body, or `?name` for a query parameter.
    pub pointer: String,
    /// Stable code that a client can branch on, such as `email.invalid`.
    pub code: &'static str,
    /// One sentence for a person: what is expected.
    pub detail: &'static str,
}

/// The faults of one input, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// No fault yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a fault, unless the same place has one already: the first fault of a field explains the
    /// ones that follow from it.
    pub fn add(&mut self, pointer: impl Into<String>, code: &'static str, detail: &'static str) {
        let pointer = pointer.into();
        if !self.0.iter().any(|fault| fault.pointer == pointer) {
            self.0.push(Fault { pointer, code, detail });
        }
    }

    /// Adds the faults of another reading of the same input.
    pub fn merge(&mut self, other: Self) {
        for fault in other.0 {
            self.add(fault.pointer, fault.code, fault.detail);
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults.
    #[must_use]
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// Keeps the value of a parse, or the fault of it at `pointer`.
    pub fn take<T>(&mut self, pointer: &str, parsed: Result<T, Invalid>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(Invalid { code, detail }) => {
                self.add(pointer, code, detail);
                None
            }
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "; " };
            write!(f, "{gap}{}: {}", fault.pointer, fault.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Why one value was refused: a [`Fault`] that does not yet know its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid {
    /// Stable code, such as `email.invalid`.
    pub code: &'static str,
    /// One sentence for a person: what is expected.
    pub detail: &'static str,
}

impl Invalid {
    /// A refusal with its code and sentence.
    #[must_use]
    pub const fn new(code: &'static str, detail: &'static str) -> Self {
        Self { code, detail }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Invalid {}
