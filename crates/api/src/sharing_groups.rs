//! `/sharing_groups/…`

use crate::answer::Answer;
use crate::event_writer::org_summary;
use crate::failure::{Failure, Saving};
use crate::reply::{document, saved, spaced};
use crate::request::{Request, flag, text};
use pisax_model::ids::Ref;
use pisax_model::sharing::SharingGroup;
use pisax_service::{Error, sharing_group as service};
use pisax_wire::attribute_out::OrgSummary;
use pisax_wire::sharing_out::{
    GroupRights, write_listed_sharing_group, write_saved_sharing_group, write_viewed_sharing_group,
};

const INVALID: &str = "Invalid sharing group or no editing rights.";

/// GET /sharing_groups/index[/1]: the active groups one is authorised for, or with 1 the passive ones.
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let passive =
        request.path.arg(0).is_some_and(|a| matches!(a, "1" | "true")) || request.path.flag("passive");
    let (groups, names) = request.service.read(&request.actor, |r| {
        let mut groups = r.sharing_groups()?;
        groups.retain(|group| group.active != passive);
        let owners: Vec<i64> = groups.iter().map(|group| group.org_id).collect();
        Ok((groups, r.org_names(&owners)?))
    })?;
    Ok(document(|w| {
        w.begin_object();
        w.key("response");
        w.begin_array();
        for group in &groups {
            let (editable, deletable) = service::rights(&request.actor, group);
            let rights = GroupRights { editable, deletable };
            write_listed_sharing_group(w, group, org_summary(&names, group.org_id), rights);
        }
        w.end_array();
        w.end_object();
    }))
}

/// GET|HEAD /sharing_groups/view/{id|uuid}. A group one does not see is 405 for GET and 404 for HEAD.
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let missing = || match request.is_head() {
        true => Failure::NotFound("Invalid sharing group"),
        false => Failure::NotAllowed(
            "Sharing group doesn't exist or you do not have permission to access it.".into(),
        ),
    };
    let reference = request.path.arg(0).and_then(Ref::parse).ok_or_else(missing)?;
    let found = request.service.read(&request.actor, |r| Ok(r.sharing_group(reference)?))?;
    let group = found.ok_or_else(missing)?;
    if request.is_head() { Ok(Answer::exists()) } else { answer_view(request, &group) }
}

fn answer_view(request: &Request, group: &SharingGroup) -> Result<Answer, Failure> {
    let (owner, sync_org) = request.service.read(&request.actor, |r| {
        let owner = r.org(Ref::Id(group.org_id))?.ok_or(Error::NotFound("organisation"))?;
        let maker = r.user(group.sync_user_id)?;
        let sync_org = match maker {
            Some(user) => r.org(Ref::Id(user.org_id))?,
            None => None,
        };
        Ok((owner, sync_org))
    })?;
    let base = &request.service.policy.base_url;
    let sync_org = sync_org.as_ref().map(OrgSummary::from);
    Ok(document(|w| write_viewed_sharing_group(w, group, &owner, sync_org, base)))
}

fn answer_saved(request: &Request, group: &SharingGroup) -> Result<Answer, Failure> {
    let names = request.service.read(&request.actor, |r| Ok(r.org_names(&[group.org_id])?))?;
    Ok(document(|w| write_saved_sharing_group(w, group, org_summary(&names, group.org_id))))
}

/// POST /sharing_groups/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = pisax_wire::read_sharing_group(&request.body)?;
    let group = service::add(&request.service, &request.actor, draft).saving("add", "SharingGroup")?;
    answer_saved(request, &group)
}

/// POST /sharing_groups/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let draft = pisax_wire::read_sharing_group(&request.body)?;
    let group =
        service::edit(&request.service, &request.actor, reference, draft).saving("edit", "SharingGroup")?;
    answer_saved(request, &group)
}

/// POST /sharing_groups/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    service::delete(&request.service, &request.actor, reference).saving("delete", "SharingGroup")?;
    Ok(saved(request, "SharingGroup deleted"))
}

/// A group, what to put into it or take out of it, and the flag that goes with it: in the body or the path.
struct Change {
    group: Ref,
    named: String,
    flag: bool,
}

fn change(request: &Request, what: &str, with: &str) -> Result<Change, Failure> {
    let sent = request.unwrapped("SharingGroup")?;
    let member = |i: usize, name: &str| text(&sent, name).or_else(|| request.path.arg(i).map(spaced));
    let group = member(0, "sg_id").as_deref().and_then(Ref::parse).ok_or(Failure::NotFound(INVALID))?;
    let named = member(1, what).unwrap_or_default();
    let flag =
        flag(&sent, with).unwrap_or_else(|| request.path.arg(2).is_some_and(|a| matches!(a, "1" | "true")));
    Ok(Change { group, named, flag })
}

/// POST /sharing_groups/addOrg
pub(crate) fn add_org(request: &Request) -> Result<Answer, Failure> {
    let Change { group, named, flag } = change(request, "org_id", "extend")?;
    service::add_org(&request.service, &request.actor, group, &named, flag)?;
    Ok(saved(request, "Organisation added to the sharing group."))
}

/// POST /sharing_groups/removeOrg
pub(crate) fn remove_org(request: &Request) -> Result<Answer, Failure> {
    let Change { group, named, .. } = change(request, "org_id", "extend")?;
    service::remove_org(&request.service, &request.actor, group, &named)?;
    Ok(saved(request, "Organisation removed from the sharing group."))
}

/// POST /sharing_groups/addServer
pub(crate) fn add_server(request: &Request) -> Result<Answer, Failure> {
    let Change { group, named, flag } = change(request, "server_id", "all_orgs")?;
    service::add_server(&request.service, &request.actor, group, &named, flag)?;
    Ok(saved(request, "Server added to the sharing group."))
}

/// POST /sharing_groups/removeServer
pub(crate) fn remove_server(request: &Request) -> Result<Answer, Failure> {
    let Change { group, named, .. } = change(request, "server_id", "all_orgs")?;
    service::remove_server(&request.service, &request.actor, group, &named)?;
    Ok(saved(request, "Server removed from the sharing group."))
}
