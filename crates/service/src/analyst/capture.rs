//! Analyst data that comes with something else: inside an event, under a note, from another server.

use super::{author, begin, creator, speaks_for_others, writes};
use crate::context::Groups;
use crate::{Error, Result};
use pisax_access::edit::may_edit_analyst_data;
use pisax_model::analyst::{AnalystDraft, DEEPEST, TargetKind};
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::EventDraft;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::object::ObjectDraft;
use pisax_model::{Distribution, Uuid};
use pisax_store::Writer;
use pisax_store::analyst::{KnownAnalystData, TargetHere};
use rustc_hash::FxHashSet;

/// What was said about a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) about: Uuid,
    pub(crate) kind: TargetKind,
    pub(crate) draft: AnalystDraft,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    pub imported: usize,
    pub ignored: usize,
    pub failed: usize,
    /// Why, at most [`REASONS`] of them.
    pub errors: Vec<String>,
}

/// Reasons that are told: more help nobody.
const REASONS: usize = 20;

enum Outcome {
    Imported,
    Ignored(String),
    Failed(String),
}

impl Captured {
    fn count(&mut self, outcome: Outcome) {
        let reason = match outcome {
            Outcome::Imported => {
                self.imported += 1;
                return;
            }
            Outcome::Ignored(reason) => {
                self.ignored += 1;
                reason
            }
            Outcome::Failed(reason) => {
                self.failed += 1;
                reason
            }
        };
        if self.errors.len() < REASONS {
            self.errors.push(reason);
        }
    }
}

/// Drafts with the record that they are about.
pub(crate) fn said_of(drafts: Vec<AnalystDraft>, about: Uuid, kind: TargetKind) -> Vec<Said> {
    drafts.into_iter().map(|draft| Said { about, kind, draft }).collect()
}

/// Takes what was said out of attributes; one without uuid gets one, to be told by.
pub(crate) fn gather_attributes(drafts: &mut [AttributeDraft], now_ms: i64) -> Vec<Said> {
    let mut said = Vec::new();
    for draft in drafts.iter_mut().filter(|d| !d.analyst_data.is_empty()) {
        let own = std::mem::take(&mut draft.analyst_data);
        // One that is named by its row number has a uuid already, which is not known here.
        if draft.uuid.is_none() && draft.id.is_some() {
            continue;
        }
        let uuid = *draft.uuid.get_or_insert_with(|| new_uuid(now_ms));
        said.extend(said_of(own, uuid, TargetKind::Attribute));
    }
    said
}

/// The same for an event with everything in it but its reports, which bring their own.
pub(crate) fn gather(draft: &mut EventDraft, event: Uuid, now_ms: i64) -> Vec<Said> {
    let mut said = said_of(std::mem::take(&mut draft.analyst_data), event, TargetKind::Event);
    said.extend(gather_attributes(&mut draft.attributes, now_ms));
    for object in &mut draft.objects {
        said.extend(gather_object(object, now_ms));
    }
    said
}

/// The same for an object with its attributes.
pub(crate) fn gather_object(object: &mut ObjectDraft, now_ms: i64) -> Vec<Said> {
    let mut said = gather_attributes(&mut object.attributes, now_ms);
    let own = std::mem::take(&mut object.analyst_data);
    if !own.is_empty() && (object.uuid.is_some() || object.id.is_none()) {
        let uuid = *object.uuid.get_or_insert_with(|| new_uuid(now_ms));
        said.extend(said_of(own, uuid, TargetKind::Object));
    }
    said
}

/// Keeps what was said about records that the actor sees or that are not here, and what was said about that in
/// turn. Each is decided by itself; those who may not write analyst data send it in vain.
pub(crate) fn capture(w: &mut Writer<'_>, said: Vec<Said>) -> Result<Captured> {
    capture_about(w, said, Elsewhere::Kept)
}

/// The same for what came inside an event: a record that was refused leaves nothing behind.
pub(crate) fn capture_inside(w: &mut Writer<'_>, said: Vec<Said>) -> Result<Captured> {
    capture_about(w, said, Elsewhere::Refused)
}

/// What happens to data about a record that is not here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Elsewhere {
    Kept,
    Refused,
}

