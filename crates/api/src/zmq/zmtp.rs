//! The side of ZMTP 3.0 (ZeroMQ RFC 23) that a publisher speaks, as bytes: greeting, frames, subscriptions. Who may
//! connect is a matter of the address it listens at (mechanism NULL), or of a name and a password as well (PLAIN,
//! RFC 24).

/// Length of a greeting.
pub(super) const GREETING: usize = 64;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// Longest frame a subscriber may send; topics are short.
const MAX_FRAME: u64 = 64 * 1024;
/// Most subscriptions of one subscriber.
const MAX_TOPICS: usize = 1000;

/// How a subscriber proves who he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Null,
    Plain,
}

/// What we begin a connection with: version 3.0, and the mechanism.
pub(super) fn greeting(mechanism: Mechanism) -> [u8; GREETING] {
    let mut bytes = [0; GREETING];
    bytes[0] = 0xff;
    bytes[9] = 0x7f;
    bytes[10] = 3;
    match mechanism {
        Mechanism::Null => bytes[12..16].copy_from_slice(b"NULL"),
        Mechanism::Plain => {
            bytes[12..17].copy_from_slice(b"PLAIN");
            bytes[32] = 1;
        }
    }
    bytes
}

/// Whether the other side speaks version 3 with the same mechanism.
pub(super) fn is_greeting(bytes: &[u8; GREETING], mechanism: Mechanism) -> bool {
    bytes[0] == 0xff && bytes[9] & 1 == 1 && bytes[10] >= 3 && bytes[12..32] == greeting(mechanism)[12..32]
}

/// Whether a first command brings this name and password. How long it takes to find out does not tell where they
/// differ.
pub(super) fn is_hello(frame: &Frame<'_>, name: &str, password: &str) -> bool {
    let Frame::Command(body) = frame else { return false };
    let Some(rest) = body.strip_prefix(b"\x05HELLO") else { return false };
    let mut expected = Vec::with_capacity(2 + name.len() + password.len());
    for text in [name, password] {
        expected.push(text.len() as u8);
        expected.extend_from_slice(text.as_bytes());
    }
    rest.len() == expected.len() && rest.iter().zip(&expected).fold(0, |found, (a, b)| found | a ^ b) == 0
}

/// The answer to a right name and password, and to wrong ones.
pub(super) fn welcome() -> Vec<u8> {
    frame(b"\x07WELCOME", COMMAND)
}

pub(super) fn refusal() -> Vec<u8> {
    frame(b"\x05ERROR\x00", COMMAND)
}

/// The command that ends the handshake.
pub(super) fn ready() -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type".to_vec();
    body.extend_from_slice(&3u32.to_be_bytes());
    body.extend_from_slice(b"PUB");
    frame(&body, COMMAND)
}

/// A message of one frame.
pub(super) fn message(body: &[u8]) -> Vec<u8> {
    frame(body, 0)
}

