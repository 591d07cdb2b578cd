//! Decaying models, noticelists, warninglists and exclusions: who may do what with them.

use crate::*;
use pisax_model::AttributeType;
use pisax_model::decay::Parameters;
use pisax_service::correlation_exclusion::{self as exclusion, Draft as Exclusion};
use pisax_service::decaying_model::{self as decaying, Draft};
use pisax_service::knowledge::{self, WarninglistDraft};
use pisax_service::noticelist;

const READ_ONLY: i64 = 6;

fn parameters() -> Parameters {
    Parameters { lifetime: 3.0, decay_speed: 1.0, threshold: 10.0, ..Parameters::default() }
}

fn named(name: &str) -> Draft {
    Draft { name: Some(name.into()), parameters: Some(parameters()), ..Draft::default() }
}

/// The fields a refusal names.
fn fields<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<&'static str> {
    match result {
        Err(Error::Invalid(errors)) => errors.iter().map(|e| e.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_platform_brings_is_there_from_the_first_start_and_stays_as_it_is_left() {
    let here = here();
    let admin = here.admin();
    let models = here.service.read(&admin, decaying::list).unwrap();
    assert!(models.iter().all(|m| m.default && !m.enabled && m.all_orgs), "nothing is scored unasked");
    let lists = here.service.read(&admin, |r| Ok(r.noticelists()?)).unwrap();
    assert!(!models.is_empty() && lists.iter().any(|l| l.list.name == "gdpr" && !l.enabled));
    assert_eq!(decaying::update(&here.service, &admin, false).unwrap(), 0);
    assert_eq!(noticelist::update(&here.service, &admin).unwrap(), 0);
    noticelist::enable(&here.service, &admin, lists[0].id, Some(true)).unwrap();
    noticelist::delete(&here.service, &admin, lists[1].id).unwrap();
    assert_eq!(noticelist::update(&here.service, &admin).unwrap(), 1, "it comes back when asked for");
    let kept = here.service.read(&admin, |r| Ok(r.noticelist(lists[0].id)?)).unwrap().unwrap();
    assert!(kept.enabled);
    let on = Draft { enabled: Some(true), ..Draft::default() };
    decaying::edit(&here.service, &admin, models[0].id, on).unwrap();
    assert_eq!(decaying::update(&here.service, &admin, true).unwrap(), models.len());
    let after = here.service.read(&admin, |r| decaying::view(r, models[0].id)).unwrap();
    assert!(after.enabled, "an update leaves the switch");
}

#[test]
fn a_model_is_changed_by_its_organisation_and_a_published_one_by_its_switches_alone() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let (maker, stranger) = (here.member(own, USER), here.member(other, USER));
    let private = Draft { all_orgs: Some(false), ..named("Ours") };
    let model = decaying::add(&here.service, &maker, private).unwrap();
    assert_eq!(model.org_id, own);
    let hidden = decaying::edit(&here.service, &stranger, model.id, named("Theirs"));
    assert!(matches!(hidden, Err(Error::NotFound(_))), "{hidden:?}");
    let open = Draft { all_orgs: Some(true), ..Draft::default() };
    decaying::edit(&here.service, &maker, model.id, open).unwrap();
    for refused in [
        decaying::edit(&here.service, &stranger, model.id, named("Theirs")).map(drop),
        decaying::delete(&here.service, &stranger, model.id),
        decaying::add(&here.service, &here.member(own, READ_ONLY), named("Mine")).map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    }
    let published = here.service.read(&maker, decaying::list).unwrap().remove(0);
    assert!(published.default);
    let by_maker = decaying::edit(&here.service, &maker, published.id, named("Mine"));
    assert!(matches!(by_maker, Err(Error::Forbidden)));
    let switched = Draft { enabled: Some(true), ..named("Another name") };
    let edited = decaying::edit(&here.service, &here.admin(), published.id, switched).unwrap();
    assert_eq!((edited.name, edited.parameters), (published.name, published.parameters));
    assert!(edited.enabled);
    let deleted = decaying::delete(&here.service, &here.admin(), published.id);
    assert!(matches!(deleted, Err(Error::Forbidden)));
    decaying::delete(&here.service, &maker, model.id).unwrap();
}

#[test]
fn a_model_that_cannot_score_is_refused_by_field() {
    let here = here();
    let with = |parameters| {
        fields(decaying::add(
            &here.service,
            &here.admin(),
            Draft { parameters: Some(parameters), ..named("x") },
        ))
    };
    assert_eq!(with(Parameters { lifetime: 0.0, ..parameters() }), ["lifetime"]);
    assert_eq!(with(Parameters { lifetime: f64::NAN, ..parameters() }), ["lifetime"]);
    assert_eq!(with(Parameters { decay_speed: -1.0, ..parameters() }), ["decay_speed"]);
    assert_eq!(with(Parameters { threshold: -1.0, ..parameters() }), ["threshold"]);
    let weight = vec![("a".to_owned(), -0.5)];
    assert_eq!(with(Parameters { base_score_config: weight, ..parameters() }), ["base_score_config"]);
    assert_eq!(fields(decaying::add(&here.service, &here.admin(), named(" "))), ["name"]);
    let formula = Draft { formula: Some("Newton".into()), ..named("x") };
    assert_eq!(fields(decaying::add(&here.service, &here.admin(), formula)), ["formula"]);
}

fn list(name: &str, kind: &str, entries: &[&str]) -> WarninglistDraft {
    WarninglistDraft {
        name: Some(name.into()),
        description: Some("ours".into()),
        kind: Some(kind.into()),
        enabled: Some(true),
        entries: Some(entries.iter().map(|e| ((*e).to_owned(), String::new())).collect()),
        ..WarninglistDraft::default()
    }
}

#[test]
fn a_warninglist_of_ones_own_is_heeded_from_the_moment_it_is_saved() {
    let here = here();
    let admin = here.admin();
    let hit = |value: &str| {
        here.service.warninglists.load().is_hit(AttributeType::parse("ip-dst").unwrap(), value, "")
    };
    let id = knowledge::add_warninglist(&here.service, &admin, list("Members", "cidr", &["192.0.2.0/24"]));
    let id = id.unwrap();
    assert!(hit("192.0.2.7") && hit("192.0.2.128/25") && !hit("198.51.100.1"));
    let other =
        WarninglistDraft { entries: list("", "", &["198.51.100.0/24"]).entries, ..Default::default() };
    knowledge::edit_warninglist(&here.service, &admin, id, other).unwrap();
    assert!(!hit("192.0.2.7") && hit("198.51.100.1"));
    let row = here.service.read(&admin, |r| Ok(r.warninglist(id)?)).unwrap().unwrap();
    assert_eq!((row.version, row.default, row.entry_count), (2, false, 1));
    assert_eq!(
        knowledge::import_warninglist(&here.service, &admin, list("Members", "cidr", &["::1"])).unwrap(),
        id
    );
    assert!(hit("::1") && !hit("198.51.100.1"));
    knowledge::delete_warninglist(&here.service, &admin, id).unwrap();
    assert!(!hit("::1"));
}

#[test]
fn a_warninglist_that_would_find_nothing_is_refused_by_field() {
    let here = here();
    let add = |draft| fields(knowledge::add_warninglist(&here.service, &here.admin(), draft));
    assert_eq!(add(list("x", "cidr", &["192.0.2.0/24", "somewhere"])), ["entries"]);
    assert_eq!(add(list("x", "regex", &["/(/"])), ["entries"]);
    assert_eq!(add(list("x", "string", &[])), ["entries"]);
    assert_eq!(add(list("x", "string", &["two\nlines"])), ["entries"]);
    assert_eq!(add(list("x", "guess", &["a"])), ["type"]);
    assert_eq!(add(list("", "string", &["a"])), ["name"]);
    let colour = WarninglistDraft { category: Some("pink".into()), ..list("x", "string", &["a"]) };
    assert_eq!(add(colour), ["category"]);
    knowledge::add_warninglist(&here.service, &here.admin(), list("x", "string", &["a"])).unwrap();
    assert_eq!(add(list("x", "string", &["a"])), ["name"]);
    let member = here.member(here.org("Own"), USER);
    let refused = knowledge::add_warninglist(&here.service, &member, list("y", "string", &["a"]));
    assert!(matches!(refused, Err(Error::Forbidden)));
}

#[test]
fn exclusions_are_for_who_runs_the_instance_and_never_for_everything() {
    let here = here();
    let admin = here.admin();
    let value = |value: &str| Exclusion { value: Some(value.into()), ..Exclusion::default() };
    for empty in ["", "%", "%%", " % "] {
        assert_eq!(fields(exclusion::add(&here.service, &admin, &value(empty))), ["value"], "{empty:?}");
    }
    let entry = exclusion::add(&here.service, &admin, &value("%.example")).unwrap();
    assert_eq!(fields(exclusion::add(&here.service, &admin, &value("%.EXAMPLE"))), ["value"]);
    let note = Exclusion { comment: Some("reserved".into()), ..value("other") };
    let edited = exclusion::edit(&here.service, &admin, entry.id, &note).unwrap();
    assert_eq!((edited.value.as_str(), edited.comment.as_str()), ("%.example", "reserved"));
    let member = here.member(here.org("Own"), USER);
    assert!(matches!(exclusion::list(&here.service, &member, None), Err(Error::Forbidden)));
    assert!(matches!(exclusion::add(&here.service, &member, &value("x")), Err(Error::Forbidden)));
    exclusion::delete(&here.service, &admin, entry.id).unwrap();
    assert!(matches!(exclusion::view(&here.service, &admin, entry.id), Err(Error::NotFound(_))));
}
