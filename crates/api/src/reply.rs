//! The short answers that handlers share.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::request::Request;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;

/// MISP's answer to an action that has no record to show.
pub(crate) fn saved(request: &Request, message: &str) -> Answer {
    Answer::json(body::saved(message, &request.path.raw, None))
}

/// One JSON document.
pub(crate) fn document(write: impl FnOnce(&mut JsonWriter<'_>)) -> Answer {
    let mut out = Vec::with_capacity(1024);
    write(&mut JsonWriter::new(&mut out));
    Answer::json(out)
}

/// `[…]`, item by item.
pub(crate) fn list<T>(items: &[T], write: impl Fn(&mut JsonWriter<'_>, &T)) -> Answer {
    document(|w| {
        w.begin_array();
        items.iter().for_each(|item| write(w, item));
        w.end_array();
    })
}

/// `{"Name":…}`.
pub(crate) fn wrapped(name: &str, write: impl FnOnce(&mut JsonWriter<'_>)) -> Answer {
    document(|w| {
        w.begin_object();
        w.key(name);
        write(w);
        w.end_object();
    })
}

/// The row number in the n-th path argument, for records that have no uuid.
pub(crate) fn number(request: &Request, i: usize, missing: &'static str) -> Result<i64, Failure> {
    request.path.arg(i).and_then(|text| text.parse().ok()).ok_or(Failure::NotFound(missing))
}

/// A text in the path where clients that follow MISP send a space as a plus.
pub(crate) fn spaced(text: &str) -> String {
    text.replace('+', " ")
}

pub(crate) fn member(w: &mut JsonWriter<'_>, key: &str, text: &str) {
    w.key(key);
    w.str(text);
}

pub(crate) fn number_member(w: &mut JsonWriter<'_>, key: &str, number: i64) {
    w.key(key);
    w.str_num(number);
}

pub(crate) fn flag_member(w: &mut JsonWriter<'_>, key: &str, flag: bool) {
    w.key(key);
    w.bool(flag);
}
