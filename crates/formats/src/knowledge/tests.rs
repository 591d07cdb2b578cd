use super::*;
use pisax_model::knowledge::{WarninglistCategory, WarninglistKind};
use std::convert::Infallible;
use std::fs;
use std::io::Write;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const TAXONOMY: &str = r##"{"namespace":"adm","description":"d","version":"3","exclusive":true,
  "predicates":[{"value":"scale","expanded":"Scale","colour":"#FF0000","numerical_value":7},{"value":"alone"}],
  "values":[{"predicate":"scale","entry":[{"value":"a","numerical_value":50,"colour":"red"}]}]}"##;
const GALAXY: &str = r#"{"uuid":"11111111-0000-4000-8000-000000000001","name":"Actors","type":"actor",
  "description":"","version":2,"icon":"user","namespace":"misp","kill_chain_order":{"tab":["one","two"]}}"#;
const CLUSTERS: &str = r#"{"authors":["A"],"category":"actor","description":"","name":"Actors","source":"S",
  "type":"actor","uuid":"22222222-0000-4000-8000-000000000001","values":[
   {"value":"Bear","uuid":"33333333-0000-4000-8000-000000000001","meta":{"country":"XX","refs":["r1","r2"],"n":7},
    "related":[{"dest-uuid":"33333333-0000-4000-8000-000000000002","type":"similar","tags":["t"]},
               {"type":"similar"}]},
   {"value":"No uuid"},
   {"value":"Cat","uuid":"33333333-0000-4000-8000-000000000003","meta":[]}],"version":9}"#;
const TEMPLATE: &str = r#"{"uuid":"44444444-0000-4000-8000-000000000001","name":"file","meta-category":"file",
  "description":"A file","version":25,"requiredOneOf":["md5"],"attributes":{
   "zeta":{"misp-attribute":"text","description":"z","ui-priority":1,"sane_default":["a","b"],"to_ids":false},
   "md5":{"misp-attribute":"md5","description":"m","ui-priority":0,"multiple":true}}}"#;
const WORDS: &str = r#"{"name":"relationships","values":[
  {"name":"uses","description":"d","format":["misp"],"opposite":"used-by"},{"description":"nameless"}],"version":1}"#;
const LIST: &str = r#"{"name":"Resolvers","type":"cidr","version":20,"description":"d",
  "list":["8.8.8.8","9.9.9.9"],"matching_attributes":["ip-src"]}"#;

const FILES: [(&str, &str); 6] = [
    ("data/misp-taxonomies/adm/machinetag.json", TAXONOMY),
    ("data/misp-galaxy/clusters/actor.json", CLUSTERS),
    ("data/misp-galaxy/galaxies/actor.json", GALAXY),
    ("data/misp-objects/objects/file/definition.json", TEMPLATE),
    ("data/misp-objects/relationships/definition.json", WORDS),
    ("data/misp-warninglists/lists/resolvers/list.json", LIST),
];

fn zipped(path: &Path, files: &[(&str, &str)]) {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, text) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

fn unpacked(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn all(path: &Path) -> (Vec<Item>, Report) {
    let mut items = Vec::new();
    let report = read::<Infallible>(path, &mut |item| {
        items.push(item);
        Ok(())
    })
    .unwrap();
    (items, report)
}

const EVERYTHING: Counts = Counts {
    taxonomies: 1,
    galaxies: 1,
    clusters: 2,
    object_templates: 1,
    relationship_types: 1,
    warninglists: 1,
};

#[test]
fn a_wheel_a_folder_and_a_folder_of_wheels_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = folder.path().join("some_package-1.2.3-py3-none-any.whl");
    zipped(&wheel, &FILES);
    let (items, report) = all(&wheel);
    assert_eq!(report.counts, EVERYTHING);
    assert_eq!(report.found[0].packages, Package::ALL);
    assert_eq!(report.found[0].name.as_deref(), Some("some_package"));
    assert_eq!(report.found[0].version.as_deref(), Some("1.2.3"));
    let (from_wheels, report) = all(folder.path());
    assert_eq!((&from_wheels, report.counts), (&items, EVERYTHING));

    let checkout = tempfile::tempdir().unwrap();
    unpacked(checkout.path(), &FILES);
    let (from_folder, report) = all(checkout.path());
    assert_eq!((from_folder, report.counts), (items, EVERYTHING));
    assert_eq!(report.found[0].version, None);
}

