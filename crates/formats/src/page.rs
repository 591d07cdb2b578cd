//! A web page as the text that is read on it, in Markdown's ways: by one pass over its tokens. A tree of it could be
//! nested deeper than a stack is high, and takes minutes for pages that somebody made for that.

use html5gum::{DefaultEmitter, Token, Tokenizer};

/// The longest page that is read, and the longest text that is made of it.
pub const LONGEST: usize = 4 << 20;
/// The longest address of a link that is written.
const LINK: usize = 2048;

/// The text of a page: headings with `#`, items of lists with `*`, links as `[text](address)`. What is no text in it
/// (scripts, styles, forms) is left out.
pub fn text_of(page: &[u8]) -> Result<String, String> {
    if page.len() > LONGEST {
        return Err(format!("The page is longer than {LONGEST} bytes."));
    }
    let page = String::from_utf8_lossy(page);
    let mut emitter = DefaultEmitter::default();
    // What stands in scripts and styles is no markup.
    emitter.naively_switch_states(true);
    let mut text = Text::default();
    for token in Tokenizer::new_with_emitter(&*page, emitter) {
        match token {
            Ok(Token::StartTag(tag)) => {
                let href =
                    tag.attributes.get(&b"href"[..]).map(|value| String::from_utf8_lossy(value).into_owned());
                text.open(&tag.name, href);
            }
            Ok(Token::EndTag(tag)) => text.close(&tag.name),
            Ok(Token::String(words)) => text.words(&String::from_utf8_lossy(&words)),
            _ => {}
        }
        if text.out.len() > LONGEST {
            return Err(format!("The text of the page is longer than {LONGEST} bytes."));
        }
    }
    Ok(text.finish())
}

/// Elements that hold nothing to read.
fn is_hidden(name: &[u8]) -> bool {
    matches!(
        name,
        b"script"
            | b"style"
            | b"noscript"
            | b"template"
            | b"svg"
            | b"iframe"
            | b"select"
            | b"button"
            | b"head"
    )
}

/// Elements that begin and end a paragraph.
fn is_block(name: &[u8]) -> bool {
    matches!(
        name,
        b"p" | b"div"
            | b"section"
            | b"article"
            | b"header"
            | b"footer"
            | b"main"
            | b"nav"
            | b"aside"
            | b"ul"
            | b"ol"
            | b"dl"
            | b"table"
            | b"blockquote"
            | b"figure"
            | b"form"
            | b"body"
    )
}

/// `#` to `######`.
fn heading(name: &[u8]) -> Option<usize> {
    match name {
        [b'h', level @ b'1'..=b'6'] => Some(usize::from(level - b'0')),
        _ => None,
    }
}

#[derive(Default)]
struct Text {
    out: String,
    /// Hidden elements that are open; only those of the outermost's name are counted.
    hidden: Option<(Vec<u8>, usize)>,
    /// Text as it was typed.
    verbatim: bool,
    /// White space was left out before what comes next.
    space: bool,
    /// The address of the link that is open.
    link: Option<String>,
}

impl Text {
    fn open(&mut self, name: &[u8], href: Option<String>) {
        if let Some((outer, depth)) = &mut self.hidden {
            *depth += usize::from(outer.as_slice() == name);
            return;
        }
        if is_hidden(name) {
            self.hidden = Some((name.to_vec(), 1));
            return;
        }
        if let Some(level) = heading(name) {
            self.paragraph();
            self.out.push_str(&"#".repeat(level));
            self.space = true;
            return;
        }
        match name {
            b"br" | b"tr" | b"dt" => self.line(),
            b"hr" => {
                self.paragraph();
                self.out.push_str("---");
                self.paragraph();
            }
            b"li" | b"dd" => {
                self.line();
                self.out.push('*');
                self.space = true;
            }
            b"td" | b"th" if !self.at_start() => {
                self.out.push_str(" | ");
                self.space = false;
            }
            b"pre" => {
                self.paragraph();
                self.out.push_str("```\n");
                self.verbatim = true;
            }
            b"a" => {
                self.end_link();
                let address = href.map(|href| href.trim().to_owned());
                let right = |address: &String| {
                    let web = ["http://", "https://"].iter().any(|start| address.starts_with(start));
                    web && address.len() <= LINK && !address.contains([' ', ')', '(', '\n'])
                };
                if let Some(address) = address.filter(right) {
                    self.separate();
                    self.out.push('[');
                    self.link = Some(address);
                }
            }
            name if is_block(name) => self.paragraph(),
            _ => {}
        }
    }

