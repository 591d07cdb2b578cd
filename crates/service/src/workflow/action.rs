//! What actions do, as the system, and within the bounds of a run.

use super::run::Run;
use crate::attribute::{self, Target};
use crate::{event, mail};
use pisax_formats::workflow::write_data;
use pisax_model::ids::Ref;
use pisax_model::workflow::data::fill;
use pisax_model::workflow::{Data, Node};
use pisax_outbound::{Call, Method};
use pisax_store::mails::Mail;
use std::time::Duration;

/// Attributes that one action tags, and mails that one sends.
const MAX_ITEMS: usize = 1000;
const MAX_MAILS: usize = 1000;
const MAX_TAGS: usize = 50;
/// How long a call may take, and how much of its answer is read.
const CALL: Duration = Duration::from_secs(10);
const ANSWER: u64 = 64 * 1024;
/// What is sent and written at most, in bytes.
const MAX_PAYLOAD: usize = 64 * 1024 * 1024;
const MAX_MAIL: usize = 256 * 1024;
const MAX_HEADERS: usize = 32;

fn told(error: impl ToString) -> String {
    error.to_string()
}

impl Run<'_> {
    /// Does what the action of a node does; an error says why it did not.
    pub(super) fn act(&self, node: &Node) -> Result<(), String> {
        match node.module.as_str() {
            "stop-execution" => Err(fill(&node.text("message"), &self.data())),
            "tag_operation" => self.tag(node),
            "publish-event" => {
                let event = self.event()?;
                event::publish(self.service, &self.actor, event).map(drop).map_err(told)
            }
            "push-zmq" => {
                let event = self.event()?;
                event::send(self.service, &self.actor, event).map(drop).map_err(told)
            }
            "send-mail" => self.mail(node),
            "webhook" => self.call(node),
            other => Err(format!("nothing is known of `{other}`")),
        }
    }

    /// The event that the data is about.
    fn event(&self) -> Result<Ref, String> {
        let id = self.data().at("Event.id").and_then(Data::text).and_then(|id| id.parse().ok());
        id.map(Ref::Id).ok_or_else(|| "the data has no stored event".into())
    }

    fn tag(&self, node: &Node) -> Result<(), String> {
        let tags = node.param("tags").texts();
        if tags.is_empty() || tags.len() > MAX_TAGS {
            return Err(format!("between 1 and {MAX_TAGS} tags have to be picked"));
        }
        let data = self.data();
        let targets: Vec<Target> = match node.text("scope").as_str() {
            "attribute" => {
                let items = match &node.filter {
                    Some(filter) => filter.among(&data),
                    None => data.pick("Event._AttributeFlattened.{n}"),
                };
                if items.len() > MAX_ITEMS {
                    return Err(format!("more than {MAX_ITEMS} attributes are not tagged at once"));
                }
                let id = |item: &&Data| item.member("id").and_then(Data::text).and_then(|id| id.parse().ok());
                items.iter().filter_map(id).map(|id| Target::Attribute(Ref::Id(id))).collect()
            }
            _ => vec![Target::Event(self.event()?)],
        };
        let locality = node.text("locality");
        let remove = node.text("action") == "remove";
        let relationship = Some(node.text("relationship_type")).filter(|text| !text.is_empty());
        for target in targets {
            if self.time_left().is_zero() {
                return Err("there was no time for all of them".into());
            }
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

    fn mail(&self, node: &Node) -> Result<(), String> {
        if !self.service.sends_mail() {
            return Err("no mail goes out from here".into());
        }
        let data = self.data();
        let subject: String = fill(&node.text("mail_template_subject"), &data)
            .chars()
            .filter(|c| !c.is_control())
            .take(500)
            .collect();
        let mut body = fill(&node.text("mail_template_body"), &data);
        if subject.is_empty() {
            return Err("the mail has no subject".into());
        }
        if body.len() > MAX_MAIL {
            let end = (0..=MAX_MAIL).rev().find(|end| body.is_char_boundary(*end)).unwrap_or(0);
            body.truncate(end);
        }
        let recipients = node.param("recipients").texts();
        let is = |name: &str| recipients.iter().any(|r| r.eq_ignore_ascii_case(name));
        let sent = self.service.write(&self.actor, |w| {
            let admins: Vec<i64> = w
                .roles()?
                .iter()
                .filter(|role| role.permissions.has(pisax_access::Permission::SiteAdmin))
                .map(|role| role.id)
                .collect();
            let now = w.now();
            let mut users = w.users(None, None)?;
            users.retain(|user| {
                let admin = is("All admins") && admins.contains(&user.role_id);
                mail::active(user, now) && (is("All accounts") || admin || is(&user.email))
            });
            if users.len() > MAX_MAILS {
                return Ok(Err(format!("more than {MAX_MAILS} mails are not sent at once")));
            }
            let mails: Vec<Mail> = users.iter().map(|user| mail::to(user, &subject, &body)).collect();
            for mail in &mails {
                w.add_mail(mail)?;
            }
            Ok(Ok(mails.len()))
        });
        match sent.map_err(told)? {
            Ok(0) => Err("none of the recipients can be written to".into()),
            Ok(_) => Ok(()),
            Err(reason) => Err(reason),
        }
    }

    fn call(&self, node: &Node) -> Result<(), String> {
        if !self.settings.arbitrary_urls {
            return Err("`Security.rest_client_enable_arbitrary_urls` is turned off".into());
        }
        let data = self.data();
        let url = fill(&node.text("url"), &data);
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err("the URL has to begin with http:// or https://".into());
        }
        let payload = match node.text("payload") {
            empty if empty.is_empty() => write_data(&data),
            template => fill(&template, &data),
        };
        if payload.len() > MAX_PAYLOAD {
            return Err("the data is too large to be sent".into());
        }
        let lines = fill(&node.text("headers"), &data);
        let given = lines.lines().filter_map(|line| line.split_once(':'));
        let mut headers: Vec<(&str, &str)> =
            given.map(|(name, value)| (name.trim(), value.trim())).take(MAX_HEADERS).collect();
        let kind = match node.text("content_type").as_str() {
            "form" => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        headers.push(("Content-Type", kind));
        headers.push(("Accept", "application/json"));
        let method = match node.text("request_method").as_str() {
            "get" => Method::Get,
            "put" => Method::Put,
            "delete" => Method::Delete,
            _ => Method::Post,
        };
        let timeout = CALL.min(self.time_left());
        let body = payload.as_bytes();
        let call = Call { method, url: &url, headers: &headers, body, timeout, limit: ANSWER };
        match self.service.http.send(&call) {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("it was answered with status {}", answer.status)),
            Err(error) => Err(told(error)),
        }
    }
}
