//! Which warninglists are heeded, and the set of them in memory.

use super::like;
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_formats::knowledge::stored;
use pisax_lookup::{Builder, List};
use pisax_model::knowledge::{WarninglistCategory, WarninglistKind};
use pisax_store::knowledge::{Library, WarninglistRow};

/// Warninglists by number or by name, with `%` for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    pub ids: Vec<i64>,
    pub names: Vec<String>,
}

impl Which {
    fn has(&self, list: &WarninglistRow) -> bool {
        self.ids.contains(&list.id) || self.names.iter().any(|name| like(name, &list.name))
    }
}

/// How many lists a toggle found, and what it did to all of them, where that was the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Toggled {
    pub count: usize,
    pub on: Option<bool>,
}

/// Switches lists on or off, or to what they are not.
pub fn toggle(service: &Service, actor: &Actor, which: &Which, on: Option<bool>) -> Result<Toggled> {
    if !actor.has(Permission::Warninglist) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    let toggled = service.write(actor, |w| {
        let found: Vec<WarninglistRow> =
            w.warninglists()?.into_iter().filter(|list| which.has(list)).collect();
        for list in &found {
            w.enable_knowledge(Library::Warninglists, list.id, on.unwrap_or(!list.enabled))?;
        }
        let single = || found.first().filter(|_| found.len() == 1).map(|list| !list.enabled);
        Ok(Toggled { count: found.len(), on: on.or_else(single) })
    })?;
    if toggled.count > 0 {
        load_warninglists(service)?;
    }
    Ok(toggled)
}

/// Builds the set of enabled lists anew from the database.
pub fn load_warninglists(service: &Service) -> Result<()> {
    // One at a time, so that the set stored last is the one read last.
    let _turn = service.loading.lock();
    let mut builder = Builder::default();
    let mut left_out = 0;
    service.read(&Actor::system("load the warninglists"), |r| {
        Ok(r.each_enabled_warninglist(|row, entries| {
            if list(&row).is_some_and(|list| builder.list(list)) {
                entries.lines().for_each(|entry| builder.entry(entry));
            } else {
                left_out += 1;
            }
            Ok(())
        })?)
    })?;
    let (set, problems) = builder.finish();
    if left_out > 0 {
        tracing::warn!(
            lists = left_out,
            "enabled warninglists that do not fit or are of an unknown kind are not heeded"
        );
    }
    if let Some(first) = problems.first() {
        tracing::warn!(
            entries = problems.len(),
            list = first.list_id,
            entry = first.entry,
            message = first.message,
            "entries of warninglists that cannot be used"
        );
    }
    service.warninglists.store(set);
    Ok(())
}

fn list(row: &WarninglistRow) -> Option<List> {
    Some(List {
        id: row.id,
        name: row.name.clone(),
        category: WarninglistCategory::parse(&row.category)?,
        kind: WarninglistKind::parse(&row.kind)?,
        matching: stored::read_texts(&row.types),
    })
}
