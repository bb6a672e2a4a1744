//! The signature of a callback: `X-SHA2-Signature` is the HMAC-SHA256 of the raw body in lower-case hexadecimal,
//! under the token that Onfido gave to the webhook.

use data_encoding::HEXLOWER;
use kyc_core::Secret;
use kyc_core::ports::provider::{Callback, CallbackError};
use ring::hmac;

use super::super::base::ConfigError;

/// The header of the signature.
const HEADER: &str = "X-SHA2-Signature";

/// The tokens by which a callback is known to be genuine; none, one, or two while one is replaced.
#[derive(Default)]
pub(super) struct WebhookTokens(Vec<hmac::Key>);

impl WebhookTokens {
    /// As many as can be valid at a time.
    const MAX: usize = 2;

    pub(super) fn new(tokens: &[Secret<String>]) -> Result<Self, ConfigError> {
        let formed = |token: &Secret<String>| (16..=512).contains(&token.expose().len());
        if tokens.len() > Self::MAX || !tokens.iter().all(formed) {
            return Err(ConfigError::CallbackSecrets);
        }
        let key = |token: &Secret<String>| hmac::Key::new(hmac::HMAC_SHA256, token.expose().as_bytes());
        Ok(Self(tokens.iter().map(key).collect()))
    }

    /// Checks the signature, each comparison in constant time.
    pub(super) fn verify(&self, callback: &Callback) -> Result<(), CallbackError> {
        if self.0.is_empty() {
            return Err(CallbackError::Unsupported);
        }
        let header = callback.header(HEADER).ok_or(CallbackError::BadSignature)?;
        let tag = HEXLOWER.decode(header.as_bytes()).map_err(|_| CallbackError::BadSignature)?;
        let genuine = self.0.iter().any(|key| hmac::verify(key, callback.body.expose(), &tag).is_ok());
        if genuine { Ok(()) } else { Err(CallbackError::BadSignature) }
    }
}
