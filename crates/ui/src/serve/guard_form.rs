//! GET and POST /servers/guard/{id}: what never leaves to a server.

use std::collections::HashSet;

use axum::response::Response;
use http::StatusCode;
use pisax_model::server::Server;
use pisax_model::sharing::SharingGroup;
use pisax_model::transit::{Compartments, Guard, Tlp};
use pisax_model::{AttributeType, Category, Distribution, FieldError, Uuid};
use pisax_service::Error;
use pisax_share::terms;

use super::failure::Failure;
use super::fields::Fields;
use super::notice::Notice;
use super::reply;
use super::server_page::server;
use super::visit::Visit;
use crate::{Area, Choice, Errors, GuardForm, ServerLink, Ticked, links, words};

type Answer = Result<Response, Failure>;

/// GET /servers/guard/{id}
pub(crate) fn change(visit: &Visit<'_>) -> Answer {
    let server = server(visit)?;
    match terms::guard(visit.service(), &server) {
        Ok(guard) => again(visit, &server, &guard, Errors::default(), None, StatusCode::OK),
        // One that cannot be read lets nothing leave: the form begins anew.
        Err(fault) => {
            let errors = Errors::one("guard", words::sentence(&fault.to_string()));
            again(visit, &server, &Guard::default(), errors, None, StatusCode::OK)
        }
    }
}

/// POST /servers/guard/{id}
pub(crate) fn save(visit: &Visit<'_>) -> Answer {
    let server = server(visit)?;
    let (guard, wrong) = typed(&visit.form);
    let refused = |errors| {
        let types = visit.form.lines("blocked_types");
        again(visit, &server, &guard, errors, Some(types), StatusCode::UNPROCESSABLE_ENTITY)
    };
    if let Some(error) = wrong {
        return refused(Errors::one(error.field, error.message));
    }
    match terms::set_guard(visit.service(), visit.actor(), &server, &guard) {
        Ok(()) => Ok(Notice::GuardSaved.on(reply::redirect(&links::server(server.id)), visit.pages)),
        Err(Error::Invalid(wrong)) => {
            refused(wrong.into_iter().map(|e| (e.field.to_owned(), e.message)).collect())
        }
        Err(other) => Err(other.into()),
    }
}

/// The guard a form describes, and what is wrong in it.
fn typed(form: &Fields) -> (Guard, Option<FieldError>) {
    let mut wrong = None;
    let mut blocked_types = Vec::new();
    for name in form.list("blocked_types") {
        match AttributeType::parse(&name) {
            Some(kind) => blocked_types.push(kind),
            None => {
                wrong = Some(FieldError::new("blocked_types", format!("There is no attribute type {name}.")))
            }
        }
    }
    let uuids = |name: &str| form.all(name).filter_map(|text| Uuid::try_parse(text).ok()).collect::<Vec<_>>();
    let defaults = Guard::default();
    let guard = Guard {
        required_tags: form.list("required_tags"),
        blocked_tags: form.list("blocked_tags"),
        ceiling: Tlp::from_name(form.get("ceiling")),
        untagged: Tlp::from_name(form.get("untagged")).unwrap_or(defaults.untagged),
        blocked_distributions: form
            .all("distribution")
            .filter_map(|code| Distribution::from_code(code.parse().ok()?))
            .collect(),
        allowed_groups: form.ticked("some_groups").then(|| uuids("allowed_group")),
        blocked_groups: uuids("blocked_group"),
        blocked_types,
        blocked_categories: form.all("category").filter_map(Category::parse).collect(),
        blocked_objects: form.list("blocked_objects"),
        compartments: Compartments {
            taxonomies: form.list("taxonomies"),
            allowed: form.list("compartments"),
        },
    };
    (guard, wrong)
}

