//! Malware samples as MISP keeps them: a zip that no scanner opens and no click runs, with the password that
//! the field has agreed on.

use md5::{Digest, Md5};
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;

/// The password of every sealed sample. It hides nothing: it keeps scanners and people from opening it by chance.
pub const PASSWORD: &[u8] = b"infected";

/// A sealed sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The zip.
    pub bytes: Vec<u8>,
    /// MD5 of what is in it, in lower-case hex: the sample's name inside.
    pub md5: String,
}

/// Seals a sample: `<md5>` holds it, `<md5>.filename.txt` its name, both under [`PASSWORD`] in the old
/// encryption, which every tool of the field can open.
pub fn seal(name: &str, bytes: &[u8]) -> std::io::Result<Sealed> {
    let md5 = hex(&Md5::digest(bytes));
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len() / 2 + 1024)));
    for (member, content) in [(md5.clone(), bytes), (format!("{md5}.filename.txt"), name.as_bytes())] {
        zip.start_file(member, SimpleFileOptions::default().with_deprecated_encryption(PASSWORD)?)?;
        zip.write_all(content)?;
    }
    Ok(Sealed { bytes: zip.finish()?.into_inner(), md5 })
}

/// The hashes that a `file` object names besides the MD5.
pub fn hashes(bytes: &[u8]) -> (String, String) {
    (hex(&sha1::Sha1::digest(bytes)), hex(&sha2::Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use zip::ZipArchive;

    fn member(sealed: &Sealed, name: &str, password: &[u8]) -> Option<Vec<u8>> {
        let mut zip = ZipArchive::new(Cursor::new(&sealed.bytes)).unwrap();
        let mut content = Vec::new();
        zip.by_name_decrypt(name, password).ok()?.read_to_end(&mut content).ok()?;
        Some(content)
    }

    #[test]
    fn a_sealed_sample_opens_with_the_password_of_the_field_alone() {
        let sample = b"not a virus, ".repeat(1000);
        let sealed = seal("invoice.exe", &sample).unwrap();
        assert_eq!(sealed.md5, hex(&Md5::digest(&sample)));
        let mut zip = ZipArchive::new(Cursor::new(&sealed.bytes)).unwrap();
        assert_eq!(zip.len(), 2);
        assert!(zip.by_name(&sealed.md5).is_err(), "it opens without a password");
        assert_eq!(member(&sealed, &sealed.md5, b"other"), None);
        assert_eq!(member(&sealed, &sealed.md5, PASSWORD), Some(sample));
        let name = format!("{}.filename.txt", sealed.md5);
        assert_eq!(member(&sealed, &name, PASSWORD).as_deref(), Some(&b"invoice.exe"[..]));
    }

    #[test]
    fn hashes_are_those_of_the_standards() {
        let (sha1, sha256) = hashes(b"abc");
        assert_eq!(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
