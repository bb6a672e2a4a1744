//! The API's document: checked in as it is served, complete, and true of what is answered (I10).
//!
//! Every answer that any test of this package gets is held against the document by the harness, so what is here
//! is what the document itself must be, and that a walk through the API meets all of it.

mod document;
mod examples;
mod validator;
mod walk;
