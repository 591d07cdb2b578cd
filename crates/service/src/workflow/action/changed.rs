//! Changes of an event, of its attributes, and of what keeps values and events out.

use super::{MAX_TEXT, told};
use crate::attribute::{self, Chosen};
use crate::workflow::run::Run;
use crate::{blocklist, event, knowledge, proposal};
use pisax_model::Uuid;
use pisax_model::attribute::AttributeDraft;
use pisax_model::ids::Ref;
use pisax_model::workflow::{Data, Node};

impl Run<'_> {
    pub(super) fn comment(&self, node: &Node) -> Result<Data, String> {
        let comment = self.rendered(node, "comment", MAX_TEXT)?;
        let draft = AttributeDraft { comment: Some(comment.clone()), ..AttributeDraft::default() };
        self.edit_attributes(node, &draft, "comment", &comment.into())
    }

    pub(super) fn flag(&self, node: &Node) -> Result<Data, String> {
        let on = node.text("action") != "remove";
        let draft = AttributeDraft { to_ids: Some(on), ..AttributeDraft::default() };
        self.edit_attributes(node, &draft, "to_ids", &on.into())
    }

    /// The same change to all of the attributes, in one transaction.
    fn edit_attributes(
        &self,
        node: &Node,
        draft: &AttributeDraft,
        member: &str,
        value: &Data,
    ) -> Result<Data, String> {
        let ids = self.item_ids(node)?;
        let chosen = Chosen::These(ids.iter().copied().collect());
        if !ids.is_empty() {
            attribute::edit_many(self.service, &self.actor, self.event()?, &chosen, draft).map_err(told)?;
        }
        let mut data = self.whole_data().clone();
        data.each_attribute(&|id| ids.contains(&id), &mut |_, attribute| {
            attribute.put(member, value.clone())
        });
        Ok(data)
    }

    pub(super) fn distribute(&self, node: &Node) -> Result<Data, String> {
        let level = node.text("distribution");
        let level: i64 = level.parse().map_err(|_| format!("`{level}` is no distribution"))?;
        let group =
            node.param("sharing_group_id").texts().first().and_then(|id| id.parse().ok()).map(Ref::Id);
        let freeze = node.text("freeze") == "freeze";
        event::distribute(self.service, &self.actor, self.event()?, (level, group), freeze).map_err(told)?;
        let mut data = self.whole_data().clone();
        data.put_at("Event.distribution", level.into());
        Ok(data)
    }

    /// Accepts or discards the proposals in the data; what comes next sees the event as it is then.
    pub(super) fn settle_proposals(&self, node: &Node) -> Result<Option<Data>, String> {
        let data = self.data();
        let mut proposals = Vec::new();
        match &node.filter {
            // Proposals themselves, or what they are about.
            Some(filter) => {
                for item in filter.among(&data) {
                    match item.member("ShadowAttribute") {
                        Some(Data::List(inside)) => proposals.extend(inside),
                        _ => proposals.push(item),
                    }
                }
            }
            None => {
                let kind = node.text("proposal_type");
                if matches!(kind.as_str(), "new" | "any" | "all") {
                    proposals.extend(data.pick("Event.ShadowAttribute.{n}"));
                }
                if matches!(kind.as_str(), "edit" | "any" | "all") {
                    proposals.extend(data.pick("Event._AttributeFlattened.{n}.ShadowAttribute.{n}"));
                }
            }
        }
        if proposals.is_empty() {
            return Ok(None);
        }
        for one in proposals {
            self.in_time()?;
            let id = one.member("id").and_then(Data::text).and_then(|id| id.parse().ok());
            // Attributes have numbers too, but proposals say what they would replace.
            let Some(id) = id.filter(|_| one.member("old_id").is_some()).map(Ref::Id) else { continue };
            match node.text("action").as_str() {
                "remove" => proposal::discard(self.service, &self.actor, id).map_err(told)?,
                _ => proposal::accept(self.service, &self.actor, id).map(drop).map_err(told)?,
            }
        }
        self.reloaded().map(Some)
    }

    pub(super) fn block_event(&self, node: &Node) -> Result<(), String> {
        let data = self.data();
        let text = |path: &str| data.at(path).and_then(Data::text);
        let path = node.text("uuid_hash_path");
        let uuid = text(&path).and_then(|text| Uuid::try_parse(text.trim()).ok());
        let uuid = uuid.ok_or_else(|| format!("there is no uuid at `{path}`"))?;
        let note = blocklist::Note {
            event_info: text(&node.text("eventinfo_hash_path")),
            event_orgc: text("Event.Orgc.name"),
            comment: Some(node.text("block_comment")),
        };
        blocklist::add(self.service, &self.actor, &[uuid], &note).map_err(told)
    }

    pub(super) fn extend_warninglist(&self, node: &Node) -> Result<(), String> {
        let data = self.data();
        let value = |item: &&Data| item.member("value").and_then(Data::text);
        let values: Vec<String> = self.items(node, &data)?.iter().filter_map(value).collect();
        let named = node.param("warninglist").texts();
        let named = named.first().ok_or("no warninglist is picked")?;
        knowledge::extend_warninglist(self.service, &self.actor, named, &values).map_err(told)
    }
}
