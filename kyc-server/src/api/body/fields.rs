//! Reading the fields of a JSON object by hand, so that every fault of a body is found in one go.

use std::collections::BTreeMap;

use kyc_core::Secret;
use kyc_core::domain::customer::Patch;
use kyc_core::domain::fault::Faults;

use super::json::Json;

/// After how many faults reading stops to collect more: enough for any form, too few to make a refusal costly.
const MAX_FAULTS: usize = 100;
/// The longest name of an unknown field that an answer repeats.
const MAX_NAME: usize = 64;

/// A type whose JSON is read by hand. The type itself derives poem-openapi's `Object` and gives the schema;
/// what is read is [`Value`](FromFields::Value), which may be `Self` or a form of the core.
pub trait FromFields {
    /// What a body is read into.
    type Value;

    /// Takes the fields out of an object. What is not taken is unknown, and a fault; a fault leaves the field
    /// absent, so that reading goes on.
    fn from_fields(fields: &mut Fields<'_>) -> Self::Value;
}

/// The fields of one object. Each method takes a field out and gives its value; a value of another type is
/// the fault `field.type` at the field's pointer.
#[derive(Debug)]
pub struct Fields<'f> {
    members: BTreeMap<String, Json>,
    pointer: String,
    faults: &'f mut Faults,
}

impl<'f> Fields<'f> {
    /// Reads a whole object at `pointer`: by `T`, then what `T` left over is unknown.
    pub(super) fn read<T: FromFields>(
        members: BTreeMap<String, Json>,
        pointer: String,
        faults: &'f mut Faults,
    ) -> T::Value {
        let mut fields = Fields { members, pointer, faults };
        let value = T::from_fields(&mut fields);
        fields.finish();
        value
    }

    /// A string; absent and `null` are none.
    pub fn text(&mut self, name: &str) -> Option<Secret<String>> {
        set(self.patch_text(name))
    }

    /// A string that `null` clears.
    pub fn patch_text(&mut self, name: &str) -> Patch<Secret<String>> {
        self.patch(name, text)
    }

    /// A boolean; absent and `null` are none.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        set(self.patch(name, |json, at, faults| match json {
            Json::Bool(value) => Some(value),
            Json::Null
            | Json::Integer(_)
            | Json::Number
            | Json::Text(_)
            | Json::List(_)
            | Json::Object(_) => wrong(faults, at, "true or false is expected"),
        }))
    }

    /// A whole number; absent and `null` are none.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        set(self.patch(name, |json, at, faults| match json {
            Json::Integer(value) => Some(value),
            Json::Null | Json::Bool(_) | Json::Number | Json::Text(_) | Json::List(_) | Json::Object(_) => {
                wrong(faults, at, "a whole number is expected")
            }
        }))
    }

    /// A nested object; absent and `null` are none.
    pub fn object<T: FromFields>(&mut self, name: &str) -> Option<T::Value> {
        set(self.patch_object::<T>(name))
    }

    /// A nested object that `null` clears.
    pub fn patch_object<T: FromFields>(&mut self, name: &str) -> Patch<T::Value> {
        self.patch(name, object::<T>)
    }

    /// An array of strings; absent and `null` are none.
    pub fn texts(&mut self, name: &str) -> Option<Vec<Secret<String>>> {
        set(self.patch_texts(name))
    }

    /// An array of strings that `null` clears.
    pub fn patch_texts(&mut self, name: &str) -> Patch<Vec<Secret<String>>> {
        self.patch(name, |json, at, faults| list(json, at, faults, text))
    }

    /// An array of objects; absent and `null` are none.
    pub fn objects<T: FromFields>(&mut self, name: &str) -> Option<Vec<T::Value>> {
        set(self.patch_objects::<T>(name))
    }

    /// An array of objects that `null` clears.
    pub fn patch_objects<T: FromFields>(&mut self, name: &str) -> Patch<Vec<T::Value>> {
        self.patch(name, |json, at, faults| list(json, at, faults, object::<T>))
    }

    /// Adds a fault of this object's field `name`, for what only the reader of this type can know.
    pub fn fault(&mut self, name: &str, code: &'static str, detail: &'static str) {
        let at = self.at(name);
        self.faults.add(at, code, detail);
    }

    /// A value of the wrong type is kept, since null or absence would mean something else.
    fn patch<T>(&mut self, name: &str, read: impl FnOnce(Json, &str, &mut Faults) -> Option<T>) -> Patch<T> {
        match self.members.remove(name) {
            None => Patch::Keep,
            Some(Json::Null) => Patch::Clear,
            Some(json) => {
                let at = self.at(name);
                read(json, &at, self.faults).map_or(Patch::Keep, Patch::Set)
            }
        }
    }

    /// The pointer of a field (RFC 6901, section 4).
    fn at(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    fn finish(self) {
        for name in self.members.keys() {
            if self.faults.as_slice().len() >= MAX_FAULTS {
                return;
            }
            // A name is input too: one that might be a value in the wrong place is not repeated.
            let at = if is_plain_name(name) { self.at(name) } else { self.pointer.clone() };
            self.faults.add(at, "field.unknown", "there is no such field; leave it out");
        }
    }
}

