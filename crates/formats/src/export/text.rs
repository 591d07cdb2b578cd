//! `text`: each value once, one a line.

use super::unique::Unique;
use super::{AttributeFormat, ExportRow};

#[derive(Default)]
pub(super) struct Text {
    seen: Unique,
}

impl AttributeFormat for Text {
    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let value = row.attribute.value();
        if self.seen.is_new(&value) {
            out.extend_from_slice(value.as_bytes());
            out.push(b'\n');
        }
    }

    fn restrictive(&self) -> bool {
        true
    }
}
