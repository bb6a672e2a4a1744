//! The adapter of Onfido against a fake of Onfido with state, by itself and in the service.

mod doubts;
mod faults;
mod flows;
mod outcomes;
mod steps;
mod support;