/// Whether the name of an unknown field or parameter looks like one, so that an answer may repeat it: a date, the
/// number of a document or a proper name does not.
pub(in crate::api) fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(plain)
}

fn set<T>(patch: Patch<T>) -> Option<T> {
    match patch {
        Patch::Set(value) => Some(value),
        Patch::Keep | Patch::Clear => None,
    }
}

fn wrong<T>(faults: &mut Faults, at: &str, detail: &'static str) -> Option<T> {
    if faults.as_slice().len() < MAX_FAULTS {
        faults.add(at, "field.type", detail);
    }
    None
}

fn text(json: Json, at: &str, faults: &mut Faults) -> Option<Secret<String>> {
    match json {
        Json::Text(value) => Some(value),
        Json::Null | Json::Bool(_) | Json::Integer(_) | Json::Number | Json::List(_) | Json::Object(_) => {
            wrong(faults, at, "a string is expected")
        }
    }
}

fn object<T: FromFields>(json: Json, at: &str, faults: &mut Faults) -> Option<T::Value> {
    match json {
        Json::Object(members) => Some(Fields::read::<T>(members, at.to_owned(), faults)),
        Json::Null | Json::Bool(_) | Json::Integer(_) | Json::Number | Json::Text(_) | Json::List(_) => {
            wrong(faults, at, "an object is expected")
        }
    }
}

