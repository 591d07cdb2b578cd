//! Graphs of workflows as MISP keeps them (the JSON of its editor, Drawflow), and the data that runs through them.

use pisax_model::workflow::{Data, Filter, Graph, Link, Node, Operator, Output, module};
use serde_json::Value;
use std::collections::BTreeMap;

/// The largest graph, in bytes of JSON.
pub const MAX_BYTES: usize = 1024 * 1024;
/// What MISP's editor keeps beside the nodes.
const FRAMES: &str = "_frames";

/// Reads a graph; the error says what is no graph.
pub fn read_graph(json: &str) -> Result<Graph, String> {
    if json.len() > MAX_BYTES {
        return Err(format!("The graph is larger than {MAX_BYTES} bytes."));
    }
    let value: Value = serde_json::from_str(json).map_err(|_| "The graph is no JSON.".to_owned())?;
    // The editor's own export has its pages around the nodes.
    let nodes = value.pointer("/drawflow/Home/data").unwrap_or(&value);
    let nodes: Vec<&Value> = match nodes {
        Value::Object(members) => {
            members.iter().filter(|(key, _)| *key != FRAMES).map(|(_, node)| node).collect()
        }
        Value::Array(items) => items.iter().collect(),
        _ => return Err("The graph has to be nodes by their numbers.".into()),
    };
    let mut graph = Graph::default();
    for value in nodes {
        let node = read_node(value)?;
        let id = node.id;
        if graph.nodes.insert(id, node).is_some() {
            return Err(format!("There are several nodes {id}."));
        }
    }
    Ok(graph)
}

