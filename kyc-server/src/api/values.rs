//! Times, days and words in JSON: the core's own types, with the schemas that the API's document shows.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use kyc_core::domain::birth::parse_date;
use kyc_core::domain::words::Vocabulary;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde_json::Value;

/// A time: RFC 3339, UTC, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Timestamp);

/// A day: `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

/// A word of one of the core's closed vocabularies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<T>(pub T);

/// What a type of a single JSON string says of itself.
trait Text: Sized + Send + Sync {
    fn schema() -> MetaSchema;
    fn read(text: &str) -> Option<Self>;
    fn write(&self) -> String;
}

impl Text for Time {
    fn schema() -> MetaSchema {
        MetaSchema {
            example: Some("2026-01-31T09:30:00.000Z".into()),
            ..MetaSchema::new_with_format("string", "date-time")
        }
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    fn write(&self) -> String {
        format!("{:.3}", self.0)
    }
}

impl Text for Day {
    fn schema() -> MetaSchema {
        MetaSchema { example: Some("2026-01-31".into()), ..MetaSchema::new_with_format("string", "date") }
    }

    fn read(text: &str) -> Option<Self> {
        parse_date(text).ok().map(Self)
    }

    fn write(&self) -> String {
        self.0.to_string()
    }
}

impl<T: Vocabulary> Text for Word<T> {
    fn schema() -> MetaSchema {
        let mut schema = MetaSchema::new("string");
        schema.enum_items = T::WORDS.iter().map(|word| word.word().into()).collect();
        schema
    }

    fn read(text: &str) -> Option<Self> {
        T::WORDS.iter().copied().find(|word| word.word() == text).map(Self)
    }

    fn write(&self) -> String {
        self.0.word().to_owned()
    }
}

macro_rules! string_type {
    ($name:ty, $label:expr $(, $bound:ident: $trait:ident)?) => {
        impl $(<$bound: $trait>)? Type for $name {
            const IS_REQUIRED: bool = true;

            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                $label.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new(<Self as Text>::schema()))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl $(<$bound: $trait>)? ToJSON for $name {
            fn to_json(&self) -> Option<Value> {
                Some(Value::String(self.write()))
            }
        }

        impl $(<$bound: $trait>)? ParseFromJSON for $name {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                value.as_ref().and_then(Value::as_str).and_then(Self::read).ok_or_else(ParseError::expected_input)
            }
        }

        impl $(<$bound: $trait>)? ParseFromParameter for $name {
            fn parse_from_parameter(text: &str) -> ParseResult<Self> {
                Self::read(text).ok_or_else(ParseError::expected_input)
            }
        }
    };
}

string_type!(Time, "time");
string_type!(Day, "day");
string_type!(Word<T>, T::NAME, T: Vocabulary);

#[cfg(test)]
mod tests {
    use kyc_core::domain::status::Stage;

    use super::*;

    #[test]
    fn times_are_in_milliseconds_and_days_are_days() {
        let time = Time("2026-01-31T09:30:00.123456789Z".parse().unwrap());
        assert_eq!(time.to_json_string(), r#""2026-01-31T09:30:00.123Z""#);
        assert_eq!(Day::parse_from_parameter("2026-01-31").unwrap().to_json_string(), r#""2026-01-31""#);
        for bad in ["2026-02-30", "2026-1-1", "yesterday", "2026-01-31T00:00:00Z"] {
            assert!(Day::parse_from_parameter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_word_is_one_of_its_vocabulary() {
        assert_eq!(Word::<Stage>::parse_from_parameter("in_review").unwrap(), Word(Stage::InReview));
        assert!(Word::<Stage>::parse_from_parameter("In_Review").is_err());
        assert_eq!(Word(Stage::Queued).to_json_string(), r#""queued""#);
        let MetaSchemaRef::Inline(schema) = Word::<Stage>::schema_ref() else { panic!("inline") };
        assert_eq!(schema.enum_items.len(), Stage::ALL.len());
    }
}
