//! Knowledge taken in, switched on and off.

use crate::*;
use pisax_model::AttributeType;
use pisax_service::knowledge::{self, Library, Which};
use std::fs;
use std::path::Path;

const TAXONOMY: &str = r##"{"namespace":"adm","description":"d","version":1,"predicates":[{"value":"scale",
  "colour":"#FF0000"},{"value":"alone"}],"values":[{"predicate":"scale","entry":[{"value":"a","numerical_value":50}]}]}"##;
const GALAXY: &str = r#"{"uuid":"11111111-0000-4000-8000-000000000001","name":"Actors","type":"actor",
  "description":"","version":2,"icon":"user","namespace":"misp"}"#;
const CLUSTERS: &str = r#"{"authors":["A"],"name":"Actors","source":"S","type":"actor","version":9,
  "uuid":"22222222-0000-4000-8000-000000000001","values":[
   {"value":"Bear","uuid":"33333333-0000-4000-8000-000000000001","meta":{"synonyms":["Ursus"]}},
   {"value":"Cat","uuid":"33333333-0000-4000-8000-000000000003"}]}"#;
const TEMPLATE: &str = r#"{"uuid":"44444444-0000-4000-8000-000000000001","name":"file","meta-category":"file",
  "description":"A file","version":25,"attributes":{"md5":{"misp-attribute":"md5","description":"m"}}}"#;
const LIST: &str = r#"{"name":"Resolvers","type":"cidr","version":20,"description":"d",
  "list":["8.8.8.8","9.9.9.9"],"matching_attributes":["ip-src"]}"#;

fn library(folder: &Path, list: &str) {
    for (name, text) in [
        ("misp-taxonomies/adm/machinetag.json", TAXONOMY),
        ("misp-galaxy/galaxies/actor.json", GALAXY),
        ("misp-galaxy/clusters/actor.json", CLUSTERS),
        ("misp-objects/objects/file/definition.json", TEMPLATE),
        ("misp-warninglists/lists/resolvers/list.json", list),
    ] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn a_library_is_taken_in_once_and_again_when_it_is_newer() {
    let here = here();
    let folder = tempfile::tempdir().unwrap();
    library(folder.path(), LIST);
    let import = || knowledge::import(&here.service, folder.path(), &mut |_| {}).unwrap().changed;
    assert_eq!(import(), 6, "taxonomy, galaxy, two clusters, template, warninglist");
    assert_eq!(import(), 0);
    let counts = here.service.read(&here.admin(), |r| Ok(r.knowledge_counts()?)).unwrap();
    assert_eq!((counts.taxonomies, counts.galaxies, counts.clusters), (1, 1, 2));
    let bear = here.service.read(&here.admin(), |r| Ok(r.clusters(1)?)).unwrap().remove(0);
    assert_eq!(
        (bear.tag_name.as_str(), bear.meta.as_str()),
        ("misp-galaxy:actor=\"Bear\"", r#"{"synonyms":["Ursus"]}"#)
    );

    let which = Which { names: vec!["resolv%".into()], ..Which::default() };
    let on = knowledge::toggle(&here.service, &here.admin(), &which, Some(true)).unwrap();
    assert_eq!((on.count, on.on), (1, Some(true)));
    library(folder.path(), &LIST.replace("20", "21").replace("9.9.9.9", "1.1.1.1"));
    assert_eq!(import(), 1);
    assert_eq!(
        here.service.warninglists.load().check("1.1.1.1").len(),
        1,
        "it stays on, with the new entries"
    );
}

#[test]
fn only_lists_that_are_on_are_heeded() {
    let here = here();
    let folder = tempfile::tempdir().unwrap();
    library(folder.path(), LIST);
    knowledge::import(&here.service, folder.path(), &mut |_| {}).unwrap();
    let hits = || {
        here.service.warninglists.load().hits(AttributeType::parse("ip-src").unwrap(), "8.8.8.8", "").len()
    };
    assert_eq!(hits(), 0);
    let which = Which { ids: vec![1], ..Which::default() };
    let toggle = |on| knowledge::toggle(&here.service, &here.admin(), &which, on).unwrap();
    assert_eq!(toggle(None).on, Some(true));
    assert_eq!(hits(), 1);
    assert_eq!(toggle(Some(false)).on, Some(false));
    assert_eq!(hits(), 0);
    let member = here.member(here.org("Own"), USER);
    assert!(matches!(knowledge::toggle(&here.service, &member, &which, None), Err(Error::Forbidden)));
    assert_eq!(knowledge::toggle(&here.service, &here.admin(), &Which::default(), None).unwrap().count, 0);
}

#[test]
fn an_enabled_taxonomy_makes_and_hides_its_tags() {
    let here = here();
    let folder = tempfile::tempdir().unwrap();
    library(folder.path(), LIST);
    knowledge::import(&here.service, folder.path(), &mut |_| {}).unwrap();
    let admin = here.admin();
    assert!(
        matches!(knowledge::add_tags(&here.service, &admin, 1, &[]), Err(Error::Refused(_))),
        "it is off"
    );
    knowledge::enable(&here.service, &admin, Library::Taxonomies, 1, true).unwrap();
    knowledge::add_tags(&here.service, &admin, 1, &[]).unwrap();
    let tags = || here.service.read(&admin, |r| Ok(r.search_tags("adm:%")?)).unwrap();
    let made: Vec<_> = tags().into_iter().map(|t| (t.name, t.colour.len(), t.numerical_value)).collect();
    assert_eq!(made, [("adm:alone".to_owned(), 7, None), ("adm:scale=\"a\"".to_owned(), 7, Some(50))]);
    assert_eq!(tags()[1].colour, "#ff0000", "the predicate's");
    knowledge::hide_tags(&here.service, &admin, 1, &["adm:alone".into()]).unwrap();
    assert_eq!(tags().iter().map(|t| t.hide_tag).collect::<Vec<_>>(), [true, false]);
    knowledge::add_tags(&here.service, &admin, 1, &[]).unwrap();
    assert!(tags().iter().all(|t| !t.hide_tag));
    assert!(matches!(
        knowledge::enable(&here.service, &admin, Library::Galaxies, 99, true),
        Err(Error::NotFound("galaxy"))
    ));
}

#[test]
fn a_path_that_holds_nothing_says_so() {
    let here = here();
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("nowhere")] {
        assert!(matches!(knowledge::import(&here.service, &path, &mut |_| {}), Err(Error::Refused(_))));
    }
}
