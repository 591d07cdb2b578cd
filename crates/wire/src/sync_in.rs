//! What one server tells another beside events, read.

use crate::ReadError;
use crate::terms::items;
use pisax_model::Uuid;
use serde_json::Value;

/// Reads the body of `events/filterEventIdsForPush`: uuids with their timestamps, each bare or under `Event`. What
/// has no uuid is left out.
pub fn read_offered_events(body: &[u8]) -> Result<Vec<(Uuid, i64)>, ReadError> {
    let value: Value = serde_json::from_slice(body).map_err(|e| ReadError::NotJson(e.to_string()))?;
    let list = match value.get("request").unwrap_or(&value) {
        Value::Array(list) => list.as_slice(),
        _ => return Err(ReadError::NotJson("expected a list of events".into())),
    };
    let offered = |item: &Value| {
        let event = item.get("Event").unwrap_or(item);
        let timestamp = match event.get("timestamp") {
            Some(Value::String(text)) => text.trim().parse().ok()?,
            Some(other) => other.as_i64()?,
            None => 0,
        };
        Some((Uuid::try_parse(event.get("uuid")?.as_str()?).ok()?, timestamp))
    };
    Ok(list.iter().filter_map(offered).collect())
}

/// Reads a list of uuids, as another server answers with; what is none is left out.
pub fn read_uuids(body: &[u8]) -> Result<Vec<Uuid>, ReadError> {
    let value: Value = serde_json::from_slice(body).map_err(|e| ReadError::NotJson(e.to_string()))?;
    let list = match &value {
        Value::Array(_) => items(&value),
        // PHP's list with gaps is an object.
        Value::Object(map) => map.values().flat_map(items).collect(),
        _ => return Err(ReadError::NotJson("expected a list of uuids".into())),
    };
    Ok(list.iter().filter_map(|text| Uuid::try_parse(text).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "11111111-0000-4000-8000-000000000001";

    #[test]
    fn offers_are_read_in_both_forms() {
        let body = format!(
            r#"[{{"Event":{{"uuid":"{ONE}","timestamp":"17"}}}},{{"uuid":"{ONE}","timestamp":18}},{{"uuid":"x"}},7]"#
        );
        let read = read_offered_events(body.as_bytes()).unwrap();
        assert_eq!(read.iter().map(|(_, t)| *t).collect::<Vec<_>>(), [17, 18]);
        assert!(read_offered_events(b"{}").is_err());
        assert!(read_offered_events(b"nonsense").is_err());
    }

    #[test]
    fn uuids_are_read_from_lists_and_maps() {
        for body in [format!(r#"["{ONE}","no"]"#), format!(r#"{{"3":"{ONE}"}}"#)] {
            assert_eq!(read_uuids(body.as_bytes()).unwrap().len(), 1);
        }
        assert!(read_uuids(b"7").is_err());
    }
}
