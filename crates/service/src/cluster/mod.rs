//! Use cases on custom galaxy clusters. Those of libraries are read-only for everybody.

mod add;
mod carry;
mod edit;
mod import;
pub mod relation;

pub use add::add;
pub use carry::carry;
pub use edit::{edit, publish, remove, restore, unpublish};
pub use import::{Imported, import};

use crate::context::Groups;
use crate::{Error, Result};
use pisax_access::{Actor, Permission, edit as rule};
use pisax_formats::knowledge::stored;
use pisax_model::cluster::{ClusterDraft, by_key};
use pisax_model::ids::Ref;
use pisax_model::{Distribution, FieldError};
use pisax_store::Writer;
use pisax_store::changes::Action;
use pisax_store::clusters::{ClusterRow, Owned};

/// Longest value of a cluster in bytes: it is shown in one line.
const MAX_VALUE: usize = 4096;
/// Most elements of one cluster; the largest of the published libraries has some thousands.
const MAX_ELEMENTS: usize = 20_000;

fn may_make(actor: &Actor) -> Result<()> {
    let may = actor.has(Permission::GalaxyEditor) || actor.sees_all();
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

/// A custom cluster that the actor may change, locked.
fn editable(w: &mut Writer<'_>, reference: Ref) -> Result<(ClusterRow, Owned)> {
    let (row, owned) = w.cluster_for_edit(reference)?;
    if !rule::may_edit_cluster(w.actor(), owned.orgc_id) {
        return Err(Error::Forbidden);
    }
    Ok((row, owned))
}

fn check_value(value: Option<String>) -> Result<String, FieldError> {
    let value = plain(value.unwrap_or_default().trim());
    if value.is_empty() {
        return Err(FieldError::new("value", "valueNotEmpty"));
    }
    if value.len() > MAX_VALUE {
        return Err(FieldError::new("value", "The value of a cluster has at most 4096 bytes."));
    }
    Ok(value)
}

/// Text without NUL, which PostgreSQL keeps in no form.
fn plain(text: &str) -> String {
    text.replace('\0', "")
}

fn check_elements(draft: &ClusterDraft) -> Result<String, FieldError> {
    if draft.bad_elements {
        return Err(FieldError::new("elements", "Invalid JSON"));
    }
    if draft.elements.len() > MAX_ELEMENTS {
        return Err(FieldError::new("elements", "A cluster has at most 20000 elements."));
    }
    Ok(stored::pairs_text(&by_key(&draft.elements)))
}

/// Distribution and group of a cluster or relation; `had` is what it has already, which needs no new right.
fn check_reach(
    w: &mut Writer<'_>,
    distribution: i64,
    group: Option<Ref>,
    had: (i64, i64),
) -> Result<(i64, i64)> {
    match Distribution::from_code(distribution) {
        Some(Distribution::SharingGroup) => {
            let same = had.0 == 4 && group.is_none_or(|g| g == Ref::Id(had.1));
            let id = if same { had.1 } else { Groups::default().usable(w, group)? };
            Ok((distribution, id))
        }
        Some(d) if d != Distribution::Inherit => Ok((distribution, 0)),
        _ => Err(FieldError::new(
            "distribution",
            "Options: Your organisation only, This community only, Connected communities, All communities, Sharing group",
        )
        .into()),
    }
}

/// A changed cluster is newer than it was, and unpublished until somebody looks at it again.
fn touch(w: &mut Writer<'_>, row: &mut ClusterRow, owned: &mut Owned, action: Action) -> Result<()> {
    row.version = w.now().max(row.version.saturating_add(1));
    owned.published = false;
    Ok(w.edit_cluster(row, owned, action)?)
}
