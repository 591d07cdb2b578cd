//! Just enough JSON: is a text a document, and which strings does it hold? This crate knows no serde.

/// Deeper documents are refused; MISP's own limit is PHP's default of 512.
const MAX_DEPTH: usize = 512;

/// The string values of a JSON document (not its keys), unescaped and in order; `None` when it is none.
pub(crate) fn strings(text: &str) -> Option<Vec<String>> {
    let mut reader = Reader { text, at: 0, found: Vec::new() };
    reader.document()?;
    Some(reader.found)
}

/// What the reader is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Object,
    Array,
}

impl Inside {
    fn close(self) -> u8 {
        match self {
            Self::Object => b'}',
            Self::Array => b']',
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    found: Vec<String>,
}

impl Reader<'_> {
    fn document(&mut self) -> Option<()> {
        // A stack of our own: a hostile document must not exhaust the thread's.
        let mut open: Vec<Inside> = Vec::new();
        loop {
            if let Some(inside) = self.value()? {
                if open.len() == MAX_DEPTH {
                    return None;
                }
                if !self.take(inside.close()) {
                    open.push(inside);
                    self.member(inside)?;
                    continue;
                }
            }
            // A value has ended: close what ends with it.
            loop {
                let Some(inside) = open.last().copied() else { return self.end() };
                if self.take(b',') {
                    self.member(inside)?;
                    break;
                }
                if !self.take(inside.close()) {
                    return None;
                }
                open.pop();
            }
        }
    }

    /// What stands before a value: a key in an object, nothing in an array.
    fn member(&mut self, inside: Inside) -> Option<()> {
        if inside == Inside::Array {
            return Some(());
        }
        self.blanks();
        self.string()?;
        self.take(b':').then_some(())
    }

    /// Reads a scalar whole, or the opening of a container and says which.
    fn value(&mut self) -> Option<Option<Inside>> {
        self.blanks();
        match self.peek()? {
            b'{' => {
                self.at += 1;
                return Some(Some(Inside::Object));
            }
            b'[' => {
                self.at += 1;
                return Some(Some(Inside::Array));
            }
            b'"' => {
                let string = self.string()?;
                self.found.push(string);
            }
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => self.number()?,
        }
        Some(None)
    }

    fn string(&mut self) -> Option<String> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let stop = rest.bytes().position(|b| b == b'"' || b == b'\\' || b < b' ')?;
            out.push_str(&rest[..stop]);
            self.at += stop + 1;
            match rest.as_bytes()[stop] {
                b'"' => return Some(out),
                b'\\' => out.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let escape = self.peek()?;
        self.at += 1;
        Some(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return None,
        })
    }

    /// The four digits of an escape, and those of the second when it is half a surrogate pair.
    fn code_point(&mut self) -> Option<char> {
        let high = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        self.at += self.text[self.at..].strip_prefix("\\u").map(|_| 2)?;
        let low = self.four_digits()?;
        let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        if digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            u32::from_str_radix(digits, 16).ok()
        } else {
            None
        }
    }

    fn number(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let len =
            rest.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count();
        let number = &self.text[self.at..self.at + len];
        let digits = number.strip_prefix('-').unwrap_or(number);
        let leading_zero = digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit());
        let bare_point = number.ends_with('.') || number.contains(".e") || number.contains(".E");
        if leading_zero || bare_point || !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.at += len;
        number.parse::<f64>().ok().map(|_| ())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn end(&mut self) -> Option<()> {
        self.blanks();
        (self.at == self.text.len()).then_some(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over this byte, after blanks, if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.blanks();
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}
