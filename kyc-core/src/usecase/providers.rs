//! The identity providers of a service, in order of preference.

use std::fmt;
use std::sync::Arc;

use crate::domain::ids::ProviderName;
use crate::ports::IdentityProvider;

/// One provider or more, in order of preference: the first is asked, unless it is down.
#[derive(Clone)]
pub struct Providers {
    first: Arc<dyn IdentityProvider>,
    others: Arc<[Arc<dyn IdentityProvider>]>,
}

impl Providers {
    /// One provider alone.
    #[must_use]
    pub fn one(provider: Arc<dyn IdentityProvider>) -> Self {
        Self::in_order(provider, Vec::new())
    }

    /// A provider, and those that are asked where it is down, in this order.
    #[must_use]
    pub fn in_order(first: Arc<dyn IdentityProvider>, others: Vec<Arc<dyn IdentityProvider>>) -> Self {
        Self { first, others: others.into() }
    }

    /// The one that is asked first.
    #[must_use]
    pub fn first(&self) -> &dyn IdentityProvider {
        &*self.first
    }

    /// Every provider, in order of preference.
    pub fn iter(&self) -> impl Iterator<Item = &dyn IdentityProvider> {
        std::iter::once(&*self.first).chain(self.others.iter().map(|other| &**other))
    }

    /// The provider of this name.
    #[must_use]
    pub fn named(&self, name: &ProviderName) -> Option<&dyn IdentityProvider> {
        self.iter().find(|provider| provider.name() == *name)
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(IdentityProvider::name)).finish()
    }
}
