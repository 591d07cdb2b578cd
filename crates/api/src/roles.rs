//! `/roles/…` and `/admin/roles/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{list, number, saved, wrapped};
use crate::request::{self, Request, flag, text};
use pisax_access::Permission;
use pisax_model::user::Role;
use pisax_service::role::{self as service, RoleDraft};
use pisax_wire::admin_out::{RoleShape, write_role};

const INVALID: &str = "Invalid role";

fn read(request: &Request) -> Result<RoleDraft, Failure> {
    let sent = request.unwrapped("Role")?;
    let on = |permission: &Permission| Some((*permission, flag(&sent, permission.name())?));
    Ok(RoleDraft {
        name: text(&sent, "name"),
        level: request::number(&sent, "permission"),
        permissions: Permission::ALL.iter().filter_map(on).collect(),
        default_role: flag(&sent, "default_role"),
        memory_limit: text(&sent, "memory_limit"),
        max_execution_time: text(&sent, "max_execution_time"),
        restricted_to_site_admin: flag(&sent, "restricted_to_site_admin"),
        enforce_rate_limit: flag(&sent, "enforce_rate_limit"),
        rate_limit_count: request::number(&sent, "rate_limit_count"),
    })
}

fn answer(role: &Role) -> Answer {
    wrapped("Role", |w| write_role(w, role, RoleShape::OfUser))
}

/// GET /roles/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let roles = request.service.read(&request.actor, |r| Ok(r.roles()?))?;
    Ok(list(&roles, |w, role| {
        w.begin_object();
        w.key("Role");
        write_role(w, role, RoleShape::Listed);
        w.end_object();
    }))
}

/// GET /roles/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let role = request.service.read(&request.actor, |r| Ok(r.role(id)?))?;
    Ok(answer(&role.ok_or(Failure::NotFound(INVALID))?))
}

/// POST /admin/roles/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let role = service::add(&request.service, &request.actor, read(request)?).saving("add", "Role")?;
    Ok(answer(&role))
}

/// POST /admin/roles/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let role = service::edit(&request.service, &request.actor, id, read(request)?).saving("edit", "Role")?;
    Ok(answer(&role))
}

/// POST /admin/roles/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)
        .saving("delete", "Role")?;
    Ok(saved(request, "Role deleted"))
}

/// POST /admin/roles/set_default/{id}
pub(crate) fn set_default(request: &Request) -> Result<Answer, Failure> {
    service::set_default(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "Default role set."))
}
