//! The style sheet, the script and the icon, embedded in the binary and named by their content.
//!
//! A page links `/assets/app.<hash>.css`; the name changes with the content, so a browser may keep it for
//! ever and never shows an old style with a new page.

use std::borrow::Cow;
use std::sync::LazyLock;

use rust_embed::RustEmbed;

/// What a page may load and do: its own files, nothing inline, nobody's frame.
pub const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For every asset: its name holds its hash.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// One embedded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub content_type: &'static str,
    /// With the quotes HTTP wants.
    pub etag: String,
}

/// The links of the base template.
pub(crate) struct Urls {
    pub css: String,
    pub js: String,
    pub icon: String,
}

pub(crate) static URLS: LazyLock<Urls> =
    LazyLock::new(|| Urls { css: url("app.css"), js: url("app.js"), icon: url("icon.svg") });

/// Where a file of the folder `assets` is served, such as `/assets/app.4be1c2d3a0f95867.css`.
pub fn url(name: &str) -> String {
    let file =
        Files::get(name).expect("templates link only files of the assets folder: a test renders them all");
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("/assets/{stem}.{}.{extension}", hash(&file))
}

/// The file behind a path below `/assets/` (with or without that prefix): by its hashed name, or `None`
/// also for a hash of another version.
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.strip_prefix("/assets/").unwrap_or(path);
    let mut parts = path.rsplitn(3, '.');
    let (extension, hashed, stem) = (parts.next()?, parts.next()?, parts.next()?);
    let file = Files::get(&format!("{stem}.{extension}"))?;
    let hash = hash(&file);
    let content_type = match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    (hash == hashed).then(|| Asset { bytes: file.data, content_type, etag: format!("\"{hash}\"") })
}

/// The first 64 bits of the SHA-256 that rust-embed computes at build time.
fn hash(file: &rust_embed::EmbeddedFile) -> String {
    file.metadata.sha256_hash()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_found_by_the_url_the_page_links() {
        for (url, kind) in [(&URLS.css, "text/css"), (&URLS.js, "text/javascript"), (&URLS.icon, "image/svg")]
        {
            let asset = asset(url).unwrap();
            assert!(asset.content_type.starts_with(kind), "{url}");
            assert!(url.contains(asset.etag.trim_matches('"')));
            assert!(!asset.bytes.is_empty());
        }
    }

    #[test]
    fn other_names_and_other_versions_are_not_found() {
        for path in
            ["/assets/app.css", "app.0000000000000000.css", "../Cargo.toml", "", "app..css", "x.y.exe"]
        {
            assert_eq!(asset(path), None, "{path}");
        }
    }

    #[test]
    fn style_and_script_stay_small() {
        assert!(asset(&URLS.css).unwrap().bytes.len() < 25_000);
        let script = asset(&URLS.js).unwrap();
        let script = std::str::from_utf8(&script.bytes).unwrap();
        assert!(script.lines().count() < 200);
        for foreign in ["http:", "https:", "innerHTML", "eval("] {
            assert!(!script.contains(foreign), "{foreign}");
        }
    }
}
