//! The signature of a callback: `X-SHA2-Signature` is the HMAC-SHA256 of the raw body in lower-case hexadecimal,
//! under the token that Onfido gave to the webhook.

use data_encoding::HEXLOWER;
use kyc_core::ports::provider::{Callback, CallbackError};

use super::super::vendor::CallbackKeys;

/// The header of the signature.
const HEADER: &str = "X-SHA2-Signature";

/// Checks the signature.
///
/// # Errors
/// [`CallbackError::Unsupported`] without a token, [`CallbackError::BadSignature`].
pub(super) fn verify(keys: &CallbackKeys, callback: &Callback) -> Result<(), CallbackError> {
    let header = keys.header(callback, HEADER)?;
    let tag = HEXLOWER.decode(header.as_bytes()).map_err(|_| CallbackError::BadSignature)?;
    if keys.have_signed(callback.body.expose(), &tag) { Ok(()) } else { Err(CallbackError::BadSignature) }
}
