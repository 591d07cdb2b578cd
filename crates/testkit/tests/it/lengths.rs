//! A file past 600 lines is asking to be split. The list of exceptions may only shrink.

use std::path::PathBuf;

const LONGEST: usize = 600;

/// Files that are longer, each with the length it must not exceed.
const EXCEPTIONS: &[(&str, usize)] = &[];

pub(crate) fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![crate::root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|e| ["rs", "html", "css", "js", "sql"].iter().any(|x| e == *x))
            {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 50, "the walk finds the sources");
    found
}

#[test]
fn no_file_is_longer_than_one_story() {
    let mut long = Vec::new();
    for path in sources() {
        let name = path.strip_prefix(crate::root()).expect("inside").display().to_string();
        let lines = std::fs::read_to_string(&path).expect("a source file").lines().count();
        let limit = EXCEPTIONS.iter().find(|(file, _)| *file == name).map_or(LONGEST, |(_, limit)| *limit);
        if lines > limit {
            long.push(format!("{name}: {lines} lines"));
        }
    }
    assert!(long.is_empty(), "split these: {long:#?}");
}