#[test]
fn what_files_say_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    unpacked(folder.path(), &FILES);
    for item in all(folder.path()).0 {
        match item {
            Item::Taxonomy(taxonomy) => {
                assert_eq!((taxonomy.version, taxonomy.exclusive), (3, true));
                let tags: Vec<_> = taxonomy.tags().map(|t| (t.name, t.numerical_value)).collect();
                assert_eq!(tags, [("adm:scale=\"a\"".into(), Some(50)), ("adm:alone".into(), None)]);
                let colour = taxonomy.predicates[0].entries[0].colour.as_deref();
                assert_eq!(colour, None, "red is no colour a page can use");
            }
            Item::Galaxy(galaxy) => {
                assert_eq!(galaxy.kill_chain_order, [("tab".into(), vec!["one".into(), "two".into()])]);
            }
            Item::Cluster(cluster) if cluster.value == "Bear" => {
                assert_eq!(cluster.tag_name, "misp-galaxy:actor=\"Bear\"");
                assert_eq!((cluster.version, cluster.source.as_str()), (9, "S"));
                let meta: Vec<_> = cluster.meta.iter().map(|(k, v)| (k.as_str(), v.join("|"))).collect();
                let expected = [("country", "XX".into()), ("refs", "r1|r2".into()), ("n", "7".into())];
                assert_eq!(meta, expected);
                assert_eq!(cluster.related[0].tags, ["t"]);
            }
            Item::Cluster(cluster) => assert_eq!((cluster.value.as_str(), cluster.meta.len()), ("Cat", 0)),
            Item::ObjectTemplate(template) => {
                let relations: Vec<_> =
                    template.elements.iter().map(|e| e.object_relation.as_str()).collect();
                assert_eq!(relations, ["zeta", "md5"], "in the file's order");
                assert_eq!(template.elements[0].to_ids, Some(false));
                assert!(template.element("md5").unwrap().multiple);
                assert_eq!(template.required_one_of, ["md5"]);
                assert_eq!(template.raw, TEMPLATE);
            }
            Item::RelationshipType(word) => assert_eq!(word.opposite.as_deref(), Some("used-by")),
            Item::Warninglist(list) => {
                assert_eq!(list.kind, WarninglistKind::Cidr);
                assert_eq!(list.category, WarninglistCategory::FalsePositive);
                assert_eq!(list.list.iter().collect::<Vec<_>>(), ["8.8.8.8", "9.9.9.9"]);
            }
        }
    }
}

#[test]
fn what_is_wrong_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    unpacked(folder.path(), &FILES);
    unpacked(
        folder.path(),
        &[
            ("t/broken/machinetag.json", "{\"namespace\":"),
            ("t/lost/machinetag.json", r#"{"namespace":"n","predicates":[],"values":[{"predicate":"p"}]}"#),
            ("lists/odd/list.json", r#"{"name":"n","type":"magic","list":["a"]}"#),
            ("lists/nested/list.json", r#"{"name":"n","type":"string","list":["a",["b"]]}"#),
            ("objects/o/definition.json", r#"{"uuid":"no","name":"o"}"#),
            ("objects/p/definition.json", "[]"),
        ],
    );
    fs::write(folder.path().join("torn.whl"), "PK no zip").unwrap();
    let (_, report) = all(folder.path());
    assert_eq!(report.counts, EVERYTHING);
    let mut places: Vec<_> = report.problems.iter().map(|p| (p.file.as_str(), p.field.as_str())).collect();
    places.sort_unstable();
    let torn = folder.path().join("torn.whl").display().to_string();
    let mut expected = vec![
        ("data/misp-galaxy/clusters/actor.json", "values[0].related[1].dest-uuid"),
        ("data/misp-galaxy/clusters/actor.json", "values[1].uuid"),
        ("data/misp-objects/relationships/definition.json", "values[1].name"),
        ("lists/nested/list.json", "list[1]"),
        ("lists/odd/list.json", "type"),
        ("objects/o/definition.json", "uuid"),
        ("objects/p/definition.json", ""),
        ("t/broken/machinetag.json", ""),
        ("t/lost/machinetag.json", "values[0].predicate"),
        (torn.as_str(), ""),
    ];
    expected.sort_unstable();
    assert_eq!(places, expected);
    let odd = report.problems.iter().find(|p| p.file == "lists/odd/list.json").unwrap();
    assert_eq!(odd.to_string(), "lists/odd/list.json: type: no such kind of list: magic");
}

#[test]
fn an_error_of_the_sink_ends_the_reading_at_once() {
    let folder = tempfile::tempdir().unwrap();
    unpacked(folder.path(), &FILES);
    let mut clusters = 0;
    let outcome = read(folder.path(), &mut |item| {
        clusters += usize::from(matches!(item, Item::Cluster(_)));
        if clusters == 1 { Err("disk full") } else { Ok(()) }
    });
    assert!(matches!(outcome, Err(ReadError::Sink("disk full"))));
    assert_eq!(clusters, 1);
}

#[test]
fn a_path_that_holds_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let sink = &mut |_| Ok::<(), Infallible>(());
    assert!(matches!(read(folder.path(), sink), Err(ReadError::NothingFound(_))));
    assert!(matches!(read(&folder.path().join("absent"), sink), Err(ReadError::Open { .. })));
    let torn = folder.path().join("torn.whl");
    fs::write(&torn, "PK no zip").unwrap();
    assert!(matches!(read(&torn, sink), Err(ReadError::Open { .. })));
}

/// The published packages themselves, where `PISAX_KNOWLEDGE` names the folder they were fetched into.
#[test]
fn the_published_packages_are_read_with_next_to_no_problem() {
    let Some(folder) = std::env::var_os("PISAX_KNOWLEDGE") else { return };
    let mut tags = 0;
    let report = read::<Infallible>(Path::new(&folder), &mut |item| {
        if let Item::Taxonomy(taxonomy) = &item {
            tags += taxonomy.tags().count();
        }
        Ok(())
    })
    .unwrap();
    println!("{:#?}\n{:?}\n{tags} tags", report.found, report.counts);
    // pymispgalaxies 1.1.1 has one relation without a target.
    assert!(report.problems.len() <= 3, "{:?}", report.problems);
    let counts = report.counts;
    assert!(counts.taxonomies > 150 && counts.galaxies > 100 && counts.clusters > 40_000, "{counts:?}");
    assert!(counts.object_templates > 400 && counts.relationship_types > 300, "{counts:?}");
    assert!(counts.warninglists > 110, "{counts:?}");
}
