//! What a result is about rather than what is in it: `context` and `context-markdown` list the tags,
//! `attack` counts techniques, `attack-sightings` says when each was seen. Kept in memory is one entry per
//! tag.

use super::{AttributeFormat, EventSummary, ExportOptions, ExportRow};
use crate::xml::escaped;
use pisax_model::time;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// How often each tag stands on an event or an attribute.
#[derive(Default)]
struct Tags(BTreeMap<String, usize>);

impl Tags {
    fn add(&mut self, tags: &[&str]) {
        for tag in tags {
            *self.0.entry((*tag).to_owned()).or_default() += 1;
        }
    }

    /// Galaxies with their clusters, and how often each was named.
    fn galaxies(&self) -> BTreeMap<&str, Vec<(&str, usize)>> {
        let mut all: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for (tag, count) in &self.0 {
            if let Some((kind, value)) = cluster(tag) {
                all.entry(kind).or_default().push((value, *count));
            }
        }
        all
    }

    /// The other tags by the namespace they belong to.
    fn taxonomies(&self) -> BTreeMap<&str, Vec<(&str, usize)>> {
        let mut all: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for (tag, count) in self.0.iter().filter(|(tag, _)| cluster(tag).is_none()) {
            let namespace = tag.split_once(':').map_or("Custom tags", |(namespace, _)| namespace);
            all.entry(namespace).or_default().push((tag, *count));
        }
        all
    }
}

/// Type and value of the cluster a tag names.
fn cluster(tag: &str) -> Option<(&str, &str)> {
    let (kind, value) = tag.strip_prefix("misp-galaxy:")?.split_once('=')?;
    Some((kind, value.trim_matches('"')))
}

/// The technique a tag names: `T1566`, by MITRE's numbers behind the names.
fn technique<'t>(tag: &'t str, galaxy: &str) -> Option<(&'t str, &'t str)> {
    let (kind, value) = cluster(tag)?;
    let (name, number) = value.rsplit_once(" - ")?;
    (kind == galaxy).then_some((number, name))
}

const ATTACK: &str = "mitre-attack-pattern";

pub(super) struct Context {
    markdown: bool,
    tags: Tags,
}

impl Context {
    pub(super) fn new(markdown: bool) -> Self {
        Self { markdown, tags: Tags::default() }
    }

    fn lists(&self, out: &mut Vec<u8>) {
        let parts = [("Taxonomies", self.tags.taxonomies()), ("Galaxies", self.tags.galaxies())];
        for (title, groups) in parts {
            let title = match self.markdown {
                true => format!("\n## {title}\n"),
                false => format!("<h2>{title}</h2>\n"),
            };
            out.extend_from_slice(title.as_bytes());
            for (name, items) in groups {
                let head = match self.markdown {
                    true => format!("\n#### {}\n\n", plain(name)),
                    false => format!("<h4>{}</h4>\n<ul>\n", escaped(name)),
                };
                out.extend_from_slice(head.as_bytes());
                for (item, count) in items {
                    let line = match self.markdown {
                        true => format!("- {} ({count})\n", plain(item)),
                        false => format!("<li>{} ({count})</li>\n", escaped(item)),
                    };
                    out.extend_from_slice(line.as_bytes());
                }
                if !self.markdown {
                    out.extend_from_slice(b"</ul>\n");
                }
            }
        }
    }
}

/// Text that Markdown reads nothing into.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        if "\\`*_{}[]<>#|!".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl AttributeFormat for Context {
    fn event(&mut self, _event: &EventSummary<'_>, tags: &[&str], _out: &mut Vec<u8>) {
        self.tags.add(tags);
    }

    fn attribute(&mut self, row: &ExportRow<'_>, _out: &mut Vec<u8>) {
        self.tags.add(row.tags);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let head: &[u8] = if self.markdown { b"# Aggregated context data\n" } else { HTML_HEAD };
        out.extend_from_slice(head);
        if !self.markdown {
            out.extend_from_slice(b"<h1>Aggregated context data</h1>\n");
        }
        self.lists(out);
        if !self.markdown {
            out.extend_from_slice(b"</body></html>\n");
        }
    }

    fn content_type(&self) -> &'static str {
        if self.markdown { "text/markdown; charset=UTF-8" } else { "text/html; charset=UTF-8" }
    }

    fn extension(&self) -> &'static str {
        if self.markdown { "md" } else { "html" }
    }

    fn wants_event_tags(&self) -> bool {
        true
    }
}

