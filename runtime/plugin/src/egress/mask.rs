//! Secrets that come back in replies, made unreadable.
//!
//! A value is looked for as it is, escaped as in addresses and in JSON, in hexadecimal, and in
//! base64 wherever it may begin within what was encoded. Each occurrence becomes as many asterisks,
//! so lengths that a reply tells stay true. This keeps a service that echoes what it is sent from
//! telling a secret to the plugin; it is no shield against a service that means to.

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

/// What an occurrence becomes.
const ASTERISK: u8 = b'*';

/// Characters of base64 below which a part is too common to be hidden.
const ENCODED_CHARS_MIN: usize = 8;

/// The forms in which secrets are looked for.
#[derive(Clone, Default)]
pub(super) struct Patterns(Vec<Zeroizing<Vec<u8>>>);

impl Patterns {
    /// Adds the forms of one value.
    pub(super) fn add(&mut self, value: &[u8]) {
        self.form(value.to_vec());
        self.form(escaped(value, |digit| digit.to_ascii_uppercase()));
        self.form(escaped(value, |digit| digit));
        if let Ok(text) = std::str::from_utf8(value) {
            let quoted = serde_json::to_string(text).expect("a text is JSON");
            let inner = &quoted[1..quoted.len() - 1];
            self.form(inner.as_bytes().to_vec());
            self.form(inner.replace('/', "\\/").into_bytes());
        }
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        self.form(hex.to_ascii_uppercase().into_bytes());
        self.form(hex.into_bytes());
        for before in 0..3 {
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let mut bytes = Zeroizing::new(vec![0; before]);
                bytes.extend_from_slice(value);
                // The characters that depend on what stands before or after are not the value's.
                let first = (before * 8).div_ceil(6);
                let last = bytes.len() * 8 / 6;
                let encoded = Zeroizing::new(engine.encode(&*bytes));
                if last - first >= ENCODED_CHARS_MIN {
                    self.form(encoded.as_bytes()[first..last].to_vec());
                }
            }
        }
    }

    fn form(&mut self, form: Vec<u8>) {
        let form = Zeroizing::new(form);
        if !self.0.contains(&form) {
            self.0.push(form);
        }
    }
}

/// A value as it stands in an address.
fn escaped(value: &[u8], digit: fn(char) -> char) -> Vec<u8> {
    let mut text = String::new();
    for byte in value {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(*byte));
        } else {
            text.push('%');
            text.extend(format!("{byte:02x}").chars().map(digit));
        }
    }
    text.into_bytes()
}

/// Hides secrets in a stream of bytes, however it is cut into pieces. What may be the beginning of
/// a secret is held back until it is known.
pub(super) struct Mask {
    forms: Vec<Form>,
    /// Whether a byte begins a form.
    begins: [bool; 256],
    held: Vec<u8>,
}

/// One form, and how much of it the last bytes were (Knuth, Morris and Pratt).
struct Form {
    text: Zeroizing<Vec<u8>>,
    /// For each length the longest shorter beginning that is also its end.
    shorter: Vec<usize>,
    matched: usize,
}

impl Mask {
    pub(super) fn of(patterns: Patterns) -> Self {
        let mut begins = [false; 256];
        for form in &patterns.0 {
            begins[usize::from(form[0])] = true;
        }
        Self {
            forms: patterns.0.into_iter().map(Form::new).collect(),
            begins,
            held: Vec::new(),
        }
    }

    /// What of the stream may be told after one more piece.
    fn piece(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut some_matched = self.forms.iter().any(|form| form.matched > 0);
        self.held.reserve(piece.len());
        for &byte in piece {
            self.held.push(byte);
            if !some_matched && !self.begins[usize::from(byte)] {
                continue;
            }
            some_matched = false;
            for form in &mut self.forms {
                if form.step(byte) {
                    let from = self.held.len() - form.text.len();
                    self.held[from..].fill(ASTERISK);
                }
                some_matched |= form.matched > 0;
            }
        }
        let kept = self.forms.iter().map(|form| form.matched).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - kept);
        std::mem::replace(&mut self.held, rest)
    }

    /// What was held back when the stream ends.
    fn end(&mut self) -> Vec<u8> {
        for form in &mut self.forms {
            form.matched = 0;
        }
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

impl Form {
    fn new(text: Zeroizing<Vec<u8>>) -> Self {
        let mut shorter = vec![0; text.len() + 1];
        for end in 1..text.len() {
            let mut length = shorter[end];
            while length > 0 && text[length] != text[end] {
                length = shorter[length];
            }
            shorter[end + 1] = length + usize::from(text[length] == text[end]);
        }
        Self {
            text,
            shorter,
            matched: 0,
        }
    }

    /// Takes one more byte. Whether it ends an occurrence.
    fn step(&mut self, byte: u8) -> bool {
        while self.matched > 0 && self.text[self.matched] != byte {
            self.matched = self.shorter[self.matched];
        }
        self.matched += usize::from(self.text[self.matched] == byte);
        let whole = self.matched == self.text.len();
        if whole {
            self.matched = self.shorter[self.matched];
        }
        whole
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

    #[test]
    fn it_is_known_in_the_forms_that_services_write_it_in() {
        let json = serde_json::to_string(&serde_json::json!({ "authorization": SECRET })).unwrap();
        let forms = [
            json,
            SECRET.replace('/', "%2F").replace('"', "%22").replace('+', "%2B"),
            SECRET.replace('/', "%2f").replace('"', "%22").replace('+', "%2b"),
            SECRET.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ];
        for form in forms {
            let told = told(&form, 3);
            assert_eq!(told.len(), form.len());
            assert!(told.matches('*').count() >= SECRET.len(), "{form}: {told}");
        }
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
