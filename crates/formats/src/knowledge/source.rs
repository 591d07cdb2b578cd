//! Where library files come from: a zip (a wheel is one) or a folder. Sizes are bounded by what is actually
//! read, not by what an archive says of itself.

use super::Kind;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// The largest file read; the largest published one (a list of a million host names) has 25 MB.
const MAX_FILE_BYTES: u64 = 128 << 20;

/// Files looked at in one source; the largest published package has 479, a checkout of all some 3,000.
const MAX_FILES: usize = 50_000;

/// Folders below the given one.
const MAX_DEPTH: usize = 8;

const MAX_METADATA_BYTES: usize = 1 << 20;

pub(super) struct Source {
    path: PathBuf,
    names: Vec<String>,
    from: From,
}

enum From {
    Zip(Box<ZipArchive<BufReader<File>>>),
    Folder,
}

/// The source at `path`; for a folder, every wheel in it as a source of its own as well. A wheel that cannot
/// be opened comes as its path and the reason.
pub(super) fn open(path: &Path) -> io::Result<Vec<Result<Source, (PathBuf, io::Error)>>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![archive(path)]);
    }
    let mut names = Vec::new();
    walk(path, "", 0, &mut names)?;
    names.sort();
    let mut sources: Vec<_> =
        names.iter().filter(|name| is_archive(name)).map(|name| archive(&path.join(name))).collect();
    sources.push(Ok(Source { path: path.to_owned(), names, from: From::Folder }));
    Ok(sources)
}

fn is_metadata(name: &str) -> bool {
    name.ends_with(".dist-info/METADATA")
}

/// Wheels right in the folder; one further down belongs to something else.
fn is_archive(name: &str) -> bool {
    !name.contains('/') && (name.ends_with(".whl") || name.ends_with(".zip"))
}

fn archive(path: &Path) -> Result<Source, (PathBuf, io::Error)> {
    let open = || -> io::Result<Source> {
        let archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
        if archive.len() > MAX_FILES {
            return Err(io::Error::other(format!("more than {MAX_FILES} files")));
        }
        let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        Ok(Source { path: path.to_owned(), names, from: From::Zip(Box::new(archive)) })
    };
    open().map_err(|error| (path.to_owned(), error))
}

/// The library files below `folder`, named with `/`. Links are not followed: a checkout has none worth it.
fn walk(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name());
        let Some(name) = name.to_str() else { continue };
        let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        if kind.is_dir() && depth < MAX_DEPTH && name != ".git" {
            walk(&entry.path(), &full, depth + 1, names)?;
        } else if kind.is_file() && (Kind::of(&full).is_some() || is_archive(&full) || is_metadata(&full)) {
            names.push(full);
        }
        if names.len() > MAX_FILES {
            return Err(io::Error::other(format!("more than {MAX_FILES} files")));
        }
    }
    Ok(())
}

impl Source {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub(super) fn read(&mut self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match &mut self.from {
            From::Zip(archive) => {
                let file = archive.by_name(name)?;
                // What the archive says is a hint only, and no reason to reserve a lot.
                bytes.reserve(file.size().min(MAX_FILE_BYTES / 4) as usize);
                file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
            }
            From::Folder => {
                File::open(self.path.join(name))?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
            }
        }
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(io::Error::other(format!("larger than {} MB", MAX_FILE_BYTES >> 20)));
        }
        Ok(bytes)
    }

    /// From `*.dist-info/METADATA`, else from a wheel's file name (`name-version-py3-none-any.whl`).
    pub(super) fn name_and_version(&mut self) -> (Option<String>, Option<String>) {
        let all: Vec<_> = self.names().filter(|name| is_metadata(name)).map(str::to_owned).collect();
        // Several packages unpacked into one folder have no version in common.
        if let [metadata] = &all[..]
            && let Ok(bytes) = self.read(metadata)
            && bytes.len() <= MAX_METADATA_BYTES
        {
            let text = String::from_utf8_lossy(&bytes);
            let field = |name: &str| {
                let headers = text.lines().take_while(|line| !line.is_empty());
                headers.filter_map(|line| line.split_once(": ")).find(|(key, _)| *key == name)
            };
            if let (Some((_, name)), Some((_, version))) = (field("Name"), field("Version")) {
                return (Some(name.trim().to_owned()), Some(version.trim().to_owned()));
            }
        }
        let file = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match file.strip_suffix(".whl").map(|stem| stem.split('-').collect::<Vec<_>>()).as_deref() {
            Some([name, version, ..]) => (Some((*name).to_owned()), Some((*version).to_owned())),
            _ => (None, None),
        }
    }
}
