//! The style sheet, the script and the icon over HTTP.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use super::failure::Failure;
use crate::assets::CACHE_CONTROL;
use crate::{Asset, Chrome, asset};

/// `/assets/app.<hash>.css`: for ever the same under its name.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(Asset { bytes, content_type, etag }) = asset(&name) else {
        return Failure::NotFound.page(Chrome::default(), &name);
    };
    let kept = headers.get(header::IF_NONE_MATCH).is_some_and(|theirs| theirs.as_bytes() == etag.as_bytes());
    let head = [(header::CACHE_CONTROL, CACHE_CONTROL.to_owned()), (header::ETAG, etag)];
    if kept {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(header::CONTENT_TYPE, content_type)], bytes).into_response()
}
