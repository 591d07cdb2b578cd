//! Taxonomies, galaxies, templates, warninglists.

use crate::{on_each_engine, uuid};
use pisax_model::ids::Ref;
use pisax_store::knowledge::{ClusterRow, GalaxyRow, Library, TemplateRow, WarninglistRow};

fn galaxy(version: i64) -> GalaxyRow {
    GalaxyRow {
        id: 0,
        uuid: uuid(1),
        name: format!("Tool v{version}"),
        kind: "tool".into(),
        description: String::new(),
        version,
        icon: "gear".into(),
        namespace: "misp".into(),
        enabled: true,
        local_only: false,
        kill_chain_order: "{}".into(),
    }
}

fn cluster(number: u128, value: &str) -> ClusterRow {
    ClusterRow {
        id: 0,
        uuid: uuid(number),
        galaxy_id: 0,
        collection_uuid: uuid(9),
        tag_name: format!("misp-galaxy:tool=\"{value}\""),
        value: value.into(),
        description: "A tool".into(),
        source: "open".into(),
        authors: "[]".into(),
        version: 1,
        meta: format!("{{\"synonyms\":[\"Alias {value}\"]}}"),
        related: "[]".into(),
        owned: None,
    }
}

#[test]
fn a_taxonomy_changes_only_when_its_version_grows() {
    on_each_engine("taxonomy", |t| {
        let put =
            |version, body: &str| t.write(|w| w.put_taxonomy("tlp", "Traffic light", version, true, body));
        let first = put(3, "three");
        assert!(first.changed);
        assert!(t.write(|w| w.enable_knowledge(Library::Taxonomies, first.id, true)));
        assert!(t.write(|w| w.require_taxonomy(first.id, true)));
        assert!(!t.write(|w| w.require_taxonomy(77, true)));
        assert!(!put(3, "other").changed);
        assert!(!put(2, "other").changed);
        assert_eq!(t.read(|r| r.taxonomy_of("tlp")).unwrap().body, "three");
        assert_eq!(put(4, "four").id, first.id);
        let now = t.read(|r| r.taxonomy(first.id)).unwrap();
        assert_eq!(
            (now.version, now.body.as_str(), now.enabled, now.required, now.exclusive),
            (4, "four", true, true, true)
        );
        assert_eq!(t.read(|r| r.taxonomies())[0].body, "", "lists leave the body out");
    });
}

#[test]
fn galaxies_are_found_by_any_of_their_words() {
    on_each_engine("galaxy_words", |t| {
        let named = GalaxyRow { name: "Grün".into(), description: "50% done".into(), ..galaxy(1) };
        t.write(|w| w.put_galaxy(&named));
        for (search, found) in [
            ("grun", 1),
            ("MISP", 1),
            ("50%", 1),
            ("%", 1),
            ("50_", 0),
            ("blue", 0),
            (&uuid(1).to_string(), 1),
        ] {
            assert_eq!(t.read(|r| r.galaxies_containing(search)).len(), found, "{search}");
        }
    });
}

