//! Bytes in files below a folder: 256 folders by the first two digits of the name.

use super::{Listed, Trouble, unusable};
use crate::Result;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A file that is being written has this behind its name.
const PARTIAL: &str = ".partial";

pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn make(&self) -> Result<(), String> {
        self.made().map_err(|e| format!("{}: {e}", self.0.display()))
    }

    fn made(&self) -> std::io::Result<()> {
        private_folder(&self.0)?;
        match self.0.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => sync_folder(parent),
            None => sync_folder(Path::new(".")),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name.get(..2).unwrap_or("00")).join(name)
    }

    /// Written beside its place, synced, renamed: under its name it is whole or not there.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let file = self.file(name);
        let folder = file.parent().unwrap_or(&self.0);
        if !folder.is_dir() {
            self.made()?;
            private_folder(folder)?;
            sync_folder(&self.0)?;
        }
        let partial = folder.join(format!("{name}{PARTIAL}"));
        let written = write_synced(&partial, bytes)
            .and_then(|()| fs::rename(&partial, &file))
            .and_then(|()| sync_folder(folder));
        if written.is_err() {
            // What is left is worth nothing, and the first error says more than a failed removal.
            let _ = fs::remove_file(&partial);
        }
        Ok(written?)
    }

    pub(super) fn get(&self, name: &str, limit: u64) -> Result<Vec<u8>, Trouble> {
        let mut bytes = Vec::new();
        File::open(self.file(name))?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), Trouble> {
        match fs::remove_file(self.file(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn each_page(&self, f: &mut dyn FnMut(&[Listed]) -> Result<()>) -> Result<()> {
        for shard in 0..=255 {
            let shard = format!("{shard:02x}");
            let folder = self.0.join(&shard);
            let entries = match fs::read_dir(&folder) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                other => other.map_err(|e| unusable(format!("{}: {e}", folder.display())))?,
            };
            let mut page = Vec::new();
            for entry in entries {
                let entry = entry.map_err(unusable)?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                // What is not of ours stays: somebody put it there.
                let bare = name.strip_suffix(PARTIAL).unwrap_or(&name);
                if bare.len() != 32
                    || !bare.starts_with(&shard)
                    || !bare.bytes().all(|b| b.is_ascii_hexdigit())
                {
                    continue;
                }
                let Ok(since) = entry.metadata().and_then(|m| m.modified()) else { continue };
                let since = since.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
                page.push(Listed { name, since });
            }
            f(&page)?;
        }
        Ok(())
    }
}

/// For its owner alone: it holds what others trusted this instance with.
fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new name in a folder is durable when the folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}
