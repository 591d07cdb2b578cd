//! Bodies on their way to a server that takes them compressed.

use std::borrow::Cow;
use std::io::Write;

/// Bodies up to this size go as they are, in bytes: as a MISP does.
const SMALL: usize = 1024;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// The better one of what a server takes.
    pub(crate) fn among(taken: &[String]) -> Option<Self> {
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .find(|encoding| taken.iter().any(|name| name == encoding.name()))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The body compressed, with its encoding; as it is where that is not worth it.
    pub(crate) fn pack<'b>(encoding: Option<Self>, body: &'b [u8]) -> (Cow<'b, [u8]>, Option<Self>) {
        let packed = encoding.filter(|_| body.len() > SMALL).and_then(|encoding| encoding.packed(body));
        match packed {
            Some(packed) => (Cow::Owned(packed), encoding),
            None => (Cow::Borrowed(body), None),
        }
    }

    /// Quick rather than small. None where it fails, which a buffer in memory does not.
    fn packed(self, body: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(body.len() / 3);
        match self {
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams { quality: 1, ..Default::default() };
                brotli::BrotliCompress(&mut &body[..], &mut out, &params).ok()?;
            }
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::fast());
                encoder.write_all(body).ok()?;
                encoder.finish().ok()?;
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_packed_is_unpacked_to_the_same() {
        let body: Vec<u8> = (0..30_000_u32)
            .flat_map(|n| format!("{{\"type\":\"domain\",\"n\":{n}}},").into_bytes())
            .collect();
        let unpack = |encoding, packed: &[u8]| {
            let mut out = Vec::new();
            match encoding {
                Encoding::Brotli => {
                    let mut reader = brotli::Decompressor::new(packed, 4096);
                    reader.read_to_end(&mut out).unwrap();
                }
                Encoding::Gzip => drop(flate2::read::GzDecoder::new(packed).read_to_end(&mut out).unwrap()),
            }
            out
        };
        for encoding in [Encoding::Brotli, Encoding::Gzip] {
            let (packed, by) = Encoding::pack(Some(encoding), &body);
            assert_eq!(by, Some(encoding));
            assert!(packed.len() < body.len() / 2, "{encoding:?}: {}", packed.len());
            assert_eq!(unpack(encoding, &packed), body);
        }
    }

    #[test]
    fn small_bodies_and_servers_that_take_nothing_get_them_as_they_are() {
        let (small, large) = (vec![b'a'; SMALL], vec![b'a'; SMALL + 1]);
        assert_eq!(Encoding::pack(Some(Encoding::Gzip), &small), (Cow::Borrowed(&small[..]), None));
        assert_eq!(Encoding::pack(None, &large), (Cow::Borrowed(&large[..]), None));
        assert_eq!(Encoding::pack(Some(Encoding::Gzip), &large).1, Some(Encoding::Gzip));
        let taken = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(Encoding::among(&taken(&["gzip", "br"])), Some(Encoding::Brotli));
        assert_eq!(Encoding::among(&taken(&["deflate", "gzip"])), Some(Encoding::Gzip));
        assert_eq!(Encoding::among(&taken(&["deflate"])), None);
    }
}
