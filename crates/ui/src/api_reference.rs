//! The page on which a person reads what programs can call.

use askama::Template;

use crate::{Chrome, links};

/// One call of the API, as its own route table tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiCall {
    /// Upper case.
    pub method: String,
    /// With its arguments in braces.
    pub path: String,
    /// The part of the API it belongs to.
    pub area: String,
    pub doc: String,
    /// The permission, in words.
    pub need: String,
    /// Names of shapes in the OpenAPI document; empty for none.
    pub takes: String,
    pub gives: String,
}

/// The calls of one part of the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiArea {
    pub name: String,
    pub calls: Vec<ApiCall>,
}

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "api_reference.html")]
pub struct ApiReference {
    pub chrome: Chrome,
    /// What was looked for; empty: everything.
    pub find: String,
    pub areas: Vec<ApiArea>,
}

impl ApiReference {
    /// The calls that have every word of `find` somewhere, by area.
    pub fn of(chrome: Chrome, calls: &[ApiCall], find: &str) -> Self {
        let words: Vec<String> = find.split_whitespace().map(str::to_lowercase).collect();
        let mut areas: Vec<ApiArea> = Vec::new();
        for call in calls.iter().filter(|call| call.has(&words)) {
            match areas.iter_mut().find(|area| area.name == call.area) {
                Some(area) => area.calls.push(call.clone()),
                None => areas.push(ApiArea { name: call.area.clone(), calls: vec![call.clone()] }),
            }
        }
        areas.sort_by(|a, b| a.name.cmp(&b.name));
        Self { chrome, find: find.to_owned(), areas }
    }

    fn found(&self) -> String {
        let calls: usize = self.areas.iter().map(|area| area.calls.len()).sum();
        format!("{calls} {}.", if calls == 1 { "call" } else { "calls" })
    }

    fn here(&self) -> &'static str {
        links::API
    }

    fn document(&self) -> &'static str {
        links::API_DOCUMENT
    }
}

impl ApiCall {
    fn has(&self, words: &[String]) -> bool {
        let all = [&self.path, &self.doc, &self.need, &self.area].map(|part| part.to_lowercase());
        words.iter().all(|word| all.iter().any(|part| part.contains(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str, area: &str, need: &str) -> ApiCall {
        ApiCall { path: path.into(), area: area.into(), need: need.into(), ..ApiCall::default() }
    }

    #[test]
    fn every_word_has_to_be_found() {
        let calls = [
            call("/tags/add", "tags", "perm_tag_editor"),
            call("/tags/index", "tags", "any key"),
            call("/events/add", "events", "perm_add"),
        ];
        let found = |find| ApiReference::of(Chrome::default(), &calls, find);
        assert_eq!(found("").areas.len(), 2);
        assert_eq!(found("").areas[0].name, "events");
        assert_eq!(found("TAGS add").areas[0].calls, calls[..1]);
        assert!(found("nothing").areas.is_empty());
        assert_eq!(found("perm_add").found(), "1 call.");
    }
}