/// The form of a guard. `types`: as they were typed.
fn again(
    visit: &Visit<'_>,
    server: &Server,
    guard: &Guard,
    errors: Errors,
    types: Option<String>,
    status: StatusCode,
) -> Answer {
    let groups = visit.service().read(visit.actor(), |r| Ok(r.sharing_groups()?))?;
    let types = types
        .unwrap_or_else(|| guard.blocked_types.iter().map(|kind| kind.name()).collect::<Vec<_>>().join("\n"));
    let allowed = guard.allowed_groups.as_deref().unwrap_or_default();
    let known: Vec<&[Uuid]> = vec![allowed, &guard.blocked_groups];
    let form = GuardForm {
        chrome: visit.chrome(Area::Servers),
        server: ServerLink { id: server.id, name: server.name.clone() },
        ceiling: guard.ceiling.map_or("", Tlp::name).to_owned(),
        untagged: guard.untagged.name().to_owned(),
        required_tags: guard.required_tags.join("\n"),
        blocked_tags: guard.blocked_tags.join("\n"),
        distributions: distributions(guard),
        some_groups: guard.allowed_groups.is_some(),
        allowed_groups: ticked(&groups, &known, allowed),
        blocked_groups: ticked(&groups, &known, &guard.blocked_groups),
        blocked_types: types,
        categories: Category::all()
            .map(|category| Ticked {
                value: category.name().to_owned(),
                label: category.name().to_owned(),
                on: guard.blocked_categories.contains(&category),
            })
            .collect(),
        blocked_objects: guard.blocked_objects.join("\n"),
        taxonomies: guard.compartments.taxonomies.join("\n"),
        compartments: guard.compartments.allowed.join("\n"),
        levels: Tlp::ALL.iter().map(|level| Choice::new(level.name(), level.tag())).collect(),
        errors,
    };
    reply::page(status, &form)
}

fn distributions(guard: &Guard) -> Vec<Ticked> {
    let blocked: HashSet<i64> = guard.blocked_distributions.iter().map(|level| level.code()).collect();
    (0..=4)
        .map(|code| Ticked {
            value: code.to_string(),
            label: words::visibility(code, None),
            on: blocked.contains(&code),
        })
        .collect()
}

/// A box for each group, and for those that a guard names though they are not here.
fn ticked(groups: &[SharingGroup], named: &[&[Uuid]], on: &[Uuid]) -> Vec<Ticked> {
    let mut boxes: Vec<Ticked> = groups
        .iter()
        .map(|group| Ticked {
            value: group.uuid.to_string(),
            label: group.name.clone(),
            on: on.contains(&group.uuid),
        })
        .collect();
    for uuid in named.iter().flat_map(|list| list.iter()) {
        if !boxes.iter().any(|one| one.value == uuid.to_string()) {
            boxes.push(Ticked { value: uuid.to_string(), label: uuid.to_string(), on: on.contains(uuid) });
        }
    }
    boxes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_becomes_a_guard() {
        let group = "11111111-0000-4000-8000-000000000001";
        let (guard, wrong) = typed(&fields(&[
            ("ceiling", "green"),
            ("untagged", "red"),
            ("required_tags", "tlp:green\r\n\r\n a:b "),
            ("distribution", "3"),
            ("distribution", "4"),
            ("some_groups", "1"),
            ("allowed_group", group),
            ("blocked_types", "sha256\r\nmd5"),
            ("category", "Payload delivery"),
            ("taxonomies", ""),
        ]));
        assert_eq!(wrong, None);
        assert_eq!((guard.ceiling, guard.untagged), (Some(Tlp::Green), Tlp::Red));
        assert_eq!(guard.required_tags, ["tlp:green", "a:b"]);
        assert_eq!(guard.blocked_distributions, [Distribution::All, Distribution::SharingGroup]);
        assert_eq!(guard.allowed_groups.map(|groups| groups.len()), Some(1));
        assert_eq!((guard.blocked_types.len(), guard.blocked_categories.len()), (2, 1));
        assert!(guard.compartments.taxonomies.is_empty(), "emptied is emptied");
    }

    #[test]
    fn a_type_that_is_none_is_told_by_name() {
        let (_, wrong) = typed(&fields(&[("blocked_types", "ip-dts")]));
        assert!(wrong.unwrap().message.contains("ip-dts"));
    }

    #[test]
    fn a_group_that_is_not_here_keeps_its_box() {
        let there = Uuid::from_u128(7);
        let boxes = ticked(&[], &[&[there]], &[there]);
        assert_eq!((boxes.len(), boxes[0].on), (1, true));
    }
}
