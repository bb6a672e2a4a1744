//! The bodies of requests (JSON:API in kebab-case), and the parts of answers that are read.
//!
//! What we send is borrowed from the customer, so that no copies stay behind. Words of an answer stay text, since a
//! word that we don't know is an answer too.

use jiff::civil::Date;
use kyc_core::Secret;
use kyc_core::domain::address::{AddressLine, PostalCode};
use kyc_core::domain::field::Field;
use kyc_core::ports::provider::Submission;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::config::Template;

/// More bytes than any body has: eight texts of 200 characters, and short fields.
const MAX_BODY: usize = 16 * 1024;

/// The fields of a customer that [`inquiry`] bears: what the vendor fills its form in with, and compares documents
/// with. The customer shows the document itself to the vendor, so that nothing of it is sent.
pub(super) const DISCLOSED: [Field; 5] =
    [Field::Name, Field::Email, Field::PhoneNumber, Field::DateOfBirth, Field::Address];

#[derive(Serialize)]
struct CreateInquiry<'a> {
    data: CreateData<'a>,
    meta: CreateMeta,
}

#[derive(Serialize)]
struct CreateData<'a> {
    attributes: CreateAttributes<'a>,
}

struct CreateAttributes<'a> {
    template: &'a Template,
    fields: Fields<'a>,
}

impl Serialize for CreateAttributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.template.member, &self.template.id)?;
        map.serialize_entry("fields", &self.fields)?;
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CreateMeta {
    /// Our id of the person, which names nobody: all attempts of a person are one account at the vendor.
    auto_create_account_reference_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name_first: Option<&'a str>,
    name_last: &'a str,
    birthdate: Date,
    email_address: &'a str,
    phone_number: &'a str,
    #[serde(rename = "address-street-1")]
    address_street_1: &'a str,
    #[serde(rename = "address-street-2", skip_serializing_if = "Option::is_none")]
    address_street_2: Option<&'a str>,
    address_city: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_subdivision: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_postal_code: Option<&'a str>,
    address_country_code: String,
}

/// The body of `POST /inquiries`. The buffer holds the longest one, so that it never moves. It holds nothing that
/// differs between two tries of one attempt, since the vendor compares repeats under one key.
pub(super) fn inquiry(submission: &Submission, template: &Template) -> Option<Secret<Vec<u8>>> {
    let customer = &submission.customer;
    let address = customer.address();
    let (name_first, name_last) = names(customer.name().expose());
    let body = CreateInquiry {
        data: CreateData {
            attributes: CreateAttributes {
                template,
                fields: Fields {
                    name_first,
                    name_last,
                    birthdate: customer.date_of_birth().expose(),
                    email_address: customer.email().expose(),
                    phone_number: customer.phone_number().expose(),
                    address_street_1: address.line1().expose(),
                    address_street_2: address.line2().map(AddressLine::expose),
                    address_city: address.city().expose(),
                    address_subdivision: address.region().map(AddressLine::expose),
                    address_postal_code: address.postal_code().map(PostalCode::expose),
                    address_country_code: address.country().as_str().to_owned(),
                },
            },
        },
        meta: CreateMeta { auto_create_account_reference_id: submission.subject.to_string() },
    };
    let mut bytes = Vec::with_capacity(MAX_BODY);
    serde_json::to_writer(&mut bytes, &body).ok()?;
    Some(Secret::new(bytes))
}

/// A whole name as the vendor has names: its last word is the last name. A single name is the last name, as ICAO
/// Doc 9303-3, section 4.6, has it; the customer may mend both on the vendor's page.
fn names(whole: &str) -> (Option<&str>, &str) {
    match whole.trim().rsplit_once(char::is_whitespace) {
        Some((first, last)) => (Some(first.trim_end()), last),
        None => (None, whole.trim()),
    }
}

/// The body of `POST /inquiries/{id}/generate-one-time-link`.
pub(super) fn one_time_link(expires_in_seconds: i64) -> String {
    format!(r#"{{"meta":{{"expires-in-seconds":{expires_in_seconds}}}}}"#)
}

/// The parts of an answer that are read.
#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) data: Resource,
    #[serde(default)]
    pub(super) included: Vec<Resource>,
    #[serde(default)]
    pub(super) meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Meta {
    #[serde(default, deserialize_with = "secret")]
    pub(super) one_time_link: Option<Secret<String>>,
}

/// An inquiry, or something that belongs to it.
#[derive(Deserialize)]
pub(super) struct Resource {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: String,
    #[serde(default)]
    pub(super) attributes: Attributes,
    #[serde(default)]
    pub(super) relationships: Relationships,
}

/// What is read of the attributes of an inquiry or a verification.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Attributes {
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) created_at: Option<String>,
    #[serde(default)]
    pub(super) checks: Option<Vec<Check>>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) name_first: Option<Secret<String>>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) name_last: Option<Secret<String>>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) native_name_first: Option<Secret<String>>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) native_name_last: Option<Secret<String>>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) birthdate: Option<Secret<String>>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) document_number: Option<Secret<String>>,
    #[serde(default, deserialize_with = "secret")]
    pub(super) identification_number: Option<Secret<String>>,
}

#[derive(Deserialize)]
pub(super) struct Check {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) reasons: Vec<Option<String>>,
}

#[derive(Deserialize, Default)]
pub(super) struct Relationships {
    #[serde(default)]
    pub(super) account: Option<One>,
    #[serde(default)]
    pub(super) verifications: Option<Many>,
    #[serde(default)]
    pub(super) reports: Option<Many>,
}

#[derive(Deserialize)]
pub(super) struct One {
    #[serde(default)]
    pub(super) data: Option<Identifier>,
}

#[derive(Deserialize)]
pub(super) struct Many {
    #[serde(default)]
    pub(super) data: Vec<Identifier>,
}

#[derive(Deserialize)]
pub(super) struct Identifier {
    #[serde(default)]
    pub(super) id: Option<String>,
}

/// A text that is overwritten after use.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_name_is_the_last_name() {
        for (whole, expected) in [
            ("Ada Lovelace", (Some("Ada"), "Lovelace")),
            ("Jane Smith Doe", (Some("Jane Smith"), "Doe")),
            ("Jane\u{3000} Doe", (Some("Jane"), "Doe")),
            ("Suharto", (None, "Suharto")),
        ] {
            assert_eq!(names(whole), expected, "{whole}");
        }
    }
}
