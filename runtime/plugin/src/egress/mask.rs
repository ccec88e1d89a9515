//! Secrets that come back in replies, made unreadable.
//!
//! A value is looked for as it is, in hexadecimal, and in base64 wherever it may begin within what
//! was encoded. The stream is read in several ways at once for that: as it stands, with the escapes of
//! addresses undone, with those of forms, and with those of JSON; which characters a service escapes,
//! and how it writes the escapes, is its own choice. Each occurrence becomes as many asterisks, so
//! lengths that a reply tells stay true. This keeps a service that echoes what it is sent from telling
//! a secret to the plugin; it is no shield against a service that means to.

mod reading;

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};
use zeroize::Zeroizing;

use reading::{Reading, Way};

/// What an occurrence becomes.
const ASTERISK: u8 = b'*';

/// Characters of base64 below which a part is too common to be hidden.
const ENCODED_CHARS_MIN: usize = 8;

/// The forms in which secrets are looked for.
#[derive(Clone, Default)]
pub(super) struct Patterns {
    /// Values, and what services make of their bytes by taking each for a character.
    values: Vec<Zeroizing<Vec<u8>>>,
    /// Values in an encoding of their own.
    encoded: Vec<Zeroizing<Vec<u8>>>,
}

impl Patterns {
    /// Adds the forms of one value.
    pub(super) fn add(&mut self, value: &[u8]) {
        add(&mut self.values, value.to_vec());
        let by_bytes: String = value.iter().copied().map(char::from).collect();
        add(&mut self.values, by_bytes.into_bytes());
        let hex = trunkline_model::hex::write(value);
        add(&mut self.encoded, hex.to_ascii_uppercase().into_bytes());
        add(&mut self.encoded, hex.into_bytes());
        for before in 0..3 {
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let mut bytes = Zeroizing::new(vec![0; before]);
                bytes.extend_from_slice(value);
                // The characters that depend on what stands before or after are not the value's.
                let first = (before * 8).div_ceil(6);
                let last = bytes.len() * 8 / 6;
                let encoded = Zeroizing::new(engine.encode(&*bytes));
                if last - first >= ENCODED_CHARS_MIN {
                    add(&mut self.encoded, encoded.as_bytes()[first..last].to_vec());
                }
            }
        }
    }

    /// The forms that are looked for in one way of reading.
    fn of(&self, way: Way) -> Vec<Zeroizing<Vec<u8>>> {
        let forms = match way {
            // What has no space reads as in an address.
            Way::Form => (self.values.iter())
                .filter(|value| value.contains(&b' '))
                .collect::<Vec<_>>(),
            Way::Plain | Way::Address | Way::Json => self.values.iter().chain(&self.encoded).collect(),
        };
        forms.into_iter().cloned().collect()
    }
}

fn add(forms: &mut Vec<Zeroizing<Vec<u8>>>, form: Vec<u8>) {
    let form = Zeroizing::new(form);
    if !forms.contains(&form) {
        forms.push(form);
    }
}

/// Hides secrets in a stream of bytes, however it is cut into pieces. What may be the beginning of
/// a secret is held back until it is known.
pub(super) struct Mask {
    readings: Vec<Reading>,
    /// Whether a byte begins a form, or an escape, in some way of reading.
    begins: [bool; 256],
    held: Vec<u8>,
    /// Bytes of the stream before what is held.
    told: u64,
}

impl Mask {
    pub(super) fn of(patterns: Patterns) -> Self {
        let ways = [Way::Plain, Way::Address, Way::Form, Way::Json].into_iter();
        let readings: Vec<Reading> = ways
            .map(|way| Reading::new(way, patterns.of(way)))
            .filter(Reading::looks_for_something)
            .collect();
        let mut begins = [false; 256];
        for (byte, begins) in begins.iter_mut().enumerate() {
            *begins = readings.iter().any(|reading| reading.begins(byte));
        }
        Self {
            readings,
            begins,
            held: Vec::new(),
            told: 0,
        }
    }

    /// What of the stream may be told after one more piece.
    fn piece(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut some_began = self.readings.iter().any(|reading| reading.since().is_some());
        self.held.reserve(piece.len());
        for &byte in piece {
            let at = self.told + self.held.len() as u64;
            self.held.push(byte);
            if !some_began && !self.begins[usize::from(byte)] {
                continue;
            }
            some_began = false;
            for reading in &mut self.readings {
                if let Some(since) = reading.take(byte, at) {
                    let from = usize::try_from(since - self.told).expect("it is held back");
                    self.held[from..].fill(ASTERISK);
                }
                some_began |= reading.since().is_some();
            }
        }
        let end = self.told + self.held.len() as u64;
        let since = self.readings.iter().filter_map(Reading::since).min();
        let kept = since.map_or(0, |since| usize::try_from(end - since).expect("it is held back"));
        let rest = self.held.split_off(self.held.len() - kept);
        self.told = end - kept as u64;
        std::mem::replace(&mut self.held, rest)
    }

