//! MISP's JSON as MISP's XML: the same members as elements below `<response>`, lists as repeated elements.
//! It is fed piece by piece and keeps no more than one text at a time.

/// Turns a JSON document into XML.
#[derive(Debug, Default)]
pub struct XmlTranscoder {
    started: bool,
    stack: Vec<Frame>,
    /// Text between quotes, or a number or word, that has not ended yet.
    token: Vec<u8>,
    within: Within,
    /// The member whose value comes next.
    key: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Within {
    #[default]
    Nothing,
    Text,
    Escape,
    Word,
}

#[derive(Debug)]
struct Frame {
    list: bool,
    /// Element that its items, or it itself, are written as; `None` writes what is inside alone.
    name: Option<String>,
    /// A name comes next, not a value.
    expects_key: bool,
}

impl XmlTranscoder {
    pub fn push(&mut self, json: &[u8], out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.started, true) {
            out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<response>");
        }
        for &byte in json {
            self.byte(byte, out);
        }
    }

    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.push(b" ", out);
        out.extend_from_slice(b"</response>\n");
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.within {
            Within::Escape => {
                self.token.push(byte);
                self.within = Within::Text;
                return;
            }
            Within::Text => {
                match byte {
                    b'"' => {
                        self.within = Within::Nothing;
                        self.text(out);
                    }
                    b'\\' => {
                        self.token.push(byte);
                        self.within = Within::Escape;
                    }
                    _ => self.token.push(byte),
                }
                return;
            }
            Within::Word if byte.is_ascii_alphanumeric() || b"+-.".contains(&byte) => {
                self.token.push(byte);
                return;
            }
            Within::Word => {
                self.within = Within::Nothing;
                let word = std::mem::take(&mut self.token);
                let text: &[u8] = match &word[..] {
                    b"true" => b"1",
                    b"false" => b"0",
                    b"null" => b"",
                    other => other,
                };
                self.scalar(text, out);
            }
            Within::Nothing => {}
        }
        match byte {
            b'"' => self.within = Within::Text,
            b'{' | b'[' => self.open(byte == b'[', out),
            b'}' | b']' => self.close(out),
            b',' => {
                if let Some(frame) = self.stack.last_mut() {
                    frame.expects_key = !frame.list;
                }
            }
            b':' | b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => {
                self.within = Within::Word;
                self.token.push(byte);
            }
        }
    }

    fn text(&mut self, out: &mut Vec<u8>) {
        let mut quoted = Vec::with_capacity(self.token.len() + 2);
        quoted.push(b'"');
        quoted.append(&mut self.token);
        quoted.push(b'"');
        let text: String = serde_json::from_slice(&quoted).unwrap_or_default();
        match self.stack.last_mut() {
            Some(frame) if frame.expects_key => {
                frame.expects_key = false;
                self.key = Some(text);
            }
            _ => {
                let mut escaped = Vec::with_capacity(text.len());
                escape(&text, &mut escaped);
                self.scalar(&escaped, out);
            }
        }
    }

    /// The element of the value that comes now.
    fn name(&mut self) -> Option<String> {
        if let Some(key) = self.key.take() {
            // The envelope of most answers is the element around everything already.
            return (key != "response" || self.stack.len() > 1).then(|| element(&key));
        }
        self.stack.last().and_then(|frame| frame.name.clone())
    }

    fn scalar(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let name = self.name().unwrap_or_else(|| "value".to_owned());
        tag(&name, text, out);
    }

    fn open(&mut self, list: bool, out: &mut Vec<u8>) {
        let name = self.name();
        if let Some(name) = name.as_deref().filter(|_| !list) {
            out.extend_from_slice(format!("<{name}>").as_bytes());
        }
        self.stack.push(Frame { list, name, expects_key: !list });
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(frame) = self.stack.pop() else { return };
        if let Some(name) = frame.name.filter(|_| !frame.list) {
            out.extend_from_slice(format!("</{name}>").as_bytes());
        }
        self.key = None;
    }
}

fn tag(name: &str, text: &[u8], out: &mut Vec<u8>) {
    if text.is_empty() {
        out.extend_from_slice(format!("<{name}/>").as_bytes());
        return;
    }
    out.extend_from_slice(format!("<{name}>").as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(format!("</{name}>").as_bytes());
}

/// A member's name as that of an element.
fn element(key: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = key.chars().map(plain).collect();
    match name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        true => name,
        false => format!("_{name}"),
    }
}

/// Characters that XML 1.0 cannot hold are left out.
fn escape(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(json: &str) -> String {
        // Any cut gives the same: byte by byte is the hardest.
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        let mut transcoder = XmlTranscoder::default();
        transcoder.push(json.as_bytes(), &mut whole);
        transcoder.finish(&mut whole);
        let mut transcoder = XmlTranscoder::default();
        json.bytes().for_each(|byte| transcoder.push(&[byte], &mut pieces));
        transcoder.finish(&mut pieces);
        assert_eq!(whole, pieces);
        String::from_utf8(whole).unwrap().lines().skip(1).collect()
    }

    #[test]
    fn lists_are_repeated_elements() {
        assert_eq!(
            xml(
                r#"{"response":[{"Event":{"id":"1","published":true,"Tag":[{"name":"a"},{"name":"b"}],"x":null}},{"Event":{"id":2}}]}"#
            ),
            "<response><Event><id>1</id><published>1</published><Tag><name>a</name></Tag><Tag><name>b</name></Tag><x/></Event>\
             <Event><id>2</id></Event></response>"
        );
        assert_eq!(
            xml(r#"{"response":{"Attribute":[{"value":"a&b <c> \"\\\u0000"},{"value":"é"}]}}"#),
            "<response><Attribute><value>a&amp;b &lt;c&gt; \"\\</value></Attribute><Attribute><value>é</value></Attribute></response>"
        );
    }

    #[test]
    fn other_answers_have_elements_too() {
        assert_eq!(
            xml(r#"{"saved":true,"errors":[],"1 a":"x"}"#),
            "<response><saved>1</saved><_1_a>x</_1_a></response>"
        );
        assert_eq!(
            xml("[1,\"two\",[3]]"),
            "<response><value>1</value><value>two</value><value>3</value></response>"
        );
        assert_eq!(xml("7"), "<response><value>7</value></response>");
        assert_eq!(
            xml(r#"{"a":{"response":"deep"}}"#),
            "<response><a><response>deep</response></a></response>"
        );
    }
}
