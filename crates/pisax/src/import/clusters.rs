//! Which galaxy cluster a list is about.

use super::list::{Subject, SubjectKind};
use anyhow::Result;
use pisax_access::Actor;
use pisax_formats::knowledge::stored;
use pisax_service::Service;
use pisax_store::knowledge::{ClusterRow, GalaxyRow};
use std::collections::HashMap;

/// Galaxies by their `type`, the ones to prefer first.
const ACTORS: &[&str] = &["threat-actor", "mitre-intrusion-set", "microsoft-activity-group"];
const MALWARE: &[&str] =
    &["malpedia", "botnet", "android", "mitre-malware", "tool", "rat", "stealer", "banker", "backdoor"];

/// Tags of clusters by the names they are known under.
#[derive(Default)]
pub struct Clusters {
    actors: HashMap<String, String>,
    malware: HashMap<String, String>,
}

impl Clusters {
    /// Reads the names of the clusters that lists can be about; empty on an instance without galaxies.
    pub fn load(service: &Service) -> Result<Self> {
        let actor = Actor::system("find the clusters of indicator lists");
        Ok(service.read(&actor, |r| {
            let galaxies: Vec<GalaxyRow> = r.galaxies()?.into_iter().filter(|g| g.enabled).collect();
            let mut named = |kinds: &[&str]| -> pisax_service::Result<HashMap<String, String>> {
                let mut rows = Vec::new();
                for kind in kinds {
                    for galaxy in galaxies.iter().filter(|g| g.kind == *kind) {
                        rows.append(&mut r.clusters(galaxy.id)?);
                    }
                }
                Ok(by_name(&rows))
            };
            Ok::<_, pisax_service::Error>(Self { actors: named(ACTORS)?, malware: named(MALWARE)? })
        })?)
    }

    /// The tag of the cluster that has the subject's name, else one of its aliases.
    pub fn tag(&self, subject: &Subject, aliases: &[String]) -> Option<&str> {
        let known = match subject.kind {
            SubjectKind::Actor => &self.actors,
            SubjectKind::Malware => &self.malware,
            SubjectKind::Other => return None,
        };
        let mut names = std::iter::once(&subject.name).chain(aliases);
        names.find_map(|name| known.get(&plain(name))).map(String::as_str)
    }
}

/// Names to tags: a cluster's own name goes before another's synonym, and earlier clusters before later ones.
fn by_name(rows: &[ClusterRow]) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for row in rows {
        names.entry(plain(&row.value)).or_insert_with(|| row.tag_name.clone());
    }
    for row in rows {
        for synonym in synonyms(&row.meta) {
            names.entry(plain(&synonym)).or_insert_with(|| row.tag_name.clone());
        }
    }
    names.remove("");
    names
}

/// A name as it is compared: `Arid Viper` is `aridviper`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The other names in a cluster's stored meta text.
fn synonyms(meta: &str) -> Vec<String> {
    let mut meta = stored::read_meta(meta);
    meta.retain(|(key, _)| key == "synonyms");
    meta.into_iter().flat_map(|(_, names)| names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::Uuid;

    fn cluster(tag: &str, value: &str, meta: &str) -> ClusterRow {
        ClusterRow {
            id: 0,
            uuid: Uuid::nil(),
            galaxy_id: 1,
            collection_uuid: Uuid::nil(),
            tag_name: tag.to_owned(),
            value: value.to_owned(),
            description: String::new(),
            source: String::new(),
            authors: String::new(),
            version: 1,
            meta: meta.to_owned(),
            related: String::new(),
            owned: None,
        }
    }

    #[test]
    fn a_name_goes_before_a_synonym_and_an_alias_comes_last() {
        let rows = [
            cluster("viper", "Arid Viper", r#"{"synonyms":["Desert Falcon","APT-C-23"],"country":["PS"]}"#),
            cluster("falcon", "Desert Falcon", "{}"),
        ];
        let clusters = Clusters { actors: by_name(&rows), malware: HashMap::new() };
        let subject = |name: &str, kind| Subject { kind, name: name.to_owned() };
        let actor = |name: &str| subject(name, SubjectKind::Actor);
        assert_eq!(clusters.tag(&actor("aridviper"), &[]), Some("viper"));
        assert_eq!(clusters.tag(&actor("desertfalcon"), &["arid viper".into()]), Some("falcon"));
        assert_eq!(clusters.tag(&actor("unknown"), &["".into(), "apt c 23".into()]), Some("viper"));
        assert_eq!(clusters.tag(&actor("ps"), &[]), None);
        assert_eq!(clusters.tag(&subject("aridviper", SubjectKind::Malware), &[]), None);
        assert_eq!(clusters.tag(&subject("aridviper", SubjectKind::Other), &[]), None);
    }
}
