//! Signatures of what is sent to webhooks: HMAC-SHA256 (RFC 2104) with the webhook's secret, over the time and the
//! body, so that a receiver can refuse what is old as well as what is not from here.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::Write;

/// `t=<Unix seconds>,v1=<hex>`; what is signed is `<Unix seconds>.<body>`.
pub fn signature(secret: &str, at: i64, body: &[u8]) -> String {
    // HMAC takes keys of every length.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    let mut text = format!("t={at},v1=");
    for byte in mac.finalize().into_bytes() {
        // A text takes everything.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_others_compute() {
        // printf '1767225600.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of some length'
        let expected = "t=1767225600,v1=c08025f43e28eeedec9e6ef0c858cac186693835c4ece71c72aefdf2f1493e63";
        assert_eq!(signature("a secret of some length", 1_767_225_600, br#"{"a":1}"#), expected);
    }
}