const HTML_HEAD: &[u8] =
    b"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>MISP</title></head><body>\n";

pub(super) struct Attack {
    galaxy: String,
    tags: Tags,
}

impl Attack {
    pub(super) fn new(options: &ExportOptions) -> Self {
        let galaxy = options.attack_galaxy.clone().unwrap_or_else(|| ATTACK.to_owned());
        Self { galaxy, tags: Tags::default() }
    }
}

impl AttributeFormat for Attack {
    fn event(&mut self, _event: &EventSummary<'_>, tags: &[&str], _out: &mut Vec<u8>) {
        self.tags.add(tags);
    }

    fn attribute(&mut self, row: &ExportRow<'_>, _out: &mut Vec<u8>) {
        self.tags.add(row.tags);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let mut scores: Vec<(&str, &str, usize)> = Vec::new();
        for (tag, count) in &self.tags.0 {
            if let Some((number, name)) = technique(tag, &self.galaxy) {
                scores.push((number, name, *count));
            }
        }
        scores.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(b.0)));
        let most = scores.first().map_or(1, |(_, _, count)| *count);
        out.extend_from_slice(HTML_HEAD);
        let title = escaped(&self.galaxy);
        out.extend_from_slice(
            format!("<h1>{title}</h1>\n<table class=\"attack-matrix\">\n<thead><tr><th>Technique</th><th>Name</th><th>Score</th></tr></thead>\n<tbody>\n")
                .as_bytes(),
        );
        for (number, name, count) in scores {
            // From pale to full: the warmer, the more often.
            let warmth = 20 + count * 60 / most;
            let row = format!(
                "<tr style=\"background: hsl(10 80% {}%)\"><td>{}</td><td>{}</td><td>{count}</td></tr>\n",
                110 - warmth,
                escaped(number),
                escaped(name)
            );
            out.extend_from_slice(row.as_bytes());
        }
        out.extend_from_slice(b"</tbody></table>\n</body></html>\n");
    }

    fn content_type(&self) -> &'static str {
        "text/html; charset=UTF-8"
    }

    fn extension(&self) -> &'static str {
        "html"
    }

    fn wants_event_tags(&self) -> bool {
        true
    }
}

/// What one event or attribute says of techniques.
#[derive(Default)]
pub(super) struct AttackSightings {
    first: bool,
    /// Techniques of the event itself are not told again for each attribute.
    of_event: BTreeSet<String>,
}

impl AttackSightings {
    pub(super) fn new() -> Self {
        Self { first: true, of_event: BTreeSet::new() }
    }

    fn put(&mut self, uuid: String, tags: &[&str], moments: &[i64], out: &mut Vec<u8>) {
        let techniques: Vec<_> = tags
            .iter()
            .filter(|tag| !self.of_event.contains(**tag))
            .filter_map(|tag| technique(tag, ATTACK))
            .map(|(number, _)| json!({"techniqueID": number}))
            .collect();
        if techniques.is_empty() {
            return;
        }
        let moment = |secs: Option<&i64>| {
            time::format_datetime(secs.copied().unwrap_or_default()).replace(' ', "T") + "Z"
        };
        let entry = json!({
            "id": uuid,
            "sightingType": "direct-technique-sighting",
            "startTime": moment(moments.iter().min()),
            "endTime": moment(moments.iter().max()),
            "detectionType": "raw",
            "techniques": techniques,
        });
        if !std::mem::take(&mut self.first) {
            out.push(b',');
        }
        out.extend_from_slice(entry.to_string().as_bytes());
    }
}

impl AttributeFormat for AttackSightings {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.push(b'[');
    }

    fn event(&mut self, event: &EventSummary<'_>, tags: &[&str], out: &mut Vec<u8>) {
        self.of_event.clear();
        self.put(event.uuid.to_string(), tags, &[event.timestamp], out);
        self.of_event = tags.iter().map(|tag| (*tag).to_owned()).collect();
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let mut moments = vec![row.attribute.timestamp];
        moments.extend_from_slice(row.sighted);
        self.put(row.attribute.uuid.to_string(), row.tags, &moments, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.push(b']');
    }

    fn content_type(&self) -> &'static str {
        "application/json; charset=UTF-8"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn wants_event_tags(&self) -> bool {
        true
    }

    fn wants_sightings(&self) -> bool {
        true
    }
}
