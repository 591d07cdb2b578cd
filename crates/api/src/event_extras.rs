//! Members of an event's attributes that come from elsewhere than their rows: warnings, decay scores, and marks
//! of what does not correlate or correlates very often.

use crate::answer::Stop;
use crate::scores::Extras;
use pisax_model::tag::Attached;
use pisax_store::Reader;
use pisax_store::attributes::Batch;
use pisax_wire::JsonWriter;
use pisax_wire::include::Include;
use rustc_hash::{FxHashMap, FxHashSet};

/// What is known around a batch of attributes.
pub(crate) struct Known<'a> {
    pub(crate) include: &'a Include,
    /// Tags of each attribute, as far as they are shown.
    pub(crate) tags: &'a dyn Fn(i64) -> Vec<Attached>,
    pub(crate) event_tags: &'a [Attached],
    /// How many correlations are listed with each.
    pub(crate) pairs: &'a dyn Fn(i64) -> usize,
    /// More of them than this are marked (`MISP.correlation_limit`).
    pub(crate) correlation_limit: usize,
}

/// The members of each attribute that has any, as JSON.
pub(crate) fn members(
    r: &mut Reader<'_>,
    extras: &Extras,
    batch: &Batch,
    known: &Known<'_>,
) -> Result<FxHashMap<i64, Vec<u8>>, Stop> {
    let granular = known.include.include_granular_correlations;
    let scoring = extras.scoring.as_ref().filter(|_| known.include.include_decay_score);
    let mut members = FxHashMap::default();
    if scoring.is_none() && extras.warnings.is_none() && !granular {
        return Ok(members);
    }
    let sighted = if scoring.is_some() { r.sighted(&batch.ids())? } else { FxHashMap::default() };
    let excluded = if granular { r.excluded_attributes(batch)? } else { FxHashSet::default() };
    for attribute in batch.iter() {
        let id = attribute.id;
        let said = scoring.map_or_else(Vec::new, |scoring| {
            let seen = sighted.get(&id).copied().unwrap_or_default();
            scoring.of_attribute(&attribute, &(known.tags)(id), known.event_tags, seen)
        });
        let mut json = extras.members(&attribute, &said);
        for (mark, on) in [
            ("correlation_exclusion", excluded.contains(&id)),
            ("over_correlation", granular && (known.pairs)(id) > known.correlation_limit),
        ] {
            if on {
                let empty = json.is_empty();
                let mut w =
                    if empty { JsonWriter::new(&mut json) } else { JsonWriter::after_member(&mut json) };
                w.key(mark);
                w.bool(true);
            }
        }
        if !json.is_empty() {
            members.insert(id, json);
        }
    }
    Ok(members)
}
