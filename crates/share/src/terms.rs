//! On which terms a connection exchanges, for those who look at and set them: its rules, with names in the place of
//! row numbers, and its guard.

use crate::Fault;
use pisax_access::Actor;
use pisax_model::FieldError;
use pisax_model::ids::Ref;
use pisax_model::server::Server;
use pisax_model::transit::{Choice, Guard, Rules};
use pisax_service::peer::state;
use pisax_service::{Error, Service, peer};
use pisax_store::Reader;
use pisax_wire::{JsonWriter, read_guard, read_rules, write_guard, write_rules};

/// The rules of pulls from a server.
pub fn pull_rules(server: &Server) -> Result<Rules, Fault> {
    read_rules(&server.pull_rules).map_err(|e| Fault::Setup(format!("the pull rules cannot be read: {e}")))
}

/// The rules of pushes to a server, with the names of tags and organisations.
pub fn push_rules(service: &Service, actor: &Actor, server: &Server) -> Result<Rules, Fault> {
    let mut rules = read_rules(&server.push_rules)
        .map_err(|e| Fault::Setup(format!("the push rules cannot be read: {e}")))?;
    service.read(actor, |r| {
        each(&mut rules.tags, |text| {
            let tag = number(text).map(|id| r.tag(id)).transpose()?.flatten();
            Ok(tag.map(|tag| tag.name))
        })?;
        each(&mut rules.orgs, |text| Ok(org(r, text)?.map(|org| org.name)))
    })?;
    Ok(rules)
}

/// Pull rules as a server keeps them.
pub fn written_pull_rules(rules: &Rules) -> Result<String, Error> {
    written("pull_rules", rules)
}

/// Push rules as a server keeps them: what is known here by its number, as MISP does; an organisation or tag that is
/// not known here by its name.
pub fn written_push_rules(service: &Service, actor: &Actor, mut rules: Rules) -> Result<String, Error> {
    service.read(actor, |r| {
        each(&mut rules.tags, |text| Ok(r.tag_named(text)?.map(|tag| tag.id.to_string())))?;
        each(&mut rules.orgs, |text| {
            let known = match org(r, text)? {
                Some(org) => Some(org),
                None => r.org_by_name(text)?,
            };
            Ok(known.map(|org| org.id.to_string()))
        })
    })?;
    written("push_rules", &rules)
}

fn written(field: &'static str, rules: &Rules) -> Result<String, Error> {
    let mut text = Vec::new();
    write_rules(&mut JsonWriter::new(&mut text), rules);
    let text = String::from_utf8_lossy(&text).into_owned();
    match read_rules(&text) {
        Ok(_) => Ok(text),
        Err(e) => Err(FieldError::new(field, e.to_string()).into()),
    }
}

/// Puts another text in the place of each for which there is one.
fn each(
    choice: &mut Choice,
    mut other: impl FnMut(&str) -> pisax_service::Result<Option<String>>,
) -> pisax_service::Result<()> {
    for text in choice.or.iter_mut().chain(&mut choice.not) {
        if let Some(name) = other(text)? {
            *text = name;
        }
    }
    Ok(())
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn org(r: &mut Reader<'_>, text: &str) -> pisax_service::Result<Option<pisax_model::org::Org>> {
    match Ref::parse(text) {
        Some(reference) => Ok(r.org(reference)?),
        None => Ok(None),
    }
}

/// What never leaves to a server.
pub fn guard(service: &Service, server: &Server) -> Result<Guard, Fault> {
    let kept = service.peer_state(server.id)?.remove(state::GUARD).unwrap_or_default();
    read_guard(&kept).map_err(|e| Fault::Setup(format!("the egress guard cannot be read: {e}")))
}

/// Sets what never leaves to a server.
pub fn set_guard(service: &Service, actor: &Actor, server: &Server, guard: &Guard) -> Result<(), Error> {
    let mut text = Vec::new();
    write_guard(&mut JsonWriter::new(&mut text), guard);
    let text = String::from_utf8_lossy(&text).into_owned();
    read_guard(&text).map_err(|e| FieldError::new("guard", e.to_string()))?;
    peer::set_guard(service, actor, server, &text)
}
