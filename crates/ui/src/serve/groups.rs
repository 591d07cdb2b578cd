//! Sharing groups: as choices of a form, and by name for the words of a page.

use std::collections::HashMap;

use pisax_store::{Reader, Result};

use crate::Choice;

/// The groups the reader may share to, and the one a record is shared to already, so that saving a form does
/// not move it to another.
pub(crate) fn choices(r: &mut Reader<'_>, present: i64) -> Result<Vec<Choice>> {
    let groups = r.sharing_groups()?;
    let usable = groups.into_iter().filter(|group| group.active || group.id == present);
    let mut choices: Vec<_> = usable.map(|group| Choice::new(group.id.to_string(), group.name)).collect();
    let present_id = present.to_string();
    if present > 0 && choices.iter().all(|choice| choice.value != present_id) {
        choices.insert(0, Choice::new(present_id, "The group it is shared to now"));
    }
    Ok(choices)
}

/// Names of those of these groups that the reader sees; zeros are passed over.
pub(crate) fn names(r: &mut Reader<'_>, ids: impl Iterator<Item = i64>) -> Result<HashMap<i64, String>> {
    let mut ids: Vec<i64> = ids.filter(|id| *id > 0).collect();
    ids.sort_unstable();
    ids.dedup();
    let groups = r.sharing_groups_by_ids(&ids)?;
    Ok(groups.into_iter().map(|(id, group)| (id, group.name)).collect())
}
