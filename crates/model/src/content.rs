//! The bytes of an attachment or a sample: as they came, or where they are kept already.

/// What an attribute brings along besides its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// As a client sent them, decoded.
    Bytes(Vec<u8>),
    /// Kept outside the database; the row only says where.
    Kept(Kept),
}

/// Where bytes are kept outside the database, and how they are known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Unique for ever: what was kept once is never written again.
    pub name: String,
    pub size: i64,
    /// A hash over the bytes, to tell damage when they are read.
    pub digest: Vec<u8>,
}

impl Content {
    /// The bytes, where they are here.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Kept(_) => None,
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// The extension that a file without one gets, by what it begins with (semantics 2.3, step 5).
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [b'P', b'K', 3, 4, ..] => Some("zip"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

/// A file name with the extension its bytes call for, where it has none.
pub fn with_extension(name: &str, bytes: &[u8]) -> String {
    match sniff(bytes).filter(|_| extension(name).is_none()) {
        Some(extension) => format!("{}.{extension}", name.trim_end_matches('.')),
        None => name.to_owned(),
    }
}

/// Pictures by their name; many are called alike, so their names do not correlate.
pub fn is_picture(name: &str) -> bool {
    extension(name)
        .is_some_and(|e| ["jpg", "jpeg", "png", "gif", "webp"].iter().any(|p| p.eq_ignore_ascii_case(e)))
}

/// What stands behind the last dot of a file's name.
pub fn extension(name: &str) -> Option<&str> {
    let file = name.rsplit(['/', '\\']).next()?;
    let (before, after) = file.rsplit_once('.')?;
    (!before.is_empty() && !after.is_empty()).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_extension_gets_the_one_of_its_bytes() {
        for (name, bytes, expected) in [
            ("shot", &b"\x89PNG\r\n\x1a\nrest"[..], "shot.png"),
            ("shot.", b"\x89PNG\r\n\x1a\nrest", "shot.png"),
            ("shot", b"\xff\xd8\xff\xe0", "shot.jpeg"),
            ("pack", b"PK\x03\x04", "pack.zip"),
            ("move", b"GIF89a", "move.gif"),
            ("small", b"RIFF\0\0\0\0WEBPVP8 ", "small.webp"),
            ("shot.txt", b"\x89PNG\r\n\x1a\n", "shot.txt"),
            ("notes", b"hello", "notes"),
            ("notes", b"", "notes"),
            (".hidden", b"GIF87a", ".hidden.gif"),
        ] {
            assert_eq!(with_extension(name, bytes), expected, "{name}");
        }
    }

    #[test]
    fn pictures_are_known_by_their_names() {
        assert!(is_picture("a.PNG") && is_picture("b/c.jpeg") && is_picture("x.webp"));
        assert!(!is_picture("png") && !is_picture("a.pdf") && !is_picture("x.png/y") && !is_picture(""));
    }
}
