//! Where two providers have to agree.

use std::collections::BTreeSet;

use kyc_core::domain::country::Country;
use kyc_core::domain::document::DocumentType;
use kyc_core::domain::fault::Invalid;
use kyc_core::domain::policy::SecondOpinion;

use super::layers::Layers;
use super::settings::{SECOND_OPINION_COUNTRIES, SECOND_OPINION_DOCUMENT_TYPES};

/// The countries and types of document; nowhere where none is named.
pub(super) fn read(layers: &mut Layers) -> SecondOpinion {
    SecondOpinion {
        countries: layers
            .read(&SECOND_OPINION_COUNTRIES, |text| listed(text, Country::parse))
            .unwrap_or_default(),
        document_types: layers
            .read(&SECOND_OPINION_DOCUMENT_TYPES, |text| listed(text, DocumentType::parse))
            .unwrap_or_default(),
    }
}

/// Words with commas between; none where one of them is not understood.
fn listed<T: Ord>(text: &str, parse: impl Fn(&str) -> Result<T, Invalid>) -> Option<BTreeSet<T>> {
    text.split(',').map(|word| parse(word.trim()).ok()).collect()
}
