//! Blueprints of sharing groups: rules on organisations, and the groups that are made by them.

use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_formats::rules::{Top, read};
use pisax_model::FieldError;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::org::Org;
use pisax_model::rule::Rule;
use pisax_model::sharing::SharingGroup;
use pisax_store::blueprints::Blueprint;
use pisax_store::{Reader, Writer};
use rustc_hash::FxHashSet;

/// What came of executing some blueprints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Executed {
    pub matched: usize,
    pub created: usize,
    pub changed: usize,
    pub failed: usize,
}

const FIELDS: [&str; 8] = [
    "org_id",
    "org_uuid",
    "org_name",
    "org_nationality",
    "org_sector",
    "org_type",
    "sharing_group_id",
    "sharing_group_uuid",
];
const LONGEST: usize = 65_535;
const MADE: &str = "Generated based on Sharing Group Blueprint rules";

pub fn list(service: &Service, actor: &Actor) -> Result<Vec<Blueprint>> {
    service.read(actor, |r| Ok(r.blueprints()?))
}

pub fn view(service: &Service, actor: &Actor, reference: Ref) -> Result<Blueprint> {
    service.read(actor, |r| r.blueprint(reference)?.ok_or(Error::NotFound("blueprint")))
}

pub fn add(service: &Service, actor: &Actor, name: &str, rules: &str) -> Result<Blueprint> {
    may_keep(actor)?;
    let name = check_name(name)?;
    check_rules(rules)?;
    service.write(actor, |w| {
        let blueprint = Blueprint {
            uuid: new_uuid(w.now_ms),
            name,
            user_id: actor.user_id,
            org_id: actor.org_id,
            rules: rules.to_owned(),
            ..Blueprint::default()
        };
        let id = w.add_blueprint(&blueprint)?;
        w.blueprint(Ref::Id(id))?.ok_or(Error::NotFound("blueprint"))
    })
}

pub fn edit(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    name: Option<&str>,
    rules: Option<&str>,
) -> Result<Blueprint> {
    may_keep(actor)?;
    service.write(actor, |w| {
        let old = w.blueprint(reference)?.ok_or(Error::NotFound("blueprint"))?;
        let mut new = old.clone();
        if let Some(name) = name {
            new.name = check_name(name)?;
        }
        if let Some(rules) = rules {
            check_rules(rules)?;
            new.rules = rules.to_owned();
        }
        w.edit_blueprint(&old, &new)?;
        w.blueprint(Ref::Id(new.id))?.ok_or(Error::NotFound("blueprint"))
    })
}

/// The group it made stays.
pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    may_keep(actor)?;
    service.write(actor, |w| {
        let blueprint = w.blueprint(reference)?.ok_or(Error::NotFound("blueprint"))?;
        Ok(w.delete_blueprint(&blueprint)?)
    })
}

/// Forgets which group it made.
pub fn detach(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    may_keep(actor)?;
    service.write(actor, |w| {
        let old = w.blueprint(reference)?.ok_or(Error::NotFound("blueprint"))?;
        w.edit_blueprint(&old, &Blueprint { sharing_group_id: 0, ..old.clone() })?;
        Ok(old.id)
    })
}

/// The organisations that a blueprint chooses now.
pub fn orgs(service: &Service, actor: &Actor, reference: Ref) -> Result<Vec<Org>> {
    let (blueprint, permissions) = service.read(actor, |r| {
        let blueprint = r.blueprint(reference)?.ok_or(Error::NotFound("blueprint"))?;
        Ok((blueprint, actor.permissions))
    })?;
    let owner = owner(actor, &blueprint, permissions);
    service.read(&owner, |r| chosen(r, &blueprint))
}

/// Makes the group of each blueprint, or makes its organisations those that the rules choose now: of one
/// blueprint, or of all one sees, in one transaction. One that cannot be executed is counted; what refuses it is
/// looked at before it changes anything.
pub fn execute(service: &Service, actor: &Actor, reference: Option<Ref>) -> Result<Executed> {
    may_keep(actor)?;
    service.write(actor, |w| {
        let blueprints = match reference {
            Some(reference) => w.blueprint(reference)?.into_iter().collect(),
            None => w.blueprints()?,
        };
        if blueprints.is_empty() {
            return Err(Error::NotFound("blueprint"));
        }
        let mut result = Executed { matched: blueprints.len(), ..Executed::default() };
        for blueprint in &blueprints {
            // What its organisation sees decides, also when a site admin executes it.
            let owner = owner(actor, blueprint, actor.permissions);
            match w.acting(&owner, |w| apply(w, blueprint)) {
                Ok((created, changed)) => {
                    result.created += usize::from(created);
                    result.changed += usize::from(created || changed);
                }
                Err(Error::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::info!(%error, blueprint = blueprint.id, "a blueprint could not be executed");
                    result.failed += 1;
                }
            }
        }
        Ok(result)
    })
}

