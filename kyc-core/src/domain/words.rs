//! A closed vocabulary: an enum whose variants each have one stable word, on the wire and in a store.

/// A word that is not in a vocabulary. It does not repeat the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownWord {
    /// What kind of word was looked for, such as `status`.
    pub vocabulary: &'static str,
}

impl std::fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not a known {}", self.vocabulary)
    }
}

impl std::error::Error for UnknownWord {}

/// An enum of this kind, for code that works with any of them, such as a document of an API.
pub trait Vocabulary: Copy + Send + Sync + 'static {
    /// What kind of word it is, such as `status`.
    const NAME: &'static str;
    /// Every variant.
    const WORDS: &'static [Self];

    /// The stable word of this variant.
    fn word(self) -> &'static str;
}

/// Declares such an enum: `as_str`, `ALL`, `FromStr` and `Display` come from the one list, so that a
/// variant cannot be written and not read.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident, $vocabulary:literal {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant ),+
        }

        impl $name {
            /// Every variant, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            /// The stable word of this variant.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word ),+ }
            }
        }

        impl $crate::domain::words::Vocabulary for $name {
            const NAME: &'static str = $vocabulary;
            const WORDS: &'static [Self] = Self::ALL;

            fn word(self) -> &'static str {
                self.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::words::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $( $word => Ok(Self::$variant), )+
                    _ => Err($crate::domain::words::UnknownWord { vocabulary: $vocabulary }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;
