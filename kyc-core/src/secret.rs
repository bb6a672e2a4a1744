//! A value that prints nothing and is overwritten when it goes.

use std::fmt;

use zeroize::Zeroize;

/// Personal data or a key in memory: `Debug` is redacted, the bytes are zeroed on drop, and the only
/// way in is [`Secret::expose`], which a reviewer can search for.
///
/// ```
/// # use kyc_core::Secret;
/// let number = Secret::new(String::from("925076473"));
/// assert_eq!(format!("{number:?}"), "Secret(redacted)");
/// assert_eq!(number.expose(), "925076473");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value; from here on only [`Secret::expose`] shows it.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Whoever calls this keeps it out of logs, errors and stores.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
