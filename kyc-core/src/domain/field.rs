//! The fields of a customer, by name: what audit events and discrepancies speak of instead of values.

use super::words::words;

words! {
    /// A field of a customer.
    pub enum Field, "field" {
        /// The person's name.
        Name = "name",
        /// The e-mail address.
        Email = "email",
        /// The phone number.
        PhoneNumber = "phone_number",
        /// The date of birth.
        DateOfBirth = "date_of_birth",
        /// The postal address.
        Address = "address",
        /// The identity document as a whole.
        IdentityDocument = "identity_document",
        /// The type of the identity document.
        DocumentType = "identity_document.type",
        /// The number of the identity document.
        DocumentNumber = "identity_document.number",
        /// The country that issued the identity document.
        DocumentIssuingCountry = "identity_document.issuing_country",
        /// The day on which the identity document expires.
        DocumentExpiresOn = "identity_document.expires_on",
        /// The day on which the identity document was issued.
        DocumentIssuedOn = "identity_document.issued_on",
        /// The machine-readable zone of the identity document.
        Mrz = "identity_document.mrz",
        /// The nationalities.
        Nationalities = "nationalities",
        /// The place of birth.
        PlaceOfBirth = "place_of_birth",
        /// The gender, as the document states it.
        Gender = "gender",
        /// Tax identification numbers.
        TaxIds = "tax_ids",
        /// Consents given.
        Consents = "consents",
        /// A file of the front of the identity document.
        FileFront = "document.front",
        /// A file of the back of the identity document.
        FileBack = "document.back",
        /// A picture of the person's face.
        FileSelfie = "document.selfie",
        /// A file that shows the address.
        FileProofOfAddress = "document.proof_of_address",
    }
}

impl Field {
    /// Whether this is a field of the customer, and not a part of one or a file beside it.
    #[must_use]
    pub fn is_whole(self) -> bool {
        !self.as_str().contains('.')
    }
}
