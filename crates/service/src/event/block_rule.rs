//! Which new events are refused by their tags (MISP's event block rule).

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_model::FieldError;
use pisax_model::tag::TagDraft;
use pisax_store::changes::{Action, Noun};
use pisax_store::{Reader, Writer};

/// Kept one tag a line.
const RULE: &str = "instance.event_block_tags";
/// Most tags a rule has, and the longest.
const MAX_TAGS: usize = 1000;
const MAX_TAG: usize = 255;

/// The tags of events that are refused.
pub fn block_rule(service: &Service, actor: &Actor) -> Result<Vec<String>> {
    rules::site_admin(actor)?;
    service.read(actor, stored)
}

fn stored(r: &mut Reader<'_>) -> Result<Vec<String>> {
    let text = r.setting(RULE)?.unwrap_or_default();
    Ok(text.lines().map(str::to_owned).collect())
}

/// Refuses events with one of these tags from now on; those that are here stay.
pub fn set_block_rule(service: &Service, actor: &Actor, tags: &[String]) -> Result<()> {
    rules::site_admin(actor)?;
    let good = |tag: &String| !tag.is_empty() && tag.len() <= MAX_TAG && !tag.chars().any(char::is_control);
    if tags.len() > MAX_TAGS || !tags.iter().all(good) {
        return Err(FieldError::new("value", "Could not save the settings. Invalid input.").into());
    }
    service.write(actor, |w| {
        let text = tags.join("\n");
        w.set_setting(RULE, &text)?;
        w.note(Noun::Setting, Action::Edit, 0, "eventBlockRule", &[("tags", &text)]);
        Ok(())
    })
}

/// Refuses a new event that the rule names.
pub(super) fn check(w: &mut Writer<'_>, tags: &[TagDraft]) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let blocked = stored(w)?;
    if tags.iter().any(|tag| blocked.contains(&tag.name)) {
        return Err(Error::Refused("Blocked by event block rules".into()));
    }
    Ok(())
}