fn capture_about(w: &mut Writer<'_>, said: Vec<Said>, elsewhere: Elsewhere) -> Result<Captured> {
    let mut captured = Captured::default();
    if said.is_empty() || !writes(w.actor()) {
        captured.ignored = said.len();
        return Ok(captured);
    }
    let author = author(w)?;
    let mut groups = Groups::default();
    let mut met = FxHashSet::default();
    let mut level = said;
    for _ in 0..DEEPEST {
        if level.is_empty() {
            break;
        }
        for one in &mut level {
            one.draft.uuid.get_or_insert_with(|| new_uuid(w.now_ms));
        }
        let uuids: Vec<Uuid> = level.iter().filter_map(|one| one.draft.uuid).collect();
        let blocked = w.blocked_analyst_data_among(&uuids)?;
        let known = w.known_analyst_data(&uuids)?;
        let about: Vec<Uuid> = level.iter().map(|one| one.about).collect();
        let targets = w.analyst_targets(&about)?;
        let mut below = Vec::new();
        for mut one in level {
            let uuid = one.draft.uuid.unwrap_or_default();
            let children = std::mem::take(&mut one.draft.children);
            below.extend(said_of(children, uuid, one.draft.kind.into()));
            if blocked.contains(&uuid) {
                captured.count(Outcome::Ignored("Blocked by blocklist".into()));
                continue;
            }
            if !met.insert(uuid) {
                captured.count(Outcome::Ignored(format!("Sent more than once ({uuid})")));
                continue;
            }
            let target = targets.get(&one.about).copied();
            let outcome = match (target, elsewhere) {
                (Some(TargetHere { visible: false, .. }), _) | (None, Elsewhere::Refused) => {
                    Outcome::Failed(format!("Invalid target ({})", one.about))
                }
                _ => settle(w, &mut groups, &one, target, known.get(&uuid).copied(), &author)?,
            };
            captured.count(outcome);
        }
        level = below;
    }
    captured.failed += level.len();
    Ok(captured)
}

fn settle(
    w: &mut Writer<'_>,
    groups: &mut Groups,
    said: &Said,
    target: Option<TargetHere>,
    known: Option<KnownAnalystData>,
    author: &str,
) -> Result<Outcome> {
    let result = match known {
        Some(known) => renew(w, groups, said, known),
        None => insert(w, groups, said, target, author),
    };
    match result {
        Err(Error::Invalid(fields)) => {
            Ok(Outcome::Failed(fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")))
        }
        other => other,
    }
}

fn insert(
    w: &mut Writer<'_>,
    groups: &mut Groups,
    said: &Said,
    target: Option<TargetHere>,
    author: &str,
) -> Result<Outcome> {
    let mut data = begin(w, &said.draft, (said.about, said.kind), target.map_or(0, |t| t.event_id))?;
    if target.is_some_and(|t| t.analyst_data) && w.analyst_depth(said.about)? > DEEPEST {
        return Err(super::too_deep());
    }
    data.orgc_id = creator(w, &said.draft)?;
    if w.is_blocked_org(data.orgc_id)? {
        return Ok(Outcome::Ignored("Organisation blocklisted".into()));
    }
    if data.authors.is_empty() {
        author.clone_into(&mut data.authors);
    }
    data.locked = said.draft.locked.unwrap_or(false) && speaks_for_others(w.actor());
    share(w, groups, &mut data, said.draft.sharing_group)?;
    w.insert_analyst_data(&data)?;
    Ok(Outcome::Imported)
}

/// A group that cannot be used makes it the owner's alone.
fn share(
    w: &mut Writer<'_>,
    groups: &mut Groups,
    data: &mut pisax_model::analyst::AnalystData,
    group: Option<Ref>,
) -> Result<()> {
    data.sharing_group_id = 0;
    if data.distribution == Distribution::SharingGroup.code() {
        match groups.usable(w, group) {
            Ok(id) => data.sharing_group_id = id,
            Err(Error::Invalid(_)) => data.distribution = Distribution::Organisation.code(),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// A newer version of what came from elsewhere before. What was made here is changed here alone.
fn renew(w: &mut Writer<'_>, groups: &mut Groups, said: &Said, known: KnownAnalystData) -> Result<Outcome> {
    const LOCAL: &str = "Blocked an edit to an analyst data that was created locally. This can happen if a synchronised analyst data that was created on this instance was modified by an administrator on the remote side.";
    if !known.locked {
        return Ok(Outcome::Failed(LOCAL.into()));
    }
    let actor = w.actor().clone();
    if !speaks_for_others(&actor) && !may_edit_analyst_data(&actor, known.orgc_id) {
        return Ok(Outcome::Failed("You are not authorised to do that.".into()));
    }
    let stored = w.analyst_data(Some(said.draft.kind), Ref::Id(known.id))?;
    let newer = said.draft.modified.filter(|t| *t > known.modified);
    let (Some(old), Some(modified)) = (stored, newer) else {
        let uuid = said.draft.uuid.unwrap_or_default();
        return Ok(Outcome::Ignored(format!(
            "Remote version is not newer than local one for analyst data ({uuid})"
        )));
    };
    let mut new = old.clone();
    new.take(&said.draft)?;
    new.complete()?;
    new.modified = modified;
    let same = new.distribution == 4 && old.distribution == 4 && said.draft.sharing_group.is_none();
    if !same {
        share(w, groups, &mut new, said.draft.sharing_group)?;
    }
    w.update_analyst_data(&old, &new)?;
    Ok(Outcome::Imported)
}
