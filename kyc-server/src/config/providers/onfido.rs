//! What Onfido's adapter is told.

use kyc_core::Secret;

use super::super::layers::Layers;
use super::super::settings::{ONFIDO_REGION, ONFIDO_TOKEN, ONFIDO_URL, ONFIDO_WEBHOOK_TOKEN};
use super::base_url;

/// The settings of Onfido. The adapter may still refuse them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnfidoSettings {
    /// The API token.
    pub token: Secret<String>,
    /// Where the account is.
    pub place: OnfidoPlace,
    /// The tokens of the webhook: none, one, or the new and the old one.
    pub webhook_tokens: Vec<Secret<String>>,
}

/// Where an account of Onfido's is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnfidoPlace {
    /// In the European Union.
    Eu,
    /// In the United States.
    Us,
    /// In Canada.
    Ca,
    /// Behind an address of the operator's own.
    At(String),
}

/// The settings; none where there is a fault.
pub(super) fn read(layers: &mut Layers) -> Option<OnfidoSettings> {
    let token = layers.read(&ONFIDO_TOKEN, token);
    let region = layers.read(&ONFIDO_REGION, region);
    let url = layers.read(&ONFIDO_URL, base_url);
    let webhook_tokens = layers.read(&ONFIDO_WEBHOOK_TOKEN, webhook_tokens);
    if !layers.has(&ONFIDO_TOKEN) {
        layers.miss(&ONFIDO_TOKEN, "give the API token of the account");
    }
    if !layers.has(&ONFIDO_REGION) && !layers.has(&ONFIDO_URL) {
        layers.miss(&ONFIDO_REGION, "say in which region the account is: eu, us or ca");
    }
    let place = if layers.has(&ONFIDO_URL) { OnfidoPlace::At(url?) } else { region? };
    let webhook_tokens = if layers.has(&ONFIDO_WEBHOOK_TOKEN) { webhook_tokens? } else { Vec::new() };
    Some(OnfidoSettings { token: token?, place, webhook_tokens })
}

/// Settings of Onfido are a mistake where it is not asked.
pub(super) fn refuse_all(layers: &mut Layers) {
    for setting in [&ONFIDO_TOKEN, &ONFIDO_REGION, &ONFIDO_URL, &ONFIDO_WEBHOOK_TOKEN] {
        layers.refuse_given(setting, "onfido is not in KYC_PROVIDER; name it there, or leave this out");
    }
}

fn token(text: &str) -> Option<Secret<String>> {
    let formed = (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    formed.then(|| Secret::new(text.to_owned()))
}

fn region(text: &str) -> Option<OnfidoPlace> {
    match text {
        "eu" => Some(OnfidoPlace::Eu),
        "us" => Some(OnfidoPlace::Us),
        "ca" => Some(OnfidoPlace::Ca),
        _ => None,
    }
}

/// One token, or the new and the old one with a comma between them.
fn webhook_tokens(text: &str) -> Option<Vec<Secret<String>>> {
    let tokens: Vec<_> = text.split(',').map(|token| Secret::new(token.trim().to_owned())).collect();
    let formed = tokens.len() <= 2 && tokens.iter().all(|token| (16..=512).contains(&token.expose().len()));
    formed.then_some(tokens)
}
