//! What actions do, as the system, and within the bounds of a run.

mod attached;
mod call;
mod changed;
mod mail;
mod tag;

use super::facts::{self, Part};
use super::run::Run;
use pisax_formats::template;
use pisax_formats::workflow::write_data;
use pisax_model::ids::Ref;
use pisax_model::workflow::{Data, Node};
use rustc_hash::FxHashSet;

/// Attributes that one action is for.
const MAX_ITEMS: usize = 1000;
/// What a message or a comment has at most, in bytes.
const MAX_TEXT: usize = 64 * 1024;

fn told(error: impl ToString) -> String {
    error.to_string()
}

impl Run<'_> {
    /// Does what the action of a node does; an error says why it did not.
    pub(super) fn act(&mut self, node: &Node) -> Result<(), String> {
        // Those that change what comes next see say with what.
        let next = match node.module.as_str() {
            "attach-warninglist" => self.attach_warninglists(node).map(Some),
            "attach-decay-score" => self.attach_scores(node).map(Some),
            "attach-enrichment" => self.attach_enrichment(node).map(Some),
            "enrich-event" => self.enrich(node).and_then(|()| self.reloaded().map(Some)),
            "Module_attribute_comment_operation" => self.comment(node).map(Some),
            "attribute_ids_flag_operation" => self.flag(node).map(Some),
            "Module_event_distribution_operation" => self.distribute(node).map(Some),
            "proposal-action" => self.settle_proposals(node),
            "reload-full-event" => self.reloaded().map(Some),
            _ => self.act_aside(node).map(|()| None),
        }?;
        if let Some(data) = next {
            self.go_on_with(data);
        }
        Ok(())
    }

    fn act_aside(&self, node: &Node) -> Result<(), String> {
        match node.module.as_str() {
            "stop-execution" => Err(self.rendered(node, "message", MAX_TEXT)?),
            "tag_operation" => self.tag(node),
            "tag_replacement_tlp" | "tag_replacement_pap" => self.replace_tags(node),
            "assign_country" => self.assign_country(node),
            "publish-event" => {
                let event = self.event()?;
                crate::event::publish(self.service, &self.actor, event).map(drop).map_err(told)
            }
            "add_eventblocklist_entry" => self.block_event(node),
            "add_to_warninglist" => self.extend_warninglist(node),
            "push-zmq" => {
                let json = self.picked(&node.text("data_extraction_path"));
                self.service.push(json).map_err(told)
            }
            "send-mail" | "send-log-mail" => self.mail(node),
            "webhook" => self.call(node),
            "ms-teams-webhook" => self.tell_teams(node),
            "splunk-hec-export" => self.send_to_splunk(node),
            other => Err(format!("nothing is known of `{other}`")),
        }
    }

    /// The event that the data is about.
    fn event(&self) -> Result<Ref, String> {
        Ok(Ref::Id(self.event_id()?))
    }

    fn event_id(&self) -> Result<i64, String> {
        let id = self.data().at("Event.id").and_then(Data::text).and_then(|id| id.parse().ok());
        id.ok_or_else(|| "the data has no stored event".into())
    }

    /// A template that the node is told, with the data in it.
    fn rendered(&self, node: &Node, param: &str, most: usize) -> Result<String, String> {
        template::render(&node.text(param), &self.data(), most)
            .map_err(|reason| format!("`{param}`: {reason}"))
    }

    /// What a path picks of the data, or all of it: JSON.
    fn picked(&self, path: &str) -> String {
        let data = self.data();
        match path.trim() {
            "" => write_data(&data),
            path => write_data(&Data::List(data.pick(path).into_iter().cloned().collect())),
        }
    }

    /// The attributes that an action is for: those its filter keeps, or all.
    fn items<'d>(&self, node: &Node, data: &'d Data) -> Result<Vec<&'d Data>, String> {
        let items = match &node.filter {
            Some(filter) => filter.among(data),
            None => data.pick("Event._AttributeFlattened.{n}"),
        };
        match items.len() > MAX_ITEMS {
            true => Err(format!("there are more than {MAX_ITEMS} attributes for one action")),
            false => Ok(items),
        }
    }

    /// Their row numbers; those that are not stored yet have none.
    fn item_ids(&self, node: &Node) -> Result<FxHashSet<i64>, String> {
        let data = self.data();
        let items = self.items(node, &data)?;
        let id = |item: &&Data| item.member("id").and_then(Data::text).and_then(|id| id.parse().ok());
        Ok(items.iter().filter_map(id).collect())
    }

    /// The whole event as it is stored now, beside what else there is.
    fn reloaded(&self) -> Result<Data, String> {
        let id = self.event_id()?;
        let stored = self.service.read(&self.actor, |r| facts::event(r, id, Part::All)).map_err(told)?;
        let stored = stored.ok_or("the event is gone")?;
        let mut data = self.whole_data().clone();
        data.put("Event", stored.member("Event").cloned().unwrap_or_default());
        Ok(data)
    }

    fn in_time(&self) -> Result<(), String> {
        match self.time_left().is_zero() {
            true => Err("there was no time for all of them".into()),
            false => Ok(()),
        }
    }
}
