//! Dashboards that are there to choose from.

use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_model::ids::{Ref, new_uuid};
use pisax_store::dashboards::Dashboard;

/// A dashboard as a client sends it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DashboardDraft {
    pub name: Option<String>,
    pub description: Option<String>,
    pub is_default: Option<bool>,
    pub selectable: Option<bool>,
    pub restrict_to_org_id: Option<i64>,
    pub restrict_to_role_id: Option<i64>,
    pub restrict_to_permission_flag: Option<String>,
    /// JSON: the widgets.
    pub value: Option<String>,
}

/// Dashboards that one user keeps.
const MOST: usize = 200;
const LONGEST: usize = 65_535;

pub fn list(service: &Service, actor: &Actor) -> Result<Vec<Dashboard>> {
    service.read(actor, |r| Ok(r.dashboards()?))
}

/// Keeps one's dashboard for choosing, as a new one or in place of one that is one's own. Who may choose it and
/// whether it is everybody's first is for site admins to say.
pub fn save(
    service: &Service,
    actor: &Actor,
    update: Option<Ref>,
    draft: DashboardDraft,
) -> Result<Dashboard> {
    service.write(actor, |w| {
        let mut dashboard = match update {
            Some(reference) => own(actor, w.dashboard(reference)?)?,
            None => {
                if w.dashboards()?.iter().filter(|d| d.user_id == actor.user_id).count() >= MOST {
                    return Err(Error::Refused("There are too many dashboards: delete some first.".into()));
                }
                Dashboard {
                    uuid: new_uuid(w.now_ms),
                    user_id: actor.user_id,
                    value: "[]".into(),
                    ..Dashboard::default()
                }
            }
        };
        apply(actor, &mut dashboard, draft)?;
        let id = w.put_dashboard(&dashboard)?;
        w.dashboard(Ref::Id(id))?.ok_or(Error::NotFound("dashboard"))
    })
}

pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| {
        let dashboard = own(actor, w.dashboard(reference)?)?;
        Ok(w.delete_dashboard(&dashboard)?)
    })
}

fn own(actor: &Actor, found: Option<Dashboard>) -> Result<Dashboard> {
    let dashboard = found.ok_or(Error::NotFound("dashboard"))?;
    let may = actor.sees_all() || dashboard.user_id == actor.user_id;
    if may { Ok(dashboard) } else { Err(Error::Forbidden) }
}

fn apply(actor: &Actor, dashboard: &mut Dashboard, draft: DashboardDraft) -> Result<(), FieldError> {
    if let Some(name) = draft.name {
        dashboard.name = name.trim().to_owned();
    }
    if dashboard.name.is_empty() || dashboard.name.chars().count() > 255 {
        return Err(FieldError::new("name", "The name is one line of at most 255 characters."));
    }
    if let Some(description) = draft.description {
        dashboard.description = description;
    }
    if let Some(value) = draft.value {
        dashboard.value = value;
    }
    for (field, text) in [("description", &dashboard.description), ("value", &dashboard.value)] {
        if text.len() > LONGEST {
            return Err(FieldError::new(field, "Longer than 65535 bytes."));
        }
    }
    if !actor.sees_all() {
        return Ok(());
    }
    dashboard.is_default = draft.is_default.unwrap_or(dashboard.is_default);
    dashboard.selectable = draft.selectable.unwrap_or(dashboard.selectable);
    dashboard.restrict_to_org_id = draft.restrict_to_org_id.unwrap_or(dashboard.restrict_to_org_id);
    dashboard.restrict_to_role_id = draft.restrict_to_role_id.unwrap_or(dashboard.restrict_to_role_id);
    if let Some(flag) = draft.restrict_to_permission_flag {
        let none = flag.is_empty() || flag == "0";
        if !none && !Permission::ALL.iter().any(|p| p.name() == flag) {
            return Err(FieldError::new("restrict_to_permission_flag", "There is no such permission."));
        }
        dashboard.restrict_to_permission_flag = if none { String::new() } else { flag };
    }
    Ok(())
}
