//! Observables as comparisons, so that what was observed and what an indicator looks for are read alike.

use super::Stix;
use super::parts::{list, text};
use crate::stix2::pattern::Comparison;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

/// How much may come of one bundle: references can name the same large object again and again.
#[derive(Default)]
pub(super) struct Budget {
    comparisons: usize,
    /// Ids of observables that belong to something else, once somebody asked.
    pub parts: Option<FxHashSet<String>>,
}

impl Budget {
    /// Observations have three to ten values; a few are long lists.
    pub(super) fn of(objects: usize) -> Self {
        Self { comparisons: 50_000 + 50 * objects, parts: None }
    }
}

const TOO_MUCH: &str = "The references of this bundle lead to more than can be read.";
/// How far references are followed.
const DEEPEST: usize = 6;

/// Kinds of STIX that are observables.
pub(super) fn is_observable(kind: &str) -> bool {
    matches!(
        kind,
        "autonomous-system"
            | "domain-name"
            | "email-addr"
            | "email-message"
            | "file"
            | "ipv4-addr"
            | "ipv6-addr"
            | "mac-addr"
            | "mutex"
            | "network-traffic"
            | "process"
            | "url"
            | "user-account"
            | "windows-registry-key"
            | "x509-certificate"
    )
}

/// Ids that an observable refers to.
pub(super) fn references(object: &Stix, named: &mut FxHashSet<String>) {
    for (key, value) in object {
        match value {
            Value::String(id) if key.ends_with("_ref") => {
                named.insert(id.clone());
            }
            Value::Array(ids) if key.ends_with("_refs") => {
                named.extend(ids.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
}

/// What was observed, one list of comparisons for each thing.
pub(super) fn of_observed(
    observed: &Stix,
    by_id: &FxHashMap<&str, &Stix>,
    budget: &mut Budget,
) -> Result<Vec<Vec<Comparison>>, &'static str> {
    if let Some(Value::Object(nested)) = observed.get("objects") {
        let local: FxHashMap<&str, &Stix> =
            nested.iter().filter_map(|(key, object)| Some((key.as_str(), object.as_object()?))).collect();
        let objects: Vec<&Stix> = nested.values().filter_map(Value::as_object).collect();
        return of_observables_named(&objects, nested.keys().map(String::as_str), &local, budget);
    }
    let ids: Vec<&str> = list(observed, "object_refs").filter(|id| by_id.contains_key(id)).collect();
    let objects: Vec<&Stix> = ids.iter().filter_map(|id| by_id.get(id).copied()).collect();
    of_observables_named(&objects, ids.into_iter(), by_id, budget)
}

pub(super) fn of_observables(
    objects: &[&Stix],
    by_id: &FxHashMap<&str, &Stix>,
    budget: &mut Budget,
) -> Result<Vec<Vec<Comparison>>, &'static str> {
    let ids: Vec<&str> = objects.iter().map(|o| text(o, "id").unwrap_or_default()).collect();
    of_observables_named(objects, ids.into_iter(), by_id, budget)
}

fn of_observables_named<'n>(
    objects: &[&Stix],
    names: impl Iterator<Item = &'n str>,
    by_name: &FxHashMap<&str, &Stix>,
    budget: &mut Budget,
) -> Result<Vec<Vec<Comparison>>, &'static str> {
    let mut named = FxHashSet::default();
    objects.iter().for_each(|object| references(object, &mut named));
    for object in objects {
        // A part of an e-mail refers to its file from within a list.
        if let Some(Value::Array(parts)) = object.get("body_multipart") {
            parts.iter().filter_map(Value::as_object).for_each(|part| references(part, &mut named));
        }
    }
    let mut all = Vec::new();
    for (name, object) in names.zip(objects) {
        let kind = text(object, "type").unwrap_or_default();
        if named.contains(name) || !is_observable(kind) {
            continue;
        }
        let mut flat = Flat { kind, by_name, out: Vec::new(), budget };
        flat.object(object, "", 0)?;
        all.push(flat.out);
    }
    Ok(all)
}

struct Flat<'a, 'b> {
    kind: &'a str,
    by_name: &'a FxHashMap<&'a str, &'a Stix>,
    out: Vec<Comparison>,
    budget: &'b mut Budget,
}

impl Flat<'_, '_> {
    fn object(&mut self, object: &Stix, path: &str, depth: usize) -> Result<(), &'static str> {
        for (key, value) in object {
            let top = depth == 0 && matches!(key.as_str(), "type" | "id" | "spec_version" | "defanged");
            let meta = matches!(key.as_str(), "id" | "spec_version") && depth > 0;
            if top || meta || matches!(key.as_str(), "object_marking_refs" | "created_by_ref") {
                continue;
            }
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.value(value, key, &path, depth)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, key: &str, path: &str, depth: usize) -> Result<(), &'static str> {
        if depth >= DEEPEST {
            return Ok(());
        }
        self.budget.comparisons = self.budget.comparisons.checked_sub(1).ok_or(TOO_MUCH)?;
        match value {
            Value::String(name) if key.ends_with("_ref") || key.ends_with("_refs") => {
                match self.by_name.get(name.as_str()).copied() {
                    Some(object) => self.object(object, path, depth + 1),
                    None => Ok(()),
                }
            }
            Value::String(text) => {
                self.add(path, text.clone());
                Ok(())
            }
            Value::Number(number) => {
                self.add(path, number.to_string());
                Ok(())
            }
            Value::Bool(_) | Value::Null => Ok(()),
            Value::Array(items) => items.iter().try_for_each(|item| self.value(item, key, path, depth + 1)),
            Value::Object(object) => self.object(object, path, depth + 1),
        }
    }

    fn add(&mut self, path: &str, value: String) {
        self.out.push(Comparison { kind: self.kind.to_owned(), path: path.to_owned(), value });
    }
}