    fn close(&mut self, name: &[u8]) {
        if let Some((outer, depth)) = &mut self.hidden {
            *depth -= usize::from(outer.as_slice() == name);
            if *depth == 0 {
                self.hidden = None;
            }
            return;
        }
        match name {
            b"a" => self.end_link(),
            b"pre" if self.verbatim => {
                self.verbatim = false;
                self.line();
                self.out.push_str("```");
                self.paragraph();
            }
            name if is_block(name) || heading(name).is_some() => self.paragraph(),
            _ => {}
        }
    }

    fn words(&mut self, words: &str) {
        if self.hidden.is_some() {
            return;
        }
        if self.verbatim {
            self.out.push_str(words);
            return;
        }
        for (i, word) in words.split(|c: char| c.is_ascii_whitespace() || c == '\u{a0}').enumerate() {
            self.space |= i > 0;
            if !word.is_empty() {
                self.separate();
                self.out.extend(word.chars().filter(|c| !c.is_control()));
            }
        }
    }

    fn at_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    /// The space that was left out, unless a line begins.
    fn separate(&mut self) {
        if std::mem::take(&mut self.space) && !self.at_start() && !self.out.ends_with([' ', '[']) {
            self.out.push(' ');
        }
    }

    fn end_link(&mut self) {
        if let Some(address) = self.link.take() {
            self.out.push_str(&format!("]({address})"));
        }
    }

    fn line(&mut self) {
        self.end_link();
        self.space = false;
        if !self.at_start() {
            self.out.push('\n');
        }
    }

    fn paragraph(&mut self) {
        self.line();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn finish(mut self) -> String {
        self.end_link();
        if self.verbatim {
            self.line();
            self.out.push_str("```");
        }
        self.out.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_on_a_page_stays() {
        let page = b"<html><head><title>t</title><style>p{color:red}</style></head><body><script>if(a<b)alert('</p>')</script>\
                     <h1>Campaign &amp; more</h1><p>Seen at\n <a href='https://a.example/x'>there</a>, <b>twice</b>.</p>\
                     <ul><li>198.51.100.1<li>evil.example</ul><table><tr><td>a<td>b</tr><tr><td>c</table>\
                     <pre>x  y\nz</pre><select><option>no</select><a href='javascript:alert(1)'>plain</a>";
        assert_eq!(
            text_of(page).unwrap(),
            "# Campaign & more\n\nSeen at [there](https://a.example/x), twice.\n\n* 198.51.100.1\n* evil.example\n\n\
             a | b\nc\n\n```\nx  y\nz\n```\n\nplain"
        );
    }

    #[test]
    fn no_page_breaks_it() {
        for odd in [
            &b""[..],
            b"\xff\xfe",
            b"<",
            b"plain text",
            b"</a></pre>",
            b"<pre>",
            b"<script>",
            b"<a href='https://x'>",
        ] {
            assert!(text_of(odd).is_ok());
        }
        assert!(text_of(&vec![b'x'; LONGEST + 1]).is_err());
        // A page can be written that is shorter than its text.
        assert!(text_of("<hr>".repeat(LONGEST / 4).as_bytes()).unwrap_err().contains("text of the page"));
    }

    #[test]
    fn a_page_that_is_nested_without_end_is_read_like_any_other() {
        for open in ["<div>", "<table><tr><td>", "<a><b>", "<li>", "<svg>", "<script><script>"] {
            let deep = open.repeat(200_000) + "bottom";
            assert!(text_of(deep.as_bytes()).is_ok(), "{open}");
        }
    }
}
