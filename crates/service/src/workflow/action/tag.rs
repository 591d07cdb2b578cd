//! Tags: attached, taken off, and put in the place of others.

use super::told;
use crate::attribute::{self, Target};
use crate::workflow::run::Run;
use pisax_model::ids::Ref;
use pisax_model::workflow::{Data, Node};

const MAX_TAGS: usize = 50;

impl Run<'_> {
    pub(super) fn tag(&self, node: &Node) -> Result<(), String> {
        let tags = node.param("tags").texts();
        if tags.is_empty() || tags.len() > MAX_TAGS {
            return Err(format!("between 1 and {MAX_TAGS} tags have to be picked"));
        }
        let targets: Vec<Target> = match node.text("scope").as_str() {
            "attribute" => {
                self.item_ids(node)?.into_iter().map(|id| Target::Attribute(Ref::Id(id))).collect()
            }
            _ => vec![Target::Event(self.event()?)],
        };
        let locality = node.text("locality");
        let remove = node.text("action") == "remove";
        let relationship = Some(node.text("relationship_type")).filter(|text| !text.is_empty());
        for target in targets {
            self.in_time()?;
            if !remove {
                let local = locality != "global";
                attribute::tag(self.service, &self.actor, target, &tags, local, relationship.clone())
                    .map_err(told)?;
                continue;
            }
            let mut carried = Vec::with_capacity(tags.len());
            for name in &tags {
                if self.carries(target, name, &locality)? {
                    carried.push(name.clone());
                }
            }
            attribute::untag(self.service, &self.actor, target, &carried).map_err(told)?;
        }
        Ok(())
    }

    /// Whether the tag is there to be taken off.
    fn carries(&self, target: Target, name: &str, locality: &str) -> Result<bool, String> {
        let attached = self.service.read(&self.actor, |r| {
            Ok(match target {
                Target::Event(Ref::Id(id)) => r.event_tags(&[id])?.remove(&id),
                Target::Attribute(Ref::Id(id)) => r.attribute_tags(&[id])?.remove(&id),
                _ => None,
            })
        });
        let attached = attached.map_err(told)?.unwrap_or_default();
        let wanted = |local: bool| match locality {
            "local" => local,
            "global" => !local,
            _ => true,
        };
        Ok(attached.iter().any(|a| a.tag.name.eq_ignore_ascii_case(name) && wanted(a.local)))
    }

    /// Attaches a taxonomy's own tag where another spelling of it stands (`TLP: Red`, `tlp=red`).
    pub(super) fn replace_tags(&self, node: &Node) -> Result<(), String> {
        let right = if node.module == "tag_replacement_tlp" { right_tlp } else { right_pap };
        let local = node.text("locality") != "global";
        let remove = node.text("remove_substituted") == "yes";
        let relationship = Some(node.text("relationship_type")).filter(|text| !text.is_empty());
        let scope = node.text("scope");
        let data = self.data();
        let mut places = Vec::new();
        if matches!(scope.as_str(), "event" | "all") {
            places.push((Target::Event(self.event()?), data.pick("Event.Tag.{n}.name")));
        }
        if matches!(scope.as_str(), "attribute" | "all") {
            for item in self.items(node, &data)? {
                let id = item.member("id").and_then(Data::text).and_then(|id| id.parse().ok());
                let Some(id) = id else { continue };
                places.push((Target::Attribute(Ref::Id(id)), item.pick("Tag.{n}.name")));
            }
        }
        for (target, names) in places {
            self.in_time()?;
            for name in names.iter().filter_map(|name| name.text()) {
                // Tags that differ in case are one.
                let Some(tag) = right(&name).filter(|tag| !tag.eq_ignore_ascii_case(&name)) else { continue };
                if remove && self.carries(target, &name, "any")? {
                    attribute::untag(self.service, &self.actor, target, &[name.clone()]).map_err(told)?;
                }
                attribute::tag(self.service, &self.actor, target, &[tag], local, relationship.clone())
                    .map_err(told)?;
            }
        }
        Ok(())
    }

    /// Attaches the clusters of countries whose names a path picks.
    pub(super) fn assign_country(&self, node: &Node) -> Result<(), String> {
        let data = self.data();
        let path = node.text("hash_path");
        let local = node.text("locality") != "global";
        let relationship = Some(node.text("relationship_type")).filter(|text| !text.is_empty());
        let on_event = node.text("scope") != "attribute";
        for item in self.items(node, &data)? {
            self.in_time()?;
            let id = item.member("id").and_then(Data::text).and_then(|id| id.parse().ok());
            let names: Vec<String> = item
                .pick(path.strip_prefix("{n}.").filter(|_| on_event).unwrap_or(&path))
                .into_iter()
                .filter_map(Data::text)
                .take(MAX_TAGS)
                .map(|country| format!("misp-galaxy:country=\"{}\"", country.trim().to_lowercase()))
                .collect();
            let known =
                self.service.read(&self.actor, |r| Ok(r.cluster_by_tag_names(&names)?)).map_err(told)?;
            for cluster in known.into_values() {
                let target = match (on_event, id) {
                    (true, _) => Target::Event(self.event()?),
                    (false, Some(id)) => Target::Attribute(Ref::Id(id)),
                    (false, None) => continue,
                };
                let (names, relationship) = ([cluster.tag_name], relationship.clone());
                attribute::tag(self.service, &self.actor, target, &names, local, relationship)
                    .map_err(told)?;
            }
        }
        Ok(())
    }
}

