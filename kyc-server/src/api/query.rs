//! Query parameters, read so that all faults are found at once.
//!
//! An endpoint takes `Query<Lenient<T>>`, which never fails by itself, collects what
//! [`Lenient::required`] and [`Lenient::optional`] find, and calls [`refuse_unknown`] with the names it knows.
//! One without parameters takes [`NoParameters`].

use std::borrow::Cow;

use kyc_core::domain::fault::Faults;
use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromParameter, ParseResult, ToJSON, Type};

use crate::api::body::is_plain_name;
use crate::api::problem::Problem;

/// How many parameters are looked at.
const MAX_PARAMETERS: usize = 100;

/// A parameter with the schema of `T`, whose faults the endpoint collects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lenient<T>(Given<T>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Given<T> {
    Absent,
    Once(T),
    Invalid,
    Repeatedly,
}

impl<T> Lenient<T> {
    /// A parameter that was given, as for an example.
    #[must_use]
    pub const fn of(value: T) -> Self {
        Self(Given::Once(value))
    }

    /// The value of a parameter that must be there, or its fault at `?name`.
    pub fn required(self, name: &str, expected: &'static str, faults: &mut Faults) -> Option<T> {
        if matches!(self.0, Given::Absent) {
            faults.add(format!("?{name}"), "parameter.required", expected);
        }
        self.optional(name, expected, faults)
    }

    /// The value of a parameter that may be left out, or its fault at `?name`.
    pub fn optional(self, name: &str, expected: &'static str, faults: &mut Faults) -> Option<T> {
        match self.0 {
            Given::Absent => None,
            Given::Once(value) => Some(value),
            Given::Invalid => {
                faults.add(format!("?{name}"), "parameter.invalid", expected);
                None
            }
            Given::Repeatedly => {
                faults.add(format!("?{name}"), "parameter.repeated", "this parameter is expected once");
                None
            }
        }
    }
}

/// Adds `parameter.unknown` for every query parameter that is not among `known`.
pub fn refuse_unknown(request: &Request, known: &[&str], faults: &mut Faults) {
    let Some(query) = request.uri().query().filter(|query| !query.is_empty()) else { return };
    // Beyond any real request, so that the look-ups below stay cheap.
    if query.split('&').count() > MAX_PARAMETERS {
        faults.add("?", "parameter.unknown", "there are too many parameters");
        return;
    }
    let Ok(given) = request.params::<Vec<(String, String)>>() else {
        faults.add("?", "parameter.invalid", "parameters in the form name=value&name=value are expected");
        return;
    };
    for (name, _) in given.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        // A name is input too: one that might be a value in the wrong place is not repeated.
        let at = if is_plain_name(name) { format!("?{name}") } else { "?".to_owned() };
        faults.add(at, "parameter.unknown", "there is no such parameter; leave it out");
    }
}

/// What an endpoint without query parameters takes, so that one that is sent is a 422 and not ignored.
#[derive(Debug, Clone, Copy)]
pub struct NoParameters;

impl<'a> FromRequest<'a> for NoParameters {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> Result<Self> {
        let mut faults = Faults::new();
        refuse_unknown(request, &[], &mut faults);
        if faults.is_empty() { Ok(Self) } else { Err(Problem::validation(faults).into()) }
    }
}

impl<T: Type> Type for Lenient<T> {
    const IS_REQUIRED: bool = T::IS_REQUIRED;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl<T: ToJSON> ToJSON for Lenient<T> {
    fn to_json(&self) -> Option<serde_json::Value> {
        match &self.0 {
            Given::Once(value) => value.to_json(),
            Given::Absent | Given::Invalid | Given::Repeatedly => None,
        }
    }
}

impl<T: ParseFromParameter> ParseFromParameter for Lenient<T> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        // Not `parse_from_parameter`, which an optional type does not have.
        Ok(Self(T::parse_from_parameters([value]).map_or(Given::Invalid, Given::Once)))
    }

    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(values: I) -> ParseResult<Self> {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self(Given::Absent)),
            (Some(value), None) => Self::parse_from_parameter(value.as_ref()),
            (Some(_), Some(_)) => Ok(Self(Given::Repeatedly)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(faults: &Faults) -> Vec<(&str, &str)> {
        faults.as_slice().iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect()
    }

    #[test]
    fn each_way_to_give_a_parameter_has_its_outcome() {
        for (values, value, found) in [
            (&[][..], None, Some("parameter.required")),
            (&["7"], Some(7), None),
            (&["x"], None, Some("parameter.invalid")),
            (&[""], None, Some("parameter.invalid")),
            (&["7", "7"], None, Some("parameter.repeated")),
        ] {
            let mut faults = Faults::new();
            let parsed = Lenient::<u8>::parse_from_parameters(values).unwrap();
            assert_eq!(parsed.required("n", "a number is expected", &mut faults), value, "{values:?}");
            assert_eq!(codes(&faults), Vec::from_iter(found.map(|code| ("?n", code))), "{values:?}");
        }
        let mut faults = Faults::new();
        assert_eq!(Lenient::<u8>(Given::Absent).optional("n", "a number is expected", &mut faults), None);
        let given = Lenient::<Option<u8>>::parse_from_parameters(["7"]).unwrap();
        assert_eq!(given.optional("n", "a number is expected", &mut faults), Some(Some(7)));
        assert!(faults.is_empty());
    }

    #[test]
    fn unknown_parameters_are_found_and_odd_names_not_repeated() {
        let unknown = |uri: &str| {
            let mut faults = Faults::new();
            let request = Request::builder().uri(uri.parse().unwrap()).finish();
            refuse_unknown(&request, &["start", "end"], &mut faults);
            codes(&faults).into_iter().map(|(at, code)| format!("{at} {code}")).collect::<Vec<_>>()
        };
        assert_eq!(unknown("/report"), [""; 0]);
        assert_eq!(unknown("/report?"), [""; 0]);
        assert_eq!(unknown("/report?start=a&%65nd=b"), [""; 0]);
        assert_eq!(unknown("/report?start=a&stop=b"), ["?stop parameter.unknown"]);
        assert_eq!(unknown("/report?ada%40example.com=b"), ["? parameter.unknown"]);
        assert_eq!(unknown(&format!("/report?{}", "a=1&".repeat(200))), ["? parameter.unknown"]);
    }
}
