//! Checksums and fingerprints.

use super::{Halves, Refusal, all_digits, cut};
use crate::kind::HashForm;

const PEHASH_ADVICE: &str = "Keep in mind that MISP currently only supports SHA1 for PEhashes, if you would like to \
                             get the support extended to other hash types, make sure to create a github ticket \
                             about it at https://github.com/MISP/MISP!";

pub(super) fn hash(form: HashForm, text: &str) -> Result<String, Refusal> {
    normalised(form, text).ok_or_else(|| refusal(form, "").into())
}

/// `filename|hash`; the case of the file name is kept.
pub(super) fn named(form: HashForm, text: &str) -> Result<Halves, Refusal> {
    let (name, sum) = cut(text)?;
    if name.contains('\n') {
        return Err("Filename must not contain new line character.".into());
    }
    let sum = normalised(form, sum).ok_or_else(|| refusal(form, "filename|"))?;
    Ok((name.to_owned(), sum))
}

pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The checksum as it is kept, if it is one.
fn normalised(form: HashForm, text: &str) -> Option<String> {
    let right = match form {
        HashForm::Hex(digits) => text.len() == usize::from(digits) && is_hex(text),
        HashForm::Fingerprint(digits) => return fingerprint(digits, text),
        HashForm::Commit => return (text.len() == 40 && is_hex(text)).then(|| text.to_owned()),
        HashForm::Pehash => text.len() == 40 && is_hex(text),
        HashForm::Cdhash => text.len() >= 40 && is_hex(text),
        HashForm::Telfhash => is_telfhash(text),
        HashForm::Tlsh => is_tlsh(text),
        HashForm::Ssdeep => return is_ssdeep(text).then(|| text.to_owned()),
        HashForm::Impfuzzy => return is_impfuzzy(text).then(|| text.to_owned()),
        HashForm::Vhash => !text.is_empty() && !text.contains('\n'),
    };
    right.then(|| text.to_ascii_lowercase())
}

fn fingerprint(digits: u8, text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect();
    (bare.len() == usize::from(digits) && is_hex(&bare)).then_some(bare)
}

/// A TLSH of seventy digits, since version 4 with `t1` before it.
fn is_telfhash(text: &str) -> bool {
    let bare = if text.len() == 72 { text.strip_prefix(['t', 'T']).unwrap_or(text) } else { text };
    matches!(text.len(), 70 | 72) && is_hex(bare)
}

fn is_tlsh(text: &str) -> bool {
    let bare = text.strip_prefix(['t', 'T']).unwrap_or(text);
    bare.len() > 35 && is_hex(bare)
}

/// `blocksize:hash:hash`.
pub(crate) fn is_ssdeep(text: &str) -> bool {
    let mut parts = text.split(':');
    let (Some(size), Some(one), Some(two), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let base64 = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'/' || b == b'+');
    all_digits(size) && base64(one) && base64(two)
}

/// `imports:hash:hash`.
fn is_impfuzzy(text: &str) -> bool {
    text.bytes().filter(|b| *b == b':').count() == 2 && text.split(':').next().is_some_and(all_digits)
}

/// OpenSSH's notations: `SHA256:` with base64, `MD5:` with hexadecimal pairs, or these alone.
pub(super) fn ssh_fingerprint(text: &str) -> Result<String, Refusal> {
    let right = match text.strip_prefix("SHA256:") {
        Some(sum) => {
            let sum = sum.strip_suffix('=').unwrap_or(sum);
            sum.len() == 43 && sum.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'/' || b == b'+')
        }
        None => fingerprint(32, text.strip_prefix("MD5:").unwrap_or(text)).is_some(),
    };
    if right { Ok(text.to_owned()) } else { Err("SSH fingerprint must be in MD5 or SHA256 format.".into()) }
}

/// MISP's words for a wrong checksum; `name` is what stands before it.
fn refusal(form: HashForm, name: &str) -> String {
    let expected = |what: &str| {
        format!(
            "Checksum has an invalid length or format (expected: {name}{what}). Please double check the value or \
             select type \"other\"."
        )
    };
    match form {
        HashForm::Hex(digits) | HashForm::Fingerprint(digits) => {
            expected(&format!("{digits} hexadecimal characters"))
        }
        HashForm::Commit => expected("40 hexadecimal characters"),
        HashForm::Telfhash => expected("70 or 72 hexadecimal characters"),
        HashForm::Tlsh => expected(
            "at least 35 hexadecimal characters, optionally starting with t1 instead of hexadecimal characters",
        ),
        HashForm::Vhash => expected("string characters"),
        HashForm::Pehash => format!(
            "The input doesn't match the expected {name}sha1 format (expected: {name}40 hexadecimal characters). \
             {PEHASH_ADVICE}"
        ),
        HashForm::Cdhash => {
            "The input doesn't match the expected format (expected: 40 or more hexadecimal characters)".into()
        }
        HashForm::Ssdeep if name.is_empty() => {
            "Invalid SSDeep hash. The format has to be blocksize:hash:hash".into()
        }
        HashForm::Ssdeep => "Invalid ssdeep hash (expected: blocksize:hash:hash).".into(),
        HashForm::Impfuzzy => "Invalid impfuzzy format. The format has to be imports:hash:hash".into(),
    }
}
