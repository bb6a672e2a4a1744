//! Which identity providers are asked, and how each is reached.

mod onfido;

use http::Uri;
use http::uri::Scheme;
use kyc_core::Secret;
use kyc_core::domain::ids::ProviderName;

use super::layers::Layers;
use super::parse;
use super::settings::{
    ALLOW_SANDBOX, PERSONA_KEY, PERSONA_TEMPLATE, PERSONA_URL, PERSONA_WEBHOOK_SECRET, PROVIDER,
    PROVIDER_SECRET, PROVIDER_URL, Setting,
};

pub use onfido::{OnfidoPlace, OnfidoSettings};

/// The name of the provider that is part of this program.
pub const SANDBOX: &str = "sandbox";
/// The name of the vendor Persona.
const PERSONA: &str = "persona";
/// The least length of a secret shared with a provider, in bytes (RFC 2104, section 3).
const MIN_SECRET: usize = 32;

/// One of the identity providers that are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// The sandbox of this program, which verifies nobody's identity. It is never one of several.
    Sandbox,
    /// One that is reached over HTTP, by the contract of this project.
    Http {
        /// Its name.
        name: ProviderName,
        /// Its address. It may still be refused by the adapter, which knows what is safe.
        url: String,
        /// One secret, or the new and the old one.
        secrets: Vec<Secret<Vec<u8>>>,
    },
    /// Onfido, by its own interface.
    Onfido(OnfidoSettings),
    /// Persona.
    Persona(Persona),
}

/// How Persona is reached. The adapter may still refuse any of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// Its name.
    pub name: ProviderName,
    /// The API key.
    pub key: Secret<String>,
    /// The template of inquiries.
    pub template: String,
    /// The address of the API, where it is not the vendor's own.
    pub url: Option<String>,
    /// No secret of the webhook, one, or the new and the old one.
    pub webhook_secrets: Vec<Secret<String>>,
}

/// The name of Onfido.
pub const ONFIDO: &str = "onfido";

/// What a name in the list says of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sandbox,
    Onfido,
    Persona,
    Http,
}

impl Kind {
    fn of(name: &ProviderName) -> Self {
        match name.as_str() {
            SANDBOX => Self::Sandbox,
            ONFIDO => Self::Onfido,
            PERSONA => Self::Persona,
            _ => Self::Http,
        }
    }
}

/// The providers in order of preference; none where there is a fault.
pub(super) fn read(layers: &mut Layers, dev: bool) -> Option<Vec<Provider>> {
    // One that can't be read is a fault by itself.
    let allowed = layers.read(&ALLOW_SANDBOX, parse::<bool>).unwrap_or(true);
    // Faults of these are told even where the provider itself is not known.
    let url = layers.read(&PROVIDER_URL, base_url);
    let secrets = layers.read(&PROVIDER_SECRET, secrets);
    let persona = ReadPersona::read(layers);
    if !layers.has(&PROVIDER) {
        if dev && !layers.has(&PROVIDER_URL) {
            return Some(vec![Provider::Sandbox]);
        }
        layers.miss(&PROVIDER, "name the identity provider, or start with --dev for the sandbox");
        return None;
    }
    let names = layers.read(&PROVIDER, |text| {
        text.split(',').map(|name| ProviderName::parse(name.trim()).ok()).collect::<Option<Vec<_>>>()
    })?;
    refuse_together(layers, &names);
    let mut providers = Vec::new();
    for name in names {
        match Kind::of(&name) {
            Kind::Sandbox => {
                if !(dev || allowed) {
                    let reason = "the sandbox verifies nobody's identity; to use it all the same, start with --dev \
                                  or set KYC_ALLOW_SANDBOX=true";
                    layers.refuse_given(&PROVIDER, reason);
                }
                providers.push(Some(Provider::Sandbox));
            }
            Kind::Onfido => providers.push(onfido::read(layers).map(Provider::Onfido)),
            Kind::Persona => providers.push(persona.clone().named(layers, name)),
            Kind::Http => {
                if !layers.has(&PROVIDER_URL) {
                    layers.miss(&PROVIDER_URL, "give the address of the provider");
                }
                if !layers.has(&PROVIDER_SECRET) {
                    layers.miss(&PROVIDER_SECRET, "give the secret that you share with the provider");
                }
                providers.push(http(name, url.clone(), secrets.clone()));
            }
        }
    }
    providers.into_iter().collect()
}

fn http(name: ProviderName, url: Option<String>, secrets: Option<Vec<Secret<Vec<u8>>>>) -> Option<Provider> {
    Some(Provider::Http { name, url: url?, secrets: secrets? })
}

