//! The one binary of tests that cross the crates; a module a subject.

#[cfg(test)]
mod all {
    mod architecture;
    mod audit;
    mod bad_input;
    mod bench;
    mod durability;
    mod erasure;
    mod flows;
    mod onfido;
    mod openapi;
    mod operator;
    mod persona;
    mod secrecy;
    mod security;
    mod webhooks;
    mod wire;
}
