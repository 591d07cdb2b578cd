//! A crate imports only downward: every edge that exists is one that ARCHITECTURE.md draws.

use std::collections::{BTreeMap, BTreeSet};

/// What each crate may import, for building and for its tests.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("pisax-model", &[]),
    ("pisax-access", &["pisax-model"]),
    ("pisax-auth", &["pisax-model"]),
    ("pisax-lookup", &["pisax-model"]),
    ("pisax-wire", &["pisax-model"]),
    ("pisax-formats", &["pisax-model", "pisax-wire"]),
    ("pisax-outbound", &[]),
    ("pisax-modules", &["pisax-model", "pisax-outbound", "pisax-wire"]),
    ("pisax-store", &["pisax-access", "pisax-model", "pisax-outbound"]),
    (
        "pisax-service",
        &[
            "pisax-access",
            "pisax-auth",
            "pisax-formats",
            "pisax-lookup",
            "pisax-model",
            "pisax-modules",
            "pisax-outbound",
            "pisax-store",
        ],
    ),
    (
        "pisax-share",
        &[
            "pisax-access",
            "pisax-auth",
            "pisax-model",
            "pisax-outbound",
            "pisax-service",
            "pisax-store",
            "pisax-wire",
        ],
    ),
    (
        "pisax-api",
        &[
            "pisax-access",
            "pisax-auth",
            "pisax-formats",
            "pisax-model",
            "pisax-service",
            "pisax-share",
            "pisax-store",
            "pisax-wire",
        ],
    ),
    (
        "pisax-ui",
        &["pisax-access", "pisax-auth", "pisax-model", "pisax-service", "pisax-share", "pisax-store"],
    ),
    (
        "pisax",
        &[
            "pisax-access",
            "pisax-api",
            "pisax-auth",
            "pisax-formats",
            "pisax-model",
            "pisax-service",
            "pisax-share",
            "pisax-store",
            "pisax-ui",
            "pisax-wire",
        ],
    ),
    (
        "pisax-bench",
        &["pisax-auth", "pisax-formats", "pisax-lookup", "pisax-model", "pisax-store", "pisax-wire"],
    ),
    ("pisax-testkit", &[]),
];

fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(crate::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let inside = package["dependencies"].as_array().expect("dependencies").iter();
            let inside = inside.filter_map(|d| d["name"].as_str()).filter(|n| n.starts_with("pisax"));
            (package["name"].as_str().expect("a name").to_owned(), inside.map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn no_crate_imports_upward() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    for (name, imports) in edges() {
        let may = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the drawing"));
        for import in imports {
            assert!(may.contains(&import.as_str()), "{name} must not import {import}");
        }
    }
}

#[test]
fn the_model_knows_no_dialect() {
    let manifest =
        std::fs::read_to_string(crate::root().join("crates/model/Cargo.toml")).expect("the manifest");
    assert!(!manifest.contains("serde"), "a MISP shape inside the model has to be a type error");
}

#[test]
fn sql_is_in_the_store_alone() {
    for source in crate::lengths::sources() {
        let path = source.strip_prefix(crate::root()).expect("inside").display().to_string();
        if path.starts_with("crates/store/")
            || path.starts_with("crates/bench/")
            || path.starts_with("crates/testkit/")
        {
            continue;
        }
        let text = std::fs::read_to_string(&source).expect("a source file");
        for word in ["select id", "insert into ", "delete from ", "rusqlite", "postgres::"] {
            assert!(!text.to_lowercase().contains(word), "{path} contains `{word}`");
        }
    }
}