#[test]
fn clusters_keep_their_numbers_through_an_update() {
    on_each_engine("galaxy", |t| {
        let id = t.write(|w| w.put_galaxy(&galaxy(1))).id;
        let rows = [cluster(11, "Alpha"), cluster(12, "Beta"), cluster(13, "ALPHA")];
        assert_eq!(t.write(|w| w.put_clusters(id, &rows)), 2, "names that differ in case are one tag");
        let before = t.read(|r| r.clusters(id));
        assert_eq!(before.iter().map(|c| c.value.as_str()).collect::<Vec<_>>(), ["Alpha", "Beta"]);
        assert!(!t.write(|w| w.put_galaxy(&galaxy(1))).changed);
        assert!(t.write(|w| w.put_galaxy(&galaxy(2))).changed);
        t.write(|w| w.put_clusters(id, &[cluster(14, "Gamma"), cluster(12, "Beta")]));
        let after = t.read(|r| r.clusters(id));
        assert_eq!((after[0].value.as_str(), after[0].id), ("Beta", before[1].id));
        let by_tag =
            t.read(|r| r.cluster_by_tag_names(&["Misp-galaxy:tool=\"GAMMA\"".into(), "tlp:red".into()]));
        assert_eq!(by_tag["misp-galaxy:tool=\"gamma\""].uuid, uuid(14));
        assert_eq!(t.read(|r| r.clusters_containing("alias g", 10)).len(), 1);
        assert_eq!(t.read(|r| r.cluster(Ref::Uuid(uuid(12)))).unwrap().id, before[1].id);
        t.write(|w| w.enable_knowledge(Library::Galaxies, id, false));
        assert!(t.read(|r| r.cluster_by_tag_names(&[after[0].tag_name.clone()])).is_empty());
        let other = t.write(|w| w.put_galaxy(&GalaxyRow { uuid: uuid(2), ..galaxy(1) })).id;
        assert_eq!(t.write(|w| w.put_clusters(other, &[cluster(12, "Beta"), cluster(15, "Delta")])), 1);
        assert_eq!(t.read(|r| r.galaxies()).len(), 2);
        assert!(!t.read(|r| r.galaxy(Ref::Uuid(uuid(1)))).unwrap().enabled);
        assert_eq!(t.read(|r| r.knowledge_counts()).clusters, 3);
    });
}

#[test]
fn every_version_of_a_template_is_kept_and_the_newest_is_active() {
    on_each_engine("template", |t| {
        let put = |version| {
            let row = TemplateRow {
                id: 0,
                uuid: uuid(1),
                name: "file".into(),
                meta_category: "file".into(),
                description: String::new(),
                version,
                active: true,
                raw: format!("v{version}"),
            };
            t.write(|w| w.put_template(&row))
        };
        assert!(put(24).changed && put(25).changed && put(3).changed);
        assert!(!put(24).changed);
        let active = t.read(|r| r.templates());
        assert_eq!(active.iter().map(|t| t.version).collect::<Vec<_>>(), [25]);
        assert_eq!(t.read(|r| r.template(&uuid(1), Some(3))).unwrap().raw, "v3");
        assert_eq!(t.read(|r| r.template(&uuid(1), None)).unwrap().raw, "v25");
        assert_eq!(t.read(|r| r.template(&uuid(2), None)), None);
        assert_eq!(t.read(|r| r.template_named("file")).unwrap().version, 25);
        assert_eq!(t.read(|r| r.template_by_id(active[0].id)).unwrap(), active[0]);
    });
}

#[test]
fn a_warninglist_is_read_with_its_entries_when_switched_on() {
    on_each_engine("warninglist", |t| {
        let put = |version, enabled, entries: &str| {
            let row = WarninglistRow {
                id: 0,
                name: "Public resolvers".into(),
                kind: "cidr".into(),
                description: String::new(),
                version,
                category: "false_positive".into(),
                enabled,
                types: "ip-src".into(),
                entry_count: entries.lines().count() as i64,
                default: true,
            };
            t.write(|w| w.put_warninglist(&row, entries))
        };
        let id = put(1, false, "8.8.8.8/32").id;
        let enabled = || {
            let mut texts = Vec::new();
            t.read(|r| {
                r.each_enabled_warninglist(|list, entries| {
                    texts.push((list.id, entries.to_owned()));
                    Ok(())
                })
            });
            texts
        };
        assert!(enabled().is_empty());
        t.write(|w| w.enable_knowledge(Library::Warninglists, id, true));
        assert!(put(2, false, "8.8.8.8/32\n1.1.1.1/32").changed);
        assert!(!put(2, false, "").changed);
        assert_eq!(enabled(), [(id, "8.8.8.8/32\n1.1.1.1/32".to_owned())]);
        assert_eq!(t.read(|r| r.warninglist(id)).unwrap().entry_count, 2);
        assert_eq!(t.read(|r| r.warninglists()).len(), 1);
        assert_eq!(t.read(|r| r.warninglist_entries(id)).unwrap().lines().count(), 2);
    });
}
