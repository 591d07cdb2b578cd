//! Attachments in answers that are written while a database snapshot is held: what is kept in a folder or a bucket is
//! fetched when the text around it is sent, so that a slow bucket holds no connection.

use crate::answer::{Sink, Stop};
use crate::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pisax_model::ids::new_uuid;
use pisax_store::files::{Attachment, Elsewhere};
use pisax_wire::attribute_out::Data;

/// What is attached to an attribute, on its way into an answer.
pub(crate) enum Inlaid {
    Nothing,
    Bytes(Vec<u8>),
    StandIn(String),
}

impl Inlaid {
    pub(crate) fn of(attachment: Option<Attachment>, sink: &mut Sink) -> Self {
        match attachment {
            None => Self::Nothing,
            Some(Attachment::Here(bytes)) => Self::Bytes(bytes),
            Some(Attachment::Elsewhere(elsewhere)) => Self::StandIn(sink.stand_in(elsewhere)),
        }
    }

    pub(crate) fn as_data(&self) -> Option<Data<'_>> {
        match self {
            Self::Nothing => None,
            Self::Bytes(bytes) => Some(Data::Bytes(bytes)),
            Self::StandIn(text) => Some(Data::Base64(text)),
        }
    }

    /// As text: base64, or what stands for it.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Bytes(bytes) => Some(STANDARD.encode(bytes)),
            Self::StandIn(text) => Some(text),
        }
    }
}

/// Attachments that stand in a buffer by names which nobody can guess, so that no text of a client is taken for one.
#[derive(Default)]
pub(crate) struct Later {
    /// What each of these names begins with.
    prefix: String,
    attachments: Vec<Elsewhere>,
}

/// Digits behind the prefix.
const DIGITS: usize = 10;

impl Later {
    /// The name that stands for an attachment: letters and digits, which JSON takes as they are.
    pub(crate) fn add(&mut self, attachment: Elsewhere) -> String {
        if self.prefix.is_empty() {
            self.prefix = format!("later{}", new_uuid(0).simple());
        }
        let number = self.attachments.len();
        self.attachments.push(attachment);
        format!("{}{number:0DIGITS$}", self.prefix)
    }

    /// Hands on what is in the buffer, with attachments in place of their names; of one that is lost there is
    /// nothing, as in MISP.
    pub(crate) fn fill(
        &self,
        buffer: Vec<u8>,
        emit: &mut dyn FnMut(Vec<u8>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.attachments.is_empty() {
            return emit(buffer);
        }
        let text = std::str::from_utf8(&buffer).map_err(|e| Failure::Internal(e.to_string()))?;
        let mut from = 0;
        for (at, prefix) in text.match_indices(&self.prefix) {
            let end = at + prefix.len() + DIGITS;
            let number = text.get(at + prefix.len()..end).and_then(|digits| digits.parse::<usize>().ok());
            let Some(attachment) = number.and_then(|number| self.attachments.get(number)) else { continue };
            let mut piece = text.as_bytes()[from..at].to_vec();
            if let Some(bytes) = attachment.bytes()? {
                let start = piece.len();
                piece.resize(start + bytes.len().div_ceil(3) * 4, 0);
                let written = STANDARD.encode_slice(&bytes, &mut piece[start..]);
                piece.truncate(start + written.map_err(|e| Failure::Internal(e.to_string()))?);
            }
            emit(piece)?;
            from = end;
        }
        emit(buffer[from..].to_vec())
    }
}