/// The tag of the taxonomy that a spelling means: its name or its title, a separator, one of its words.
fn right_tag(tag: &str, short: &str, long: &[&str], words: &[&str]) -> Option<String> {
    let tag = tag.trim().to_lowercase();
    let rest = match tag.strip_prefix(short) {
        Some(rest) => rest,
        None => {
            let mut rest = tag.as_str();
            for word in long {
                rest = rest.strip_prefix(word)?;
                rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
            }
            return words.iter().find(|word| rest.trim_matches('"') == **word).map(|word| (*word).to_owned());
        }
    };
    let word = rest.trim_start_matches([':', '-', '=', ' ', '\t']);
    let separated = (1..=2).contains(&(rest.len() - word.len()));
    words.iter().find(|known| separated && word.trim_matches('"') == **known).map(|word| (*word).to_owned())
}

fn right_tlp(tag: &str) -> Option<String> {
    let words = ["white", "clear", "green", "amber", "amber+strict", "red"];
    right_tag(tag, "tlp", &["traffic", "light", "protocol"], &words).map(|word| format!("tlp:{word}"))
}

fn right_pap(tag: &str) -> Option<String> {
    let words = ["white", "clear", "green", "amber", "red"];
    let word = right_tag(tag, "pap", &["permissible", "actions", "protocol"], &words)?;
    Some(format!("PAP:{}", word.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_mean_a_tag_of_the_taxonomy() {
        for (spelling, tag) in [
            ("TLP:RED", Some("tlp:red")),
            ("tlp: amber+strict", Some("tlp:amber+strict")),
            ("tlp=\"green\"", Some("tlp:green")),
            ("Traffic Light Protocol: white", Some("tlp:white")),
            ("tlp:red", Some("tlp:red")),
            ("tlpred", None),
            ("TLP - AMBER", None),
            ("tlp:::red", None),
            ("tlp:ex:chr", None),
            ("pap:red", None),
            ("type:OSINT", None),
        ] {
            assert_eq!(right_tlp(spelling).as_deref(), tag, "{spelling}");
        }
        assert_eq!(right_pap("pap:amber").as_deref(), Some("PAP:AMBER"));
        assert_eq!(right_pap("Permissible Actions Protocol - red").as_deref(), Some("PAP:RED"));
        assert_eq!(right_pap("tlp:red"), None);
    }
}
