//! What paths and methods there are, read from the `OpenAPI` declarations: for Allow, and for logs, which show
//! the template of a path because the path itself may hold a customer's id.

use std::collections::{BTreeMap, BTreeSet};

use poem::http::{HeaderValue, Method};
use poem_openapi::OpenApi;

/// The paths of the service.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    // In the order of their segments, a word before a placeholder: the first that matches is the most exact.
    routes: BTreeMap<Vec<Segment>, Route>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(String),
    Placeholder,
}

#[derive(Debug, Clone)]
struct Route {
    template: String,
    // Whether none of its methods needs a key.
    is_open: bool,
    methods: BTreeSet<&'static str>,
}

impl Routes {
    /// The paths that `T` declares.
    #[must_use]
    pub fn of<T: OpenApi>() -> Self {
        let mut routes = Self::default();
        for path in T::meta().into_iter().flat_map(|api| api.paths) {
            for operation in &path.operations {
                routes.add(&path.path, &operation.method, operation.security.is_empty());
            }
        }
        routes
    }

    /// The same with one more path, for what is not declared by `OpenAPI`.
    #[must_use]
    pub fn with(mut self, template: &str, method: &Method) -> Self {
        self.add(template, method, true);
        self
    }

    fn add(&mut self, template: &str, method: &Method, is_open: bool) {
        let segments = segments(template).map(|segment| {
            let is_placeholder = segment.starts_with('{');
            if is_placeholder { Segment::Placeholder } else { Segment::Word(segment.to_owned()) }
        });
        let route = self.routes.entry(segments.collect()).or_insert_with(|| Route {
            template: template.to_owned(),
            is_open,
            methods: BTreeSet::new(),
        });
        route.is_open &= is_open;
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

    fn find(&self, path: &str) -> Option<&Route> {
        let matches = |expected: &&Vec<Segment>| {
            let mut given = segments(path);
            let matched = expected.iter().all(|segment| match (segment, given.next()) {
                (Segment::Word(word), Some(given)) => word == given,
                (Segment::Placeholder, Some(given)) => !given.is_empty(),
                (_, None) => false,
            });
            matched && given.next().is_none()
        };
        self.routes.iter().find(|(expected, _)| matches(expected)).map(|(_, route)| route)
    }

    /// The template of a path, such as `/customers/{id}`.
    #[must_use]
    pub fn template(&self, path: &str) -> Option<&str> {
        self.find(path).map(|route| route.template.as_str())
    }

    /// Whether there is something at a path that needs no key.
    #[must_use]
    pub fn is_open(&self, path: &str) -> bool {
        self.find(path).is_some_and(|route| route.is_open)
    }

    /// The value of Allow for a path; empty where there is none, which RFC 9110 permits for a resource without
    /// methods.
    #[must_use]
    pub fn allow(&self, path: &str) -> HeaderValue {
        let methods: Vec<_> =
            self.find(path).into_iter().flat_map(|route| route.methods.iter().copied()).collect();
        HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static(""))
    }
}

/// What stands between the slashes, the first of which every path begins with.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_template_of_a_path_is_found() {
        let templates = ["/", "/c", "/c/{id}", "/c/search", "/c/{id}/documents/{document}"];
        let routes = templates.iter().fold(Routes::default(), |routes, path| routes.with(path, &Method::GET));
        for (path, template) in [
            ("/", Some("/")),
            ("/c", Some("/c")),
            ("/c/search", Some("/c/search")),
            ("/c/%73earch", Some("/c/{id}")),
            ("/c/1", Some("/c/{id}")),
            ("/c/1/documents/2", Some("/c/{id}/documents/{document}")),
            ("/c/", None),
            ("/c//", None),
            ("/c/1/documents", None),
            ("/d", None),
            ("", Some("/")),
        ] {
            assert_eq!(routes.template(path), template, "{path}");
        }
    }

    #[test]
    fn the_methods_of_a_path_are_told() {
        let routes = Routes::default().with("/c/{id}", &Method::PUT).with("/c/{id}", &Method::GET);
        assert_eq!(routes.allow("/c/1"), "GET, HEAD, PUT");
        assert_eq!(routes.allow("/d"), "");
    }
}