fn frame(body: &[u8], flags: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 9);
    match u8::try_from(body.len()) {
        Ok(short) => bytes.extend([flags, short]),
        Err(_) => {
            bytes.push(flags | LONG);
            bytes.extend((body.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

/// What a subscriber sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'b> {
    Command(&'b [u8]),
    Message(&'b [u8]),
}

/// The first frame in a buffer and how many bytes it takes; `None` where more has to come. The error: this is no
/// subscriber.
pub(super) fn first_frame(buffer: &[u8]) -> Result<Option<(Frame<'_>, usize)>, ()> {
    let Some(flags) = buffer.first() else { return Ok(None) };
    let (head, length) = match flags & LONG {
        0 => match buffer.get(1) {
            Some(length) => (2, u64::from(*length)),
            None => return Ok(None),
        },
        _ => match buffer.get(1..9).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => (9, u64::from_be_bytes(bytes)),
            None => return Ok(None),
        },
    };
    if length > MAX_FRAME || flags & MORE != 0 {
        return Err(());
    }
    let end = head + length as usize;
    let Some(body) = buffer.get(head..end) else { return Ok(None) };
    Ok(Some((if flags & COMMAND != 0 { Frame::Command(body) } else { Frame::Message(body) }, end)))
}

/// Whether this is the handshake of a subscriber.
pub(super) fn is_subscriber(frame: &Frame<'_>, mechanism: Mechanism) -> bool {
    let Frame::Command(body) = frame else { return false };
    let begins: &[u8] = match mechanism {
        Mechanism::Null => b"\x05READY",
        Mechanism::Plain => b"\x08INITIATE",
    };
    body.starts_with(begins)
        && [&b"\x00\x00\x00\x03SUB"[..], b"\x00\x00\x00\x04XSUB"]
            .iter()
            .any(|kind| body.windows(kind.len()).any(|part| part == *kind))
}

/// The topics of one subscriber: beginnings of the messages it wants.
#[derive(Debug, Default)]
pub(super) struct Topics(Vec<Vec<u8>>);

impl Topics {
    pub(super) fn want(&self, message: &[u8]) -> bool {
        self.0.iter().any(|topic| message.starts_with(topic))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a subscription or its end, in the form of version 3.0 (a message) or 3.1 (a command); gives what has
    /// to be answered.
    pub(super) fn take(&mut self, frame: &Frame<'_>) -> Option<Vec<u8>> {
        match frame {
            Frame::Message([1, topic @ ..]) => self.add(topic),
            Frame::Message([0, topic @ ..]) => self.remove(topic),
            Frame::Command(body) => {
                if let Some(topic) = body.strip_prefix(b"\x09SUBSCRIBE") {
                    self.add(topic);
                } else if let Some(topic) = body.strip_prefix(b"\x06CANCEL") {
                    self.remove(topic);
                } else if let Some(ping) = body.strip_prefix(b"\x04PING") {
                    // Two bytes of time to live, then a context of at most 16 bytes that comes back.
                    let context = ping.get(2..).unwrap_or_default();
                    let pong = [b"\x04PONG", &context[..context.len().min(16)]].concat();
                    return Some(self::frame(&pong, COMMAND));
                }
            }
            Frame::Message(_) => {}
        }
        None
    }

    fn add(&mut self, topic: &[u8]) {
        if self.0.len() < MAX_TOPICS {
            self.0.push(topic.to_vec());
        }
    }

    fn remove(&mut self, topic: &[u8]) {
        if let Some(place) = self.0.iter().position(|t| t == topic) {
            self.0.swap_remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_and_never_before_it_is_whole() {
        for length in [0, 1, 255, 256, 5000] {
            let body = vec![7; length];
            let bytes = message(&body);
            assert_eq!(first_frame(&bytes), Ok(Some((Frame::Message(&body), bytes.len()))));
            assert_eq!(first_frame(&bytes[..bytes.len() - 1]), Ok(None));
        }
        assert_eq!(first_frame(&[2, 0xff, 0, 0, 0, 0, 0, 0, 0]), Err(()), "longer than a topic may be");
        assert_eq!(first_frame(&[1, 0]), Err(()), "subscriptions are whole messages");
    }

    #[test]
    fn a_handshake_is_that_of_a_subscriber_or_of_none() {
        use Mechanism::{Null, Plain};
        assert!(is_greeting(&greeting(Null), Null) && is_greeting(&greeting(Plain), Plain));
        assert!(!is_greeting(&greeting(Plain), Null) && !is_greeting(&greeting(Null), Plain));
        let command = b"\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB\x08Identity\x00\x00\x00\x00";
        assert!(
            is_subscriber(&Frame::Command(command), Null) && !is_subscriber(&Frame::Command(command), Plain)
        );
        let ours = ready();
        let (frame, _) = first_frame(&ours).unwrap().unwrap();
        assert!(!is_subscriber(&frame, Null), "a publisher does not subscribe");
    }

    #[test]
    fn only_the_right_name_and_password_are_let_in() {
        let hello = |bytes: &'static [u8]| is_hello(&Frame::Command(bytes), "misp", "secret");
        assert!(hello(b"\x05HELLO\x04misp\x06secret"));
        for bad in [
            &b"\x05HELLO\x04misp\x06secreT"[..],
            b"\x05HELLO\x04misp\x05secre",
            b"\x05HELLO\x00\x00",
            b"\x05HELLO",
            b"\x05READY\x04misp\x06secret",
        ] {
            assert!(!hello(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_topic_is_the_beginning_of_what_is_wanted() {
        let mut topics = Topics::default();
        assert!(!topics.want(b"misp_json {}"));
        topics.take(&Frame::Message(b"\x01misp_json_a"));
        topics.take(&Frame::Command(b"\x09SUBSCRIBEmisp_json_s"));
        assert!(topics.want(b"misp_json_attribute {}") && topics.want(b"misp_json_sighting {}"));
        assert!(!topics.want(b"misp_json {}"));
        topics.take(&Frame::Message(b"\x00misp_json_a"));
        assert!(!topics.want(b"misp_json_attribute {}"));
        assert_eq!(
            topics.take(&Frame::Command(b"\x04PING\x00\x0actx")),
            Some(b"\x04\x08\x04PONGctx".to_vec())
        );
    }
}
