//! `pisax demo`: sample events to look at.

use super::import::run_all;
use crate::config::Config;
use crate::import::{self, Form, ListStyle, Source};
use anyhow::{Result, bail};
use pisax_model::event::EventDraft;
use std::path::Path;

/// Real events and indicator lists beside the project's folder, where there are any.
const FOLDERS: [&str; 2] = ["../shared/data/events", "../shared/data/indicators"];

/// Events of an exchange that never was: documentation addresses and names only.
const BUILT_IN: [(&str, &str); 3] = [
    ("prefix-hijack.json", include_str!("../../demo/prefix-hijack.json")),
    ("noc-phishing.json", include_str!("../../demo/noc-phishing.json")),
    ("route-server-scan.json", include_str!("../../demo/route-server-scan.json")),
];

/// The lists are public, and a demonstration should look like an instance at work.
const STYLE: ListStyle = ListStyle { tags: &["tlp:clear"], distribution: Some(3), publish: true };

pub fn run(config: &Config) -> Result<()> {
    let mut sources = Vec::new();
    for folder in FOLDERS.map(Path::new) {
        if folder.is_dir() {
            import::collect(folder, &mut sources)?;
        }
    }
    // The folder of events also holds the same events in other formats.
    sources.retain(|source| source.form == Form::Indicators || holds_events(source));
    if sources.is_empty() {
        sources = BUILT_IN.iter().map(|(name, text)| Source::built_in(name, text)).collect();
    }
    let report = run_all(config, &sources, STYLE, "pisax demo")?;
    match report.broken {
        0 => Ok(()),
        broken => bail!("{broken} of the sample files could not be loaded; the reasons stand above"),
    }
}

fn holds_events(source: &Source) -> bool {
    let events = source.read().ok().and_then(|body| pisax_wire::read_events(&body).ok());
    events.is_some_and(|events| events.iter().any(|event| *event != EventDraft::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn the_built_in_events_are_whole_and_share_values() {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (name, text) in BUILT_IN {
            assert!(holds_events(&Source::built_in(name, text)), "{name}");
            let events = pisax_wire::read_events(text.as_bytes()).unwrap();
            assert_eq!(events.len(), 1, "{name}");
            let event = &events[0];
            assert!(event.uuid.is_some() && event.timestamp.is_some(), "{name}");
            assert!(event.attributes.len() > 5, "{name}");
            let values: std::collections::HashSet<_> =
                event.attributes.iter().flat_map(|a| &a.value).collect();
            values.into_iter().for_each(|value| *seen.entry(value.clone()).or_default() += 1);
        }
        assert!(seen.values().filter(|times| **times > 1).count() >= 3);
    }
}