/// Whoever executes it, as one of its organisation who sees no more than that.
fn owner(actor: &Actor, blueprint: &Blueprint, permissions: pisax_access::Permissions) -> Actor {
    Actor {
        org_id: blueprint.org_id,
        permissions: permissions.without(Permission::SiteAdmin).with(Permission::SharingGroup),
        host_org: false,
        ..actor.clone()
    }
}

/// Whether the group was created, and whether its organisations changed.
fn apply(w: &mut Writer<'_>, blueprint: &Blueprint) -> Result<(bool, bool)> {
    let orgs = chosen(w, blueprint)?;
    let own = w.org(Ref::Id(blueprint.org_id))?.ok_or(Error::NotFound("organisation"))?;
    let (id, created) = match blueprint.sharing_group_id {
        0 => {
            let group = group(blueprint, own.uuid, w);
            let id = w.add_sharing_group(&group)?;
            w.edit_blueprint(blueprint, &Blueprint { sharing_group_id: id, ..blueprint.clone() })?;
            (id, true)
        }
        id => (id, false),
    };
    w.lock_sharing_group(id)?;
    let before = w.sharing_group(Ref::Id(id))?.ok_or(Error::NotFound("sharing group"))?;
    let extends = |org: i64| before.members.iter().any(|m| m.org_id == org && m.extend);
    let members: Vec<(i64, bool)> = orgs.iter().map(|org| (org.id, extends(org.id))).collect();
    let old: FxHashSet<i64> = before.members.iter().map(|m| m.org_id).collect();
    let new: FxHashSet<i64> = members.iter().map(|m| m.0).collect();
    if old == new {
        return Ok((created, false));
    }
    w.set_sharing_group_orgs(id, &members)?;
    Ok((created, true))
}

fn group(blueprint: &Blueprint, organisation_uuid: pisax_model::Uuid, w: &Writer<'_>) -> SharingGroup {
    SharingGroup {
        id: 0,
        uuid: new_uuid(w.now_ms),
        name: blueprint.name.clone(),
        releasability: MADE.into(),
        description: MADE.into(),
        organisation_uuid,
        org_id: blueprint.org_id,
        sync_user_id: blueprint.user_id,
        active: true,
        local: true,
        roaming: true,
        created: 0,
        modified: 0,
        members: Vec::new(),
        servers: Vec::new(),
    }
}

fn chosen(r: &mut Reader<'_>, blueprint: &Blueprint) -> Result<Vec<Org>> {
    let rule = check_rules(&blueprint.rules)?;
    let groups = match rule.fields().iter().any(|field| field.starts_with("sharing_group")) {
        true => r.sharing_groups()?,
        false => Vec::new(),
    };
    let mut orgs = r.orgs(None, None)?;
    orgs.retain(|org| rule.holds(&|field, value| fits(org, &groups, field, value)));
    Ok(orgs)
}

fn fits(org: &Org, groups: &[SharingGroup], field: &str, value: &str) -> bool {
    let text = match field {
        "org_id" => return value.trim() == org.id.to_string(),
        "org_uuid" => return value.trim().eq_ignore_ascii_case(&org.uuid.to_string()),
        "org_name" => &org.name,
        "org_nationality" => &org.nationality,
        "org_sector" => &org.sector,
        "org_type" => &org.kind,
        _ => {
            let reference = Ref::parse(value);
            let named = |group: &&SharingGroup| match reference {
                Some(Ref::Id(id)) => field == "sharing_group_id" && group.id == id,
                Some(Ref::Uuid(uuid)) => field == "sharing_group_uuid" && group.uuid == uuid,
                None => false,
            };
            let has = |group: &SharingGroup| {
                group.org_id == org.id || group.members.iter().any(|member| member.org_id == org.id)
            };
            return groups.iter().find(named).is_some_and(has);
        }
    };
    pisax_model::fold::fold(text) == pisax_model::fold::fold(value)
}

fn may_keep(actor: &Actor) -> Result<()> {
    let may = actor.has(Permission::SharingGroup) || actor.sees_all();
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

fn check_name(name: &str) -> Result<String, FieldError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 191 || name.chars().any(char::is_control) {
        return Err(FieldError::new("name", "The name is one line of at most 191 characters."));
    }
    Ok(name.to_owned())
}

fn check_rules(rules: &str) -> Result<Rule, FieldError> {
    let wrong = |message: String| FieldError::new("rules", message);
    if rules.len() > LONGEST {
        return Err(wrong("The rules are longer than 65535 bytes.".into()));
    }
    let rule = read(rules, Top::Or).map_err(|message| wrong(message.into()))?;
    match rule.fields().into_iter().find(|field| !FIELDS.contains(field)) {
        Some(field) => Err(wrong(format!("Unknown field {field}. Fields are: {}", FIELDS.join(", ")))),
        None => Ok(rule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_fields_that_there_are() {
        assert!(check_rules(r#"{"AND":{"org_sector":"IXP","NOT":{"org_nationality":["X"]}}}"#).is_ok());
        for bad in ["", "x", r#"{"password":"x"}"#, r#"{"OR":{"org":"x"}}"#] {
            assert_eq!(check_rules(bad).unwrap_err().field, "rules", "{bad}");
        }
    }
}
