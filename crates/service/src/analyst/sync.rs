//! The receiving side of synchronisation: what is here, what is wanted, what is taken.

use super::{Captured, Said, capture, writes};
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystDraft, AnalystKind, TargetKind};
use pisax_store::Reader;

/// Uuids with the time of their last change, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times(pub [Vec<(Uuid, i64)>; 3]);

impl Times {
    pub fn of(&self, kind: AnalystKind) -> &[(Uuid, i64)] {
        &self.0[kind as usize]
    }
}

/// Everything the actor sees: by these organisations alone when there are any (`!NAME`: not by that one).
pub fn times(r: &mut Reader<'_>, orgs: &[String]) -> Result<Times> {
    let (mut by, mut not_by) = (Vec::new(), Vec::new());
    for name in orgs {
        let (list, name) = match name.strip_prefix('!') {
            Some(name) => (&mut not_by, name),
            None => (&mut by, name.as_str()),
        };
        list.extend(crate::org::find(r, name)?.map(|org| org.id));
    }
    let mut times = Times::default();
    if by.is_empty() && orgs.iter().any(|name| !name.starts_with('!')) {
        return Ok(times); // nobody of those is known here
    }
    r.analyst_data_times(&by, &not_by, |kind, uuid, modified| {
        times.0[kind as usize].push((uuid, modified));
        Ok(())
    })?;
    Ok(times)
}

/// What another server offers.
pub type Offered = Times;

/// Which of what another server offers is wanted: what is not here and not blocked, and what came from elsewhere
/// and is older here.
pub fn wanted(r: &mut Reader<'_>, offered: &Offered) -> Result<Times> {
    let mut wanted = Times::default();
    for kind in AnalystKind::ALL {
        let uuids: Vec<Uuid> = offered.of(kind).iter().map(|(uuid, _)| *uuid).collect();
        let blocked = r.blocked_analyst_data_among(&uuids)?;
        let known = r.known_analyst_data(&uuids)?;
        let fits = |(uuid, modified): &(Uuid, i64)| {
            !blocked.contains(uuid) && known.get(uuid).is_none_or(|k| k.locked && k.modified < *modified)
        };
        wanted.0[kind as usize] = offered.of(kind).iter().copied().filter(fits).collect();
    }
    Ok(wanted)
}

/// Takes what another server pushes.
pub fn push(service: &Service, actor: &Actor, drafts: Vec<AnalystDraft>) -> Result<Captured> {
    if !(actor.has(Permission::Sync) || actor.sees_all()) || !writes(actor) {
        return Err(Error::Forbidden);
    }
    service.write(actor, |w| {
        let (mut said, mut nowhere) = (Vec::with_capacity(drafts.len()), 0);
        for draft in drafts {
            let kind = draft.object_type.as_deref().and_then(TargetKind::from_name);
            match (draft.object_uuid, kind) {
                (Some(about), Some(kind)) => said.push(Said { about, kind, draft }),
                _ => nowhere += 1,
            }
        }
        let mut captured = capture(w, said)?;
        if nowhere > 0 {
            captured.failed += nowhere;
            captured.errors.push("Invalid object type or uuid.".into());
        }
        Ok(captured)
    })
}