fn list<T>(
    json: Json,
    at: &str,
    faults: &mut Faults,
    read: impl Fn(Json, &str, &mut Faults) -> Option<T>,
) -> Option<Vec<T>> {
    match json {
        Json::List(items) => {
            let items = items.into_iter().enumerate();
            Some(items.filter_map(|(index, item)| read(item, &format!("{at}/{index}"), faults)).collect())
        }
        Json::Null | Json::Bool(_) | Json::Integer(_) | Json::Number | Json::Text(_) | Json::Object(_) => {
            wrong(faults, at, "an array is expected")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A person in an imaginary API.
    #[derive(Debug, PartialEq)]
    struct Person {
        name: Option<Secret<String>>,
        nickname: Patch<Secret<String>>,
        age: Option<i64>,
        alive: Option<bool>,
        home: Option<Home>,
        tags: Option<Vec<Secret<String>>>,
        homes: Patch<Vec<Home>>,
    }

    #[derive(Debug, PartialEq)]
    struct Home {
        city: Option<Secret<String>>,
    }

    impl FromFields for Person {
        type Value = Self;

        fn from_fields(fields: &mut Fields<'_>) -> Self {
            Self {
                name: fields.text("name"),
                nickname: fields.patch_text("nickname"),
                age: fields.integer("age"),
                alive: fields.boolean("alive"),
                home: fields.object::<Home>("home"),
                tags: fields.texts("tags"),
                homes: fields.patch_objects::<Home>("homes"),
            }
        }
    }

    impl FromFields for Home {
        type Value = Self;

        fn from_fields(fields: &mut Fields<'_>) -> Self {
            Self { city: fields.text("city") }
        }
    }

    fn read(text: &str) -> (Person, Vec<(String, &'static str)>) {
        let Json::Object(members) = Json::parse(text.as_bytes()).unwrap() else { panic!("an object") };
        let mut faults = Faults::new();
        let person = Fields::read::<Person>(members, String::new(), &mut faults);
        let faults = faults.as_slice().iter().map(|fault| (fault.pointer.clone(), fault.code)).collect();
        (person, faults)
    }

    #[test]
    fn every_field_is_read() {
        let (person, faults) = read(
            r#"{"name": "Ada", "nickname": null, "age": 36, "alive": false, "home": {"city": "London"},
                "tags": ["a", "b"], "homes": [{"city": "Paris"}, {}]}"#,
        );
        assert_eq!(faults, []);
        let text = |text: &str| Secret::new(text.to_owned());
        let home = |city: &str| Home { city: Some(text(city)) };
        assert_eq!(
            person,
            Person {
                name: Some(text("Ada")),
                nickname: Patch::Clear,
                age: Some(36),
                alive: Some(false),
                home: Some(home("London")),
                tags: Some(vec![text("a"), text("b")]),
                homes: Patch::Set(vec![home("Paris"), Home { city: None }]),
            }
        );
    }

    #[test]
    fn absent_null_and_set_are_three_states() {
        assert_eq!(read("{}").0.nickname, Patch::Keep);
        assert_eq!(read(r#"{"nickname": null}"#).0.nickname, Patch::Clear);
        assert_eq!(read(r#"{"nickname": "A"}"#).0.nickname, Patch::Set(Secret::new("A".to_owned())));
        assert_eq!(read(r#"{"name": null, "home": null}"#).1, []);
    }

    #[test]
    fn every_fault_is_found_with_its_pointer() {
        let (person, faults) = read(
            r#"{"name": 1, "nickname": [], "age": 1.5, "alive": "no", "home": {"city": {}, "zip": "x"},
                "tags": ["a", null, 3], "homes": [{"city": true}, 7], "role": "admin"}"#,
        );
        let expected = [
            ("/name", "field.type"),
            ("/nickname", "field.type"),
            ("/age", "field.type"),
            ("/alive", "field.type"),
            ("/home/city", "field.type"),
            ("/home/zip", "field.unknown"),
            ("/tags/1", "field.type"),
            ("/tags/2", "field.type"),
            ("/homes/0/city", "field.type"),
            ("/homes/1", "field.type"),
            ("/role", "field.unknown"),
        ];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(person.nickname, Patch::Keep);
    }

    #[test]
    fn the_name_of_an_unknown_field_is_repeated_only_where_it_looks_like_one() {
        let long = "x".repeat(65);
        for odd in
            ["Ada Lovelace", "Ada", "ada@example.com", "1990-12-10", "925076473", "a/b", "", &long, "名"]
        {
            let (_, faults) = read(&format!(r#"{{"home": {{"{odd}": 1}}}}"#));
            assert_eq!(faults, [("/home".to_owned(), "field.unknown")], "{odd}");
        }
    }

    #[test]
    fn a_flood_of_faults_is_cut() {
        let letters = |index: u32| index.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
        let many: Vec<String> =
            (0..5_000).map(letters).map(|name: String| format!(r#""{name}": 0"#)).collect();
        assert_eq!(read(&format!("{{{}}}", many.join(","))).1.len(), MAX_FAULTS);
        let many = vec!["0"; 5_000].join(",");
        assert_eq!(read(&format!(r#"{{"tags": [{many}]}}"#)).1.len(), MAX_FAULTS);
    }
}
