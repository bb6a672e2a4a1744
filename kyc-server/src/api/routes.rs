//! What paths and methods there are, read from the `OpenAPI` declarations: for Allow, and for logs, which
//! show the template of a path because the path itself may hold a customer's id.

use std::collections::{BTreeMap, BTreeSet};

use poem::PathPattern;
use poem::http::{HeaderValue, Method};
use poem_openapi::OpenApi;

/// The paths of the service.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    by_pattern: BTreeMap<String, Route>,
}

#[derive(Debug, Clone)]
struct Route {
    template: String,
    methods: BTreeSet<&'static str>,
}

impl Routes {
    /// The paths that `T` declares.
    #[must_use]
    pub fn of<T: OpenApi>() -> Self {
        let mut routes = Self::default();
        for path in T::meta().into_iter().flat_map(|api| api.paths) {
            for operation in &path.operations {
                routes.add(&path.path, &operation.method);
            }
        }
        routes
    }

    /// The same with one more path, for what is not declared by `OpenAPI`.
    #[must_use]
    pub fn with(mut self, template: &str, method: &Method) -> Self {
        self.add(template, method);
        self
    }

    fn add(&mut self, template: &str, method: &Method) {
        let route = self
            .by_pattern
            .entry(pattern_of(template))
            .or_insert_with(|| Route { template: template.to_owned(), methods: BTreeSet::new() });
        let names: &[&'static str] = match *method {
            // poem answers HEAD wherever there is GET.
            Method::GET => &["GET", "HEAD"],
            Method::POST => &["POST"],
            Method::PUT => &["PUT"],
            Method::DELETE => &["DELETE"],
            Method::PATCH => &["PATCH"],
            _ => &[],
        };
        route.methods.extend(names);
    }

    /// The template of the path that matched, such as `/customers/{id}`.
    #[must_use]
    pub fn template(&self, pattern: Option<&PathPattern>) -> Option<&str> {
        self.by_pattern.get(&*pattern?.0).map(|route| route.template.as_str())
    }

    /// The value of Allow for the path that matched; empty where none did, which RFC 9110 permits for a
    /// resource without methods.
    #[must_use]
    pub fn allow(&self, pattern: Option<&PathPattern>) -> HeaderValue {
        let route = pattern.and_then(|pattern| self.by_pattern.get(&*pattern.0));
        let methods: Vec<_> = route.into_iter().flat_map(|route| route.methods.iter().copied()).collect();
        HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The pattern that poem-openapi gives poem for a template: the n-th placeholder is `:param{n}`.
fn pattern_of(template: &str) -> String {
    let mut placeholders = 0;
    let mut pattern = String::new();
    for segment in template.split('/').filter(|segment| !segment.is_empty()) {
        pattern.push('/');
        if segment.starts_with('{') {
            pattern.push_str(":param");
            pattern.push_str(&placeholders.to_string());
            placeholders += 1;
        } else {
            pattern.push_str(segment);
        }
    }
    if pattern.is_empty() { "/".to_owned() } else { pattern }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_found_by_the_pattern_that_poem_matched() {
        let routes = Routes::default()
            .with("/customers/{id}/documents/{document}", &Method::PUT)
            .with("/customers/{id}/documents/{document}", &Method::GET);
        let pattern = PathPattern("/customers/:param0/documents/:param1".into());
        assert_eq!(routes.template(Some(&pattern)), Some("/customers/{id}/documents/{document}"));
        assert_eq!(routes.allow(Some(&pattern)), "GET, HEAD, PUT");
        assert_eq!(routes.template(None), None);
        assert_eq!(routes.allow(None), "");
    }
}