    /// What was held back when the stream ends.
    fn end(&mut self) -> Vec<u8> {
        for reading in &mut self.readings {
            reading.end();
        }
        self.told += self.held.len() as u64;
        std::mem::take(&mut self.held)
    }

    /// Hides secrets in the values of headers.
    pub(super) fn headers(&mut self, headers: &mut HeaderMap) {
        for header in headers.values_mut() {
            let mut told = self.piece(header.as_bytes());
            told.extend(self.end());
            if told != header.as_bytes() {
                // As many bytes, some of them asterisks, are as good a value.
                *header = HeaderValue::from_bytes(&told).unwrap_or_else(|_| HeaderValue::from_static("*"));
            }
        }
    }

    /// Hides secrets in a body.
    pub(super) fn body(self, body: WasiBody) -> WasiBody {
        Masked {
            body,
            mask: self,
            ended: false,
            trailers: None,
        }
        .boxed_unsync()
    }
}

/// The body of a reply, without secrets.
struct Masked {
    body: WasiBody,
    mask: Mask,
    ended: bool,
    /// Trailers that wait until what was held back is told.
    trailers: Option<HeaderMap>,
}

impl Body for Masked {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        loop {
            if this.ended {
                let held = this.mask.end();
                if !held.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(held.into()))));
                }
                let trailers = this.trailers.take().map(|mut trailers| {
                    this.mask.headers(&mut trailers);
                    Ok(Frame::trailers(trailers))
                });
                return Poll::Ready(trailers);
            }
            let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
                return Poll::Pending;
            };
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    let told = this.mask.piece(&data);
                    if !told.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(told.into()))));
                    }
                }
                Some(Ok(Err(other))) => {
                    this.ended = true;
                    this.trailers = other.into_trailers().ok();
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => this.ended = true,
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && self.mask.held.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.mask.held.len() as u64;
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(held));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const SECRET: &str = "s3cr3t/\"token\"+aaab";

    fn mask() -> Mask {
        let mut patterns = Patterns::default();
        patterns.add(SECRET.as_bytes());
        Mask::of(patterns)
    }

    /// What is told of a text, cut into pieces of a size.
    fn told(text: &str, size: usize) -> String {
        let mut mask = mask();
        let mut told = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            told.extend(mask.piece(piece));
        }
        told.extend(mask.end());
        String::from_utf8(told).unwrap()
    }

    #[test]
    fn a_secret_is_hidden_wherever_the_stream_is_cut() {
        let text = format!("a{SECRET}{SECRET}b s3cr3t/ s3cr3ts3cr3t/\"token\"+aaab");
        let stars = "*".repeat(SECRET.len());
        let wanted = format!("a{stars}{stars}b s3cr3t/ s3cr3t{stars}");
        for size in 1..=text.len() {
            assert_eq!(told(&text, size), wanted, "pieces of {size}");
        }
    }

    /// What is told of a reply in which a value stands, all in one and byte by byte.
    #[track_caller]
    fn told_of(value: &str, reply: &str) -> String {
        let [whole, cut] = [reply.len(), 1].map(|size| {
            let mut patterns = Patterns::default();
            patterns.add(value.as_bytes());
            let mut mask = Mask::of(patterns);
            let mut told = Vec::new();
            for piece in reply.as_bytes().chunks(size) {
                told.extend(mask.piece(piece));
            }
            told.extend(mask.end());
            String::from_utf8(told).unwrap()
        });
        assert_eq!(whole, cut);
        whole
    }

    #[test]
    fn it_is_known_in_the_escapes_that_services_write() {
        // As these wrote them, not as anything here does.
        const VALUE: &str = "a<b>&c'd+/\"e f!*()~é😀z";
        for (who, written) in [
            ("nobody", r#"a<b>&c'd+/"e f!*()~é😀z"#),
            (
                ".NET",
                r"a\u003Cb\u003E\u0026c\u0027d\u002B/\u0022e f!*()~\u00E9\uD83D\uDE00z",
            ),
            ("Go", r#"a\u003cb\u003e\u0026c'd+/\"e f!*()~é😀z"#),
            ("Python", r#"a<b>&c'd+/\"e f!*()~\u00e9\ud83d\ude00z"#),
            ("PHP", r#"a<b>&c'd+\/\"e f!*()~\u00e9\ud83d\ude00z"#),
            (
                "a header by its bytes",
                r#"a<b>&c'd+/\"e f!*()~\u00c3\u00a9\u00f0\u009f\u0098\u0080z"#,
            ),
            (
                "encodeURIComponent",
                "a%3Cb%3E%26c'd%2B%2F%22e%20f!*()~%C3%A9%F0%9F%98%80z",
            ),
            ("encodeURI", "a%3Cb%3E&c'd+/%22e%20f!*()~%C3%A9%F0%9F%98%80z"),
            (
                "a form",
                "a%3Cb%3E%26c%27d%2B%2F%22e+f%21*%28%29%7E%C3%A9%F0%9F%98%80z",
            ),
            (
                "quote in small letters",
                "a%3cb%3e%26c%27d%2b/%22e%20f%21%2a%28%29~%c3%a9%f0%9f%98%80z",
            ),
        ] {
            let told = told_of(VALUE, &format!("x={written};y"));
            assert_eq!(told, format!("x={};y", "*".repeat(written.len())), "{who}");
        }
    }

    #[test]
    fn an_encoding_is_known_when_it_is_escaped_in_turn() {
        // `user:` and the value in base64.
        for written in [
            "dXNlcjpzM2NyM3Q/Pn5+dmFsdWU=",
            r"dXNlcjpzM2NyM3Q/Pn5\u002BdmFsdWU=",
            r"dXNlcjpzM2NyM3Q\/Pn5+dmFsdWU=",
            "dXNlcjpzM2NyM3Q%2FPn5%2BdmFsdWU%3D",
            "dXNlcjpzM2NyM3Q_Pn5-dmFsdWU",
        ] {
            let told = told_of("s3cr3t?>~~value", &format!("Basic {written}"));
            assert!(told.starts_with("Basic dXNlcj"), "{told}");
            for part in ["M2NyM3Q", "Pn5", "dmFsd"] {
                assert!(!told.contains(part), "{written}: {told}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_an_escape_is_read_on() {
        for (value, before, written, after) in [
            // The value holds what others take for an escape.
            ("50%41bcdefg", "x", "50%41bcdefg", ""),
            ("50%41bcdefg", "x", "50%2541bcdefg", ""),
            (r"a\u0041\bcd", "x", r"a\u0041\bcd", ""),
            (r"a\u0041\bcd", "x", r"a\\u0041\\bcd", ""),
            // An escape that ends too soon, or begins anew.
            ("12345678", "%", "12345678", ""),
            ("12345678", "%", "%31234567%38", ""),
            ("12345678", r"\u", "12345678", ""),
            ("12345678", r"\u00", r"\u003123456\u00378", ""),
            ("12345678", r"\ud83d", r"\u003123456\u00378", ""),
            ("12345678", r"\ud83d", "12345678", ""),
            ("12345678", r"\n", "12345678", r"\n"),
            // And nothing else is touched.
            ("12345678", r"%31 \u0031 1234567 \", "", ""),
        ] {
            let told = told_of(value, &format!("{before}{written}{after}"));
            assert_eq!(told, format!("{before}{}{after}", "*".repeat(written.len())));
        }
    }

    #[test]
    fn it_is_known_in_hexadecimal_and_in_base64() {
        let hex = SECRET
            .bytes()
            .map(|byte| format!("{byte:02X}"))
            .collect::<String>();
        assert_eq!(told(&hex, 3), "*".repeat(hex.len()));
        for before in ["", "u", "us", "user:"] {
            for after in ["", ".", ".x", "\n"] {
                for encoded in [
                    STANDARD.encode(format!("{before}{SECRET}{after}")),
                    URL_SAFE.encode(format!("{before}{SECRET}{after}")),
                ] {
                    let told = told(&encoded, 5);
                    let hidden = told.matches('*').count();
                    // All but the characters shared with what stands around it.
                    assert!(hidden >= SECRET.len() * 8 / 6 - 1, "{encoded}: {told}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_secret_is_told_at_once() {
        let mut mask = mask();
        assert_eq!(mask.piece(b"data: hello\n\n"), b"data: hello\n\n");
        assert_eq!(mask.piece(b"data: s3cr"), b"data: ");
        assert_eq!(mask.piece(b"x"), b"s3crx");
        assert!(mask.end().is_empty());
    }

    #[test]
    fn a_value_that_repeats_itself_costs_no_more() {
        let mut patterns = Patterns::default();
        patterns.add(&[b'a'; 4_096]);
        let mut mask = Mask::of(patterns);
        let mut told = mask.piece(&vec![b'a'; 1 << 20]);
        told.extend(mask.end());
        assert!(told.len() == 1 << 20 && told.iter().all(|byte| *byte == ASTERISK));
    }

    #[test]
    fn headers_are_masked_one_by_one() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-echo",
            HeaderValue::from_str(&format!("Bearer {SECRET}")).unwrap(),
        );
        headers.insert("x-other", HeaderValue::from_static("s3cr"));
        mask().headers(&mut headers);
        assert_eq!(headers["x-echo"], format!("Bearer {}", "*".repeat(SECRET.len())));
        assert_eq!(headers["x-other"], "s3cr");
    }
}
