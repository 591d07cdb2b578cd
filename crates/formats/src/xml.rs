//! XML, written without surprises and read within bounds.

use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::borrow::Cow;

/// Appends text as the content of an element or attribute. Characters that XML 1.0 cannot hold are left out.
pub(crate) fn escape(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => {}
        }
    }
}

/// The escaped text.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    escape(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// An element, without its namespaces: documents choose their prefixes freely.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

/// Deeper, or more, than this is no document of ours.
const DEEPEST: usize = 64;
const MOST_ELEMENTS: usize = 500_000;

/// Reads a document. Entities of its own are refused: they can make any size of any.
pub(crate) fn read(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|e| format!("It is not well-formed XML: {e}"))?;
        match event {
            Event::Start(start) => {
                count += 1;
                if open.len() > DEEPEST || count > MOST_ELEMENTS {
                    return Err("The XML is nested too deep or has too many elements.".to_owned());
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                count += 1;
                if count > MOST_ELEMENTS {
                    return Err("The XML has too many elements.".to_owned());
                }
                let element = element(&start)?;
                if let Some(parent) = open.last_mut() {
                    parent.children.push(element);
                }
            }
            Event::End(_) => {
                let closed = open.pop().unwrap_or_default();
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => return Err("An element ends that did not begin.".to_owned()),
                }
            }
            Event::Text(text) => append(&mut open, &text.xml10_content()),
            Event::CData(text) => append(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let plain = match reference.resolve_char_ref() {
                    Ok(Some(c)) => c,
                    _ => match &*reference {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => return Err("Entities other than XML's own are not accepted.".to_owned()),
                    },
                };
                append(&mut open, plain.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => return Err("A document type declaration is not accepted.".to_owned()),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    let root = open.pop().unwrap_or_default();
    if !open.is_empty() {
        return Err("The XML ends in the middle of an element.".to_owned());
    }
    root.children.into_iter().next().ok_or_else(|| "There is no element in it.".to_owned())
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> Result<Element, String> {
    let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| format!("It is not well-formed XML: {e}"))?;
        let value: Cow<'_, str> = attribute
            .normalized_value(quick_xml::XmlVersion::Explicit1_0)
            .map_err(|_| "Entities other than XML's own are not accepted.".to_owned())?;
        element.attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    Ok(element)
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element at the end of a path of children.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text at the end of a path of children, unless it is empty.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        Some(self.at(path)?.text.trim()).filter(|text| !text.is_empty())
    }

    /// The first element of this name anywhere below.
    pub(crate) fn find(&self, name: &str) -> Option<&Element> {
        self.children.iter().find_map(|child| if child.name == name { Some(child) } else { child.find(name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let root = read("<?xml version=\"1.0\"?><a:b xmlns:a='x' a:c=\"1 &amp; 2\"><d>x &lt; <![CDATA[<y>]]>&#65;</d><e/></a:b>").unwrap();
        assert_eq!((root.name.as_str(), root.attribute("c")), ("b", Some("1 & 2")));
        assert_eq!(root.text_at(&["d"]), Some("x < <y>A"));
        assert!(root.child("e").is_some());
    }

    #[test]
    fn what_could_grow_or_break_is_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"yyyy\"><!ENTITY z \"&x;&x;\">]><a>&z;</a>";
        for bad in [bomb, "<a>&z;</a>", "<a b='&z;'/>", "<a>", "<a></b>", "", "text", "</a>"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&"<a>".repeat(100_000)).is_err());
    }

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(escaped("a<b>&\"\u{0}\u{8}c\n"), "a&lt;b&gt;&amp;&quot;c\n");
    }
}
