//! The OpenAPI 3.1 description of everything that can be called, made from the route table: what is not in the
//! table is not described, and what is there cannot be left out.

mod calls;
mod spellings;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::request::Request;
use crate::routes::{self, Methods, Need, Route};
use calls::{CALLS, Call};
use pisax_access::Permission;
use serde_json::{Map, Value, json};
use spellings::SPELLINGS;
use std::sync::OnceLock;

/// Shapes of what is sent and answered, by name.
const SCHEMAS: &str = include_str!("openapi/schemas.json");

/// One call as people read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub method: &'static str,
    /// With its arguments in braces.
    pub path: String,
    pub controller: &'static str,
    /// Controller and action as `queryACL` names them.
    pub call: String,
    pub doc: &'static str,
    /// What the caller's role needs, in words.
    pub need: String,
    /// It changes something: refused to read-only keys.
    pub writes: bool,
    /// Names of schemas; empty for none.
    pub takes: &'static str,
    pub gives: &'static str,
}

/// Every call, in the order of the table.
pub fn operations() -> Vec<Operation> {
    routes::all()
        .flat_map(|route| {
            let call = call(route);
            methods(route.methods).iter().map(move |method| Operation {
                method,
                path: path(route, call.map_or("", |c| c.at)),
                controller: spelled(route.controller),
                call: route.url(),
                doc: route.doc,
                need: need(route.need),
                writes: matches!(route.need, Need::Write(_)),
                takes: if *method == "get" { "" } else { call.map_or("Any", |c| c.takes) },
                gives: call.map_or("Any", |c| c.gives),
            })
        })
        .collect()
}

fn call(route: &Route) -> Option<&'static Call> {
    CALLS.iter().find(|call| call.controller == route.controller && call.action == route.action)
}

fn methods(methods: Methods) -> &'static [&'static str] {
    match methods {
        Methods::Get => &["get"],
        Methods::Post => &["post"],
        Methods::Any => &["get", "post"],
    }
}

/// `/events/view/{event}`
fn path(route: &Route, arguments: &'static str) -> String {
    let mut path = String::from(if route.admin { "/admin" } else { "" });
    for part in [spelled(route.controller), spelled(route.action), arguments] {
        if !part.is_empty() {
            path.push('/');
            path.push_str(part);
        }
    }
    path
}

fn spelled(name: &'static str) -> &'static str {
    SPELLINGS.iter().find(|(plain, _)| *plain == name).map_or(name, |(_, spelled)| spelled)
}

fn need(need: Need) -> String {
    let any = |list: &[Permission]| {
        let names: Vec<String> = list.iter().map(|p| p.name().to_owned()).collect();
        names.join(" or ")
    };
    match need {
        Need::Public => "no key".to_owned(),
        Need::Key | Need::Read(&[]) => "any key".to_owned(),
        Need::Read(list) => any(list),
        Need::Write(&[]) => "any key".to_owned(),
        Need::Write(list) => any(list),
    }
}

/// GET /api/openapi: the document.
pub(crate) fn document(_: &Request) -> Result<Answer, Failure> {
    static DOCUMENT: OnceLock<Vec<u8>> = OnceLock::new();
    Ok(Answer::json(DOCUMENT.get_or_init(|| whole().to_string().into_bytes()).clone()))
}

fn whole() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let entry = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        entry[operation.method] = described(&operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "PISAX",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A threat-sharing platform that answers as MISP 2.5 does.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "key": [] }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "securitySchemes": { "key": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "The 40 characters of an API key, without a word before them.",
            } },
            "schemas": schemas(),
        },
    })
}

/// The shapes; the file is part of the program and its test reads it.
fn schemas() -> Value {
    serde_json::from_str(SCHEMAS).unwrap_or_default()
}

fn tags() -> Value {
    let mut names: Vec<&str> = routes::all().map(|route| spelled(route.controller)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

fn described(operation: &Operation) -> Value {
    let mut said = json!({
        "summary": operation.doc,
        "description": format!(
            "Needs {}.{}",
            operation.need,
            if operation.writes { " Refused to read-only keys." } else { "" }
        ),
        "operationId": format!("{}{}", operation.method, operation.path.replace(['/', '{', '}'], "_")),
        "tags": [operation.controller],
        "x-queryacl": operation.call,
        "parameters": arguments(&operation.path),
        "responses": {
            "200": { "description": "Done, or found.", "content": answered(operation.gives) },
            "403": refusal("The key, the role, or what was sent is refused; `errors` names the fields."),
            "404": refusal("Not there, or not visible: the two are never told apart."),
            "405": refusal("No JSON, a wrong method, or MISP's refusal of the impossible."),
        },
    });
    if !operation.takes.is_empty() {
        said["requestBody"] = json!({ "content": content(operation.takes), "required": false });
    }
    said
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn content(name: &str) -> Value {
    json!({ "application/json": { "schema": reference(name) } })
}

/// Answers that are no JSON say which kind of text they are.
fn answered(name: &str) -> Value {
    match name {
        "Text" => json!({ "text/plain": { "schema": { "type": "string" } } }),
        "Bytes" => json!({ "application/octet-stream": { "schema": { "type": "string" } } }),
        name => content(name),
    }
}

fn refusal(description: &str) -> Value {
    json!({ "description": description, "content": content("Failure") })
}

/// The arguments in a path.
fn arguments(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let text = json!({ "type": "string" });
            json!({ "name": name, "in": "path", "required": true, "schema": text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Map<String, Value> {
        let Value::Object(map) = serde_json::from_str(SCHEMAS).unwrap() else { panic!("no object") };
        map
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let missing: Vec<String> = routes::all()
            .filter(|route| call(route).is_none())
            .map(|route| format!("{}/{}", route.controller, route.action))
            .collect();
        assert!(missing.is_empty(), "not described: {missing:?}");
        for (i, one) in CALLS.iter().enumerate() {
            let name = (one.controller, one.action);
            assert!(routes::all().any(|r| (r.controller, r.action) == name), "{name:?} is no route");
            assert!(
                CALLS[i + 1..].iter().all(|c| (c.controller, c.action) != name),
                "{name:?} is there twice"
            );
        }
    }

    #[test]
    fn every_shape_that_is_named_is_there() {
        let schemas = known();
        for call in CALLS {
            for name in [call.takes, call.gives] {
                let there = matches!(name, "Text" | "Bytes") || schemas.contains_key(name);
                assert!(there, "{}/{} names {name}, which is no schema", call.controller, call.action);
            }
        }
    }

    #[test]
    fn every_reference_between_shapes_leads_somewhere() {
        let schemas = known();
        let text = Value::Object(schemas.clone()).to_string();
        for part in text.split("#/components/schemas/").skip(1) {
            let name: String = part.chars().take_while(char::is_ascii_alphanumeric).collect();
            assert!(schemas.contains_key(&name), "{name}");
        }
    }

    #[test]
    fn a_spelling_differs_in_underscores_and_capitals_alone() {
        for (plain, spelled) in SPELLINGS {
            assert_eq!(*plain, spelled.replace('_', "").to_ascii_lowercase());
            let used = routes::all().any(|route| route.controller == *plain || route.action == *plain);
            assert!(used, "{plain} is no name of a route");
        }
    }

    #[test]
    fn a_path_names_an_argument_once() {
        for operation in operations() {
            let mut names: Vec<&str> = operation.path.split('/').filter(|p| p.starts_with('{')).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", operation.path);
        }
    }
}