fn whole(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn read_node(value: &Value) -> Result<Node, String> {
    let id = whole(value.get("id")).ok_or("A node of the graph has no number.")?;
    let told = value.get("data").ok_or_else(|| format!("Node {id} says nothing of its module."))?;
    let module = told.get("id").and_then(Value::as_str);
    let module = module.ok_or_else(|| format!("Node {id} says nothing of its module."))?.to_owned();
    let mut outputs = Vec::new();
    for (port, output) in value.get("outputs").and_then(Value::as_object).into_iter().flatten() {
        let links = output.get("connections").and_then(Value::as_array).into_iter().flatten().map(|link| {
            let port = link.get("output").and_then(Value::as_str).unwrap_or("input_1").to_owned();
            let node = whole(link.get("node")).ok_or_else(|| format!("Node {id} leads to no number."))?;
            Ok(Link { node, port })
        });
        outputs.push(Output { port: port.clone(), links: links.collect::<Result<_, String>>()? });
    }
    let params = told.get("indexed_params").and_then(Value::as_object).into_iter().flatten();
    let params: BTreeMap<_, _> = params.map(|(name, value)| (name.clone(), data(value))).collect();
    let filter = match module::find(&module).is_some_and(|m| m.filters) {
        true => told.get("saved_filters").and_then(|saved| read_filter(saved).transpose()).transpose(),
        false => Ok(None),
    };
    let filter = filter.map_err(|operator| format!("Node {id} has the unknown operator `{operator}`."))?;
    Ok(Node { id, module, outputs, params, filter })
}

/// `{selector, value, operator, path}`; none where nothing is said.
fn read_filter(saved: &Value) -> Result<Option<Filter>, String> {
    let text = |name: &str| saved.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (selector, operator) = (text("selector"), text("operator"));
    if selector.is_empty() {
        return Ok(None);
    }
    let Some(known) = Operator::parse(&operator) else { return Err(operator) };
    let value = saved.get("value").map_or(Data::Null, data);
    Ok(Some(Filter { selector, path: text("path"), operator: known, value }))
}

/// Reads data that is to run through a graph.
pub fn read_data(json: &str) -> Option<Data> {
    serde_json::from_str(json).ok().as_ref().map(data)
}

fn data(value: &Value) -> Data {
    match value {
        Value::Null => Data::Null,
        Value::Bool(flag) => Data::Flag(*flag),
        Value::Number(number) => number.as_i64().map_or_else(|| Data::Text(number.to_string()), Data::Number),
        Value::String(text) => Data::Text(text.clone()),
        Value::Array(items) => Data::List(items.iter().map(data).collect()),
        Value::Object(members) => Data::Map(members.iter().map(|(k, v)| (k.clone(), data(v))).collect()),
    }
}

/// The data as JSON.
pub fn write_data(data: &Data) -> String {
    value(data).to_string()
}

fn value(data: &Data) -> Value {
    match data {
        Data::Null => Value::Null,
        Data::Flag(flag) => Value::Bool(*flag),
        Data::Number(number) => Value::from(*number),
        Data::Text(text) => Value::String(text.clone()),
        Data::List(items) => Value::Array(items.iter().map(value).collect()),
        Data::Map(members) => Value::Object(members.iter().map(|(k, v)| (k.clone(), value(v))).collect()),
    }
}

/// The graph of MISP's editor with nothing in it but its trigger.
pub fn begun(trigger: &str) -> String {
    let name = module::find(trigger).map_or(trigger, |m| m.name);
    serde_json::json!({"1": {
        "id": 1, "name": name, "class": "block-type-trigger", "html": "", "typenode": false,
        "data": {"id": trigger, "name": name, "module_type": "trigger", "indexed_params": {}, "saved_filters": {}},
        "inputs": {}, "outputs": {"output_1": {"connections": []}}, "pos_x": 0, "pos_y": 0,
    }})
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_of_the_editor_is_read() {
        let json = r#"{"_frames": [], "1": {"id": 1, "data": {"id": "event-publish", "module_type": "trigger"},
            "outputs": {"output_1": {"connections": [{"node": "2", "output": "input_1"}]}}},
            "2": {"id": "2", "data": {"id": "tag_operation", "indexed_params": {"tags": ["tlp:red"], "locality": "local"},
            "saved_filters": {"selector": "Event._AttributeFlattened.{n}", "value": "domain", "operator": "equals", "path": "type"}},
            "inputs": {"input_1": {"connections": [{"node": "1", "input": "output_1"}]}}, "outputs": []}}"#;
        let graph = read_graph(json).unwrap();
        assert_eq!(graph.faults(), []);
        let node = &graph.nodes[&2];
        assert_eq!(
            (node.text("locality").as_str(), node.param("tags").texts()),
            ("local", vec!["tlp:red".into()])
        );
        assert_eq!(node.text("scope"), "event", "what is not said is taken for granted");
        assert_eq!(node.filter.as_ref().map(|f| f.path.as_str()), Some("type"));
        assert_eq!(read_graph(&format!(r#"{{"drawflow": {{"Home": {{"data": {json}}}}}}}"#)), Ok(graph));
    }

    #[test]
    fn what_is_no_graph_is_said_to_be_none() {
        for (json, part) in [
            ("", "JSON"),
            ("7", "nodes"),
            ("[{}]", "number"),
            (r#"[{"id": 4}]"#, "Node 4"),
            (r#"[{"id": 4, "data": {"id": []}}]"#, "Node 4"),
            (
                r#"[{"id": 4, "data": {"id": "webhook"}}, {"id": "4", "data": {"id": "webhook"}}]"#,
                "several nodes 4",
            ),
            (
                r#"[{"id": 4, "data": {"id": "webhook"}, "outputs": {"output_1": {"connections": [{}]}}}]"#,
                "Node 4",
            ),
            (
                r#"[{"id": 4, "data": {"id": "tag_operation", "saved_filters": {"selector": "a", "operator": "x"}}}]"#,
                "Node 4",
            ),
        ] {
            let error = read_graph(json).unwrap_err();
            assert!(error.contains(part), "{json}: {error}");
        }
        assert!(read_graph(&" ".repeat(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn data_is_written_as_it_was_read() {
        let json = r#"{"Event":{"id":"1","published":false,"n":7,"x":null,"Tag":[]}}"#;
        assert_eq!(write_data(&read_data(json).unwrap()), json);
        assert_eq!(read_data("{"), None);
    }

    #[test]
    fn a_graph_begins_with_its_trigger() {
        assert_eq!(read_graph(&begun("event-publish")).unwrap().faults(), []);
    }
}
