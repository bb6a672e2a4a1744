//! What lies between a client and the service: TLS, proxies, and what every answer says of itself. The tests that
//! answer a check of OWASP ASVS 5.0.0 begin with its number; those of single bytes are in `kyc-server/tests/http`.
#![cfg(test)]

mod answers;
mod proxies;
mod tls;
