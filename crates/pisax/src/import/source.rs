//! What there is to import: files, feed folders, folders of files.

use anyhow::{Context, Result, bail};
use pisax_model::Uuid;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One file to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub path: PathBuf,
    pub form: Form,
    pub bytes: u64,
    /// From a feed's manifest: event and timestamp, so that an event that is here already need not be read.
    pub listed: Option<(Uuid, i64)>,
    /// What is in it, when it is no file but came with the program.
    pub built_in: Option<&'static str>,
}

impl Source {
    pub fn read(&self) -> std::io::Result<Cow<'static, [u8]>> {
        match self.built_in {
            Some(text) => Ok(text.as_bytes().into()),
            None => Ok(std::fs::read(&self.path)?.into()),
        }
    }

    fn file(path: PathBuf, form: Form, bytes: u64) -> Self {
        Self { path, form, bytes, listed: None, built_in: None }
    }

    /// Events that came with the program, under a name for complaints.
    pub fn built_in(name: &str, text: &'static str) -> Self {
        Self { built_in: Some(text), ..Self::file(name.into(), Form::Events, text.len() as u64) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// MISP's JSON: an event, a list of them, or the answer of a search.
    Events,
    /// One indicator a line.
    Indicators,
}

const MANIFEST: &str = "manifest.json";

/// Adds what a path stands for: the file; the events of a feed's manifest; else the `.json` and `.txt` files of
/// the folder.
pub fn collect(path: &Path, sources: &mut Vec<Source>) -> Result<()> {
    let about = std::fs::metadata(path).with_context(|| path.display().to_string())?;
    if !about.is_dir() {
        let form = form_of(path).with_context(|| {
            format!("{}: neither .json (MISP events, STIX 2 bundles) nor .txt (indicators)", path.display())
        })?;
        sources.push(Source::file(path.to_owned(), form, about.len()));
        return Ok(());
    }
    if path.join(MANIFEST).exists() {
        return feed(path, sources);
    }
    let before = sources.len();
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        let entry = entry.with_context(|| path.display().to_string())?.path();
        // Follows links, as for a file that is named.
        let about = std::fs::metadata(&entry).with_context(|| entry.display().to_string())?;
        if let Some(form) = form_of(&entry).filter(|_| about.is_file()) {
            sources.push(Source::file(entry, form, about.len()));
        }
    }
    if sources.len() == before {
        bail!("{}: no {MANIFEST}, and no .json or .txt file in it", path.display());
    }
    sources[before..].sort_by(|a, b| a.path.cmp(&b.path));
    Ok(())
}

fn form_of(path: &Path) -> Option<Form> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Form::Events),
        "txt" => Some(Form::Indicators),
        _ => None,
    }
}

/// What a manifest says of an event; the rest is in the event's own file.
#[derive(Deserialize)]
struct Listed {
    timestamp: Option<Number>,
}

/// MISP writes numbers as texts, other feeds as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(i64),
}

fn feed(folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    let manifest = folder.join(MANIFEST);
    let place = || manifest.display().to_string();
    let text = std::fs::read(&manifest).with_context(place)?;
    let listed: BTreeMap<String, Listed> = serde_json::from_slice(&text).with_context(place)?;
    for (name, listed) in listed {
        // Only a uuid becomes a file name: a manifest comes from somebody else.
        let Ok(uuid) = Uuid::try_parse(&name) else { bail!("{}: '{name}' is no uuid", place()) };
        let path = folder.join(format!("{uuid}.json"));
        let bytes = std::fs::metadata(&path).map_or(0, |about| about.len());
        let timestamp = listed.timestamp.and_then(|t| match t {
            Number::Text(text) => text.parse().ok(),
            Number::Number(number) => Some(number),
        });
        let listed = timestamp.map(|t| (uuid, t));
        sources.push(Source { listed, ..Source::file(path, Form::Events, bytes) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("pisax-source-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn collected(path: &Path) -> Result<Vec<Source>, String> {
        let mut sources = Vec::new();
        collect(path, &mut sources).map_err(|e| format!("{e:#}"))?;
        Ok(sources)
    }

    #[test]
    fn a_feed_is_what_its_manifest_lists() {
        let folder = folder("feed");
        let uuid = "5f1c2d3e-4a5b-4c6d-8e7f-0123456789ab";
        std::fs::write(folder.join("hashes.csv"), "").unwrap();
        std::fs::write(folder.join("unlisted.json"), "{}").unwrap();
        std::fs::write(folder.join(MANIFEST), format!(r#"{{"{uuid}":{{"timestamp":"17","Orgc":{{}}}}}}"#))
            .unwrap();
        let found = collected(&folder).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, folder.join(format!("{uuid}.json")));
        assert_eq!(found[0].listed, Some((Uuid::try_parse(uuid).unwrap(), 17)));
        std::fs::write(folder.join(MANIFEST), r#"{"../../etc/passwd":{}}"#).unwrap();
        assert!(collected(&folder).unwrap_err().contains("is no uuid"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_without_manifest_is_its_files_by_name() {
        let folder = folder("plain");
        assert!(collected(&folder).unwrap_err().contains("no manifest.json"));
        for name in ["b.txt", "a.json", "LICENSE"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let found = collected(&folder).unwrap();
        let forms: Vec<_> = found.iter().map(|s| s.form).collect();
        assert_eq!(forms, [Form::Events, Form::Indicators]);
        assert!(collected(&folder.join("LICENSE")).unwrap_err().contains("neither .json"));
        assert!(collected(&folder.join("missing.json")).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
