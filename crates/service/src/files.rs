//! Bytes that come with attributes, before any lock is taken: samples are sealed, files get the extension their
//! bytes call for, and what is kept outside the database goes there first.

use crate::{Error, Result, Service};
use pisax_formats::sample;
use pisax_model::FieldError;
use pisax_model::attribute::AttributeDraft;
use pisax_model::content::{Content, Kept, with_extension};

/// Seals the sample of a draft that asks for it, and completes the name of an attachment.
pub(crate) fn seal(draft: &mut AttributeDraft) -> Result<(), FieldError> {
    let kind = draft.kind.as_deref().map(str::trim).unwrap_or_default();
    let encrypt = std::mem::take(&mut draft.encrypt);
    let bytes = match draft.data.take() {
        Some(Content::Bytes(bytes)) => bytes,
        other => {
            draft.data = other;
            return Ok(());
        }
    };
    match kind {
        "malware-sample" if encrypt => {
            let sent = draft.value.as_deref().or(draft.value1.as_deref()).unwrap_or_default();
            // A name that was sealed before has its hash behind it.
            let name = sent.split('|').next().unwrap_or_default().trim();
            if name.is_empty() {
                return Err(FieldError::new("value", "A sample needs the name of its file."));
            }
            let sealed = sample::seal(name, &bytes)
                .map_err(|e| FieldError::new("data", format!("The sample could not be sealed: {e}")))?;
            draft.value = Some(format!("{name}|{}", sealed.md5));
            draft.data = Some(Content::Bytes(sealed.bytes));
        }
        "attachment" => {
            draft.value = draft.value.take().map(|name| with_extension(name.trim(), &bytes));
            draft.data = Some(Content::Bytes(bytes));
        }
        _ => draft.data = Some(Content::Bytes(bytes)),
    }
    Ok(())
}

/// Bytes on their way: kept outside the database before the transaction that tells of them, and removed again
/// when it does not come to that.
pub(crate) struct Files<'s> {
    service: &'s Service,
    kept: Vec<Kept>,
}

impl<'s> Files<'s> {
    pub(crate) fn new(service: &'s Service) -> Self {
        Self { service, kept: Vec::new() }
    }

    /// Keeps bytes where this instance keeps them; in the database they stay as they are.
    pub(crate) fn keep(&mut self, data: &mut Option<Content>) -> Result<()> {
        if let Some(Content::Bytes(bytes)) = data
            && let Some(kept) = self.service.store.keep(bytes)?
        {
            self.kept.push(kept.clone());
            *data = Some(Content::Kept(kept));
        }
        Ok(())
    }

    /// The same for what an edit brings. One whose sample cannot be sealed yet, because the name of its file is
    /// the stored one, is left for later.
    pub(crate) fn keep_draft(&mut self, draft: &mut AttributeDraft) -> Result<()> {
        let named = draft.value.is_some() || draft.value1.is_some();
        if draft.data.is_none() || (draft.encrypt && !(named && draft.kind.is_some())) {
            return Ok(());
        }
        seal(draft)?;
        self.keep(&mut draft.data)
    }

    /// How the transaction that tells of them went. Where it was refused they are removed; where nobody knows
    /// whether it was committed they stay, and the sweep decides.
    pub(crate) fn after<T>(self, result: Result<T>) -> Result<T> {
        if result.as_ref().is_err_and(|e| !matches!(e, Error::Store(_))) {
            for kept in &self.kept {
                if let Err(error) = self.service.store.discard(kept) {
                    tracing::info!(%error, kept.name, "bytes that are not needed are left to the sweep");
                }
            }
        }
        result
    }
}