/// What is set of Persona.
#[derive(Clone)]
struct ReadPersona {
    key: Option<Secret<String>>,
    template: Option<String>,
    url: Option<String>,
    webhook_secrets: Option<Vec<Secret<String>>>,
}

impl ReadPersona {
    fn read(layers: &mut Layers) -> Self {
        let key = |text: &str| {
            let formed = (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
            formed.then(|| Secret::new(text.to_owned()))
        };
        let template = |text: &str| {
            let is_one = ["itmpl_", "itmplv_", "tmpl_"].iter().any(|kind| text.starts_with(kind));
            is_one.then(|| text.to_owned())
        };
        Self {
            key: layers.read(&PERSONA_KEY, key),
            template: layers.read(&PERSONA_TEMPLATE, template),
            url: layers.read(&PERSONA_URL, base_url),
            webhook_secrets: layers.read(&PERSONA_WEBHOOK_SECRET, webhook_secrets),
        }
    }

    fn named(self, layers: &mut Layers, name: ProviderName) -> Option<Provider> {
        miss(layers, &PERSONA_KEY, "give the API key of your environment at Persona");
        miss(layers, &PERSONA_TEMPLATE, "give the id of the template of your inquiries at Persona");
        Some(Provider::Persona(Persona {
            name,
            key: self.key?,
            template: self.template?,
            url: self.url,
            webhook_secrets: self.webhook_secrets.unwrap_or_default(),
        }))
    }
}

fn miss(layers: &mut Layers, setting: &Setting, how: &str) {
    if !layers.has(setting) {
        layers.miss(setting, how);
    }
}

/// The secret of a webhook, or the new and the old one with a comma between them.
fn webhook_secrets(text: &str) -> Option<Vec<Secret<String>>> {
    let secrets: Vec<_> = text.split(',').map(|secret| Secret::new(secret.trim().to_owned())).collect();
    let formed = |secret: &Secret<String>| (16..=512).contains(&secret.expose().len());
    (secrets.len() <= 2 && secrets.iter().all(formed)).then_some(secrets)
}

/// What is wrong with the names as a list.
fn refuse_together(layers: &mut Layers, names: &[ProviderName]) {
    let of = |kind: Kind| names.iter().filter(|name| Kind::of(name) == kind).count();
    let is_doubled = |(index, name)| names.iter().take(index).any(|before| before == name);
    if names.iter().enumerate().any(is_doubled) {
        layers.refuse_given(&PROVIDER, "a provider is named twice; name each once");
    } else if of(Kind::Http) > 1 {
        let reason = "more than one of these is reached over HTTP, and KYC_PROVIDER_URL is one address; name one of \
                      them";
        layers.refuse_given(&PROVIDER, reason);
    }
    if of(Kind::Sandbox) > 0 && names.len() > 1 {
        let reason = "the sandbox verifies nobody's identity and never stands in for a provider that is down; name \
                      it alone, or leave it out";
        layers.refuse_given(&PROVIDER, reason);
    }
    if of(Kind::Onfido) == 0 {
        onfido::refuse_all(layers);
    }
    if of(Kind::Http) == 0 {
        let reason = match of(Kind::Sandbox) {
            0 => {
                "no provider in KYC_PROVIDER is reached at it; name the one that is, or leave the address out"
            }
            _ => "the sandbox needs no address; name the provider in KYC_PROVIDER",
        };
        layers.refuse_given(&PROVIDER_URL, reason);
    }
    if of(Kind::Persona) == 0 {
        layers.refuse_given(&PERSONA_KEY, "persona is not among the providers; name it in KYC_PROVIDER");
    }
}

/// One secret, or the new and the old one with a comma between them.
pub(super) fn secrets(text: &str) -> Option<Vec<Secret<Vec<u8>>>> {
    let secrets: Vec<_> =
        text.split(',').map(|secret| Secret::new(secret.trim().as_bytes().to_vec())).collect();
    let well_formed = secrets.len() <= 2 && secrets.iter().all(|secret| secret.expose().len() >= MIN_SECRET);
    well_formed.then_some(secrets)
}

/// An address that the adapter may still refuse.
pub(super) fn base_url(text: &str) -> Option<String> {
    let uri = text.trim().parse::<Uri>().ok()?;
    let is_http = uri.scheme() == Some(&Scheme::HTTPS) || uri.scheme() == Some(&Scheme::HTTP);
    (is_http && uri.host().is_some_and(|host| !host.is_empty())).then(|| text.trim().to_owned())
}
