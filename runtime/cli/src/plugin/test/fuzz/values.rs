//! Values of a type, the awkward ones more often than chance would give them.

use std::sync::Arc;

use trunkline_model::{Timestamp, Type, Value, types::Range};

use super::random::Random;

/// Texts that programs trip over.
const TEXTS: &[&str] = &[
    "",
    " ",
    "0",
    "-1",
    "null",
    "a",
    "A b",
    "王芳",
    "电话",
    "🚑🚒",
    "e\u{301}",
    "\u{feff}x",
    "\0",
    "\u{202e}abc",
    "a\nb\r\n\tc",
    "\"'\\`",
    "{\"a\":1}",
    "[",
    "<b>&amp;</b>",
    "../../etc/passwd",
    "%00%s%n",
    "'; --",
    "1e999",
    "NaN",
    "9223372036854775808",
    "2026-02-30",
    "https://host.example/?a=b#c",
    "\u{10ffff}",
    "İıſß",
];

/// Texts that parameters of some names usually are.
const USUAL: &[(&str, &[&str])] = &[
    (
        "phone",
        &[
            "+8613800138000",
            "13800138000",
            "+1",
            "+",
            "+86138001380000000",
            "110",
            "+86 138 0013 8000",
        ],
    ),
    ("number", &["12345", "330106198801011234", "0"]),
    ("date", &["2026-11-21", "2024-02-29", "0000-00-00", "21.11.2026"]),
    (
        "url",
        &[
            "https://host.example/a",
            "http://",
            "file:///etc/passwd",
            "https://[::1]:0/",
        ],
    ),
    ("district", &["xihu", "西湖区", "no-such-district"]),
    ("language", &["zh-CN", "en", "x", "zh-Hans-CN-x-private"]),
    ("text", &["我很着急，房子漏水", "I am very unhappy", "。。。"]),
];

/// Characters of the longest text.
const TEXT_CHARS_MAX: usize = 100_000;

/// Elements of the longest list.
const ELEMENTS_MAX: usize = 2_000;

/// How deep lists stay long.
const DEPTH_MAX: u32 = 4;

/// Bytes that any value takes of the arguments' limit.
const VALUE_BYTES: usize = 40;

/// Makes values, all together within a number of bytes.
pub(super) struct Generator<'r> {
    random: &'r mut Random,
    bytes_left: usize,
    depth: u32,
}

impl<'r> Generator<'r> {
    pub(super) fn new(random: &'r mut Random, bytes_max: usize) -> Self {
        Self {
            random,
            bytes_left: bytes_max,
            depth: 0,
        }
    }

    /// An argument for a parameter of this name.
    pub(super) fn argument(&mut self, name: &str, ty: &Type) -> Value {
        if matches!(ty.required(), Type::String | Type::Phone) && self.random.once_in(2) {
            let usual = USUAL
                .iter()
                .find(|(part, _)| name.contains(part))
                .map(|(_, texts)| *texts);
            if let Some(text) = usual.and_then(|texts| self.random.one(texts)) {
                return self.text(text);
            }
        }
        self.value(ty)
    }

    pub(super) fn value(&mut self, ty: &Type) -> Value {
        self.bytes_left = self.bytes_left.saturating_sub(VALUE_BYTES);
        match ty {
            Type::Bool => Value::Bool(self.random.once_in(2)),
            Type::Int(range) => Value::Int(self.int(*range)),
            Type::Decimal => Value::Decimal(self.decimal()),
            Type::String | Type::Phone => self.any_text(),
            Type::Char => Value::text(self.char().to_string()),
            // Types of the flow language, which no component has.
            Type::Date => Value::Date(jiff::civil::date(2024, 2, 29)),
            Type::Time => Value::Time(Timestamp::from_millis(0)),
            Type::Duration => {
                Value::Duration(trunkline_model::Duration::from_millis(self.random.next() >> 40))
            }
            Type::List(inner) => self.list(inner),
            Type::Tuple(types) => {
                let values: Vec<_> = types.iter().map(|ty| self.value(ty)).collect();
                Value::list(values)
            }
            Type::Record(record) => Value::record(
                record
                    .fields
                    .iter()
                    .map(|field| (field.name.clone(), self.argument(&field.name, &field.ty)))
                    .collect::<Vec<_>>(),
            ),
            Type::Variant(variant) => {
                let index = self.random.below(variant.cases.len());
                let (name, payload) = variant
                    .cases
                    .get(index)
                    .map_or(("", None), |case| (&*case.name, case.payload.as_ref()));
                self.case(name, payload)
            }
            Type::Enum(names) => {
                let name = self.random.one(&names.cases).cloned();
                Value::Text(name.unwrap_or_else(|| "".into()))
            }
            Type::Flags(names) => {
                let set = names.cases.iter().filter(|_| self.random.once_in(2));
                Value::list(set.map(|name| Value::Text(name.clone())).collect::<Vec<_>>())
            }
            Type::Option(_) if self.random.once_in(3) => Value::None,
            Type::Option(inner) if inner.is_optional() => Value::Variant {
                case: "some".into(),
                payload: Some(Arc::new(self.value(inner))),
            },
            Type::Option(inner) => self.value(inner),
            Type::Result { ok, error } => {
                if self.random.once_in(2) {
                    self.case("ok", ok.as_deref())
                } else {
                    self.case("error", error.as_deref())
                }
            }
        }
    }

    fn case(&mut self, name: &str, payload: Option<&Type>) -> Value {
        Value::Variant {
            case: name.into(),
            payload: payload.map(|ty| Arc::new(self.value(ty))),
        }
    }

    fn int(&mut self, range: Range) -> i128 {
        let number = match self.random.below(8) {
            0 => range.min,
            1 => range.max,
            2 => 0,
            3 => 1,
            4 => -1,
            5 => i128::from(self.random.next() % 100),
            6 => (1_i128 << self.random.below(64)) - i128::from(self.random.next() % 2),
            _ => i128::from(self.random.next()) - i128::from(i64::MAX),
        };
        number.clamp(range.min, range.max)
    }

    fn decimal(&mut self) -> f64 {
        const DECIMALS: [f64; 10] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            1e15,
            f64::MIN_POSITIVE,
            f64::EPSILON,
            3e38,
            -3e38,
        ];
        match self.random.below(DECIMALS.len() + 2) {
            index if index < DECIMALS.len() => DECIMALS[index],
            // Within what a narrow number holds, since the type does not tell how wide it is.
            _ => f64::from(self.int(Range::of_bits(32, true)) as i32) / 1_000.0,
        }
    }

    fn char(&mut self) -> char {
        const CHARS: [char; 9] = ['a', '0', ' ', '\0', 'é', '好', '🚑', '\u{10ffff}', '\u{202e}'];
        match self.random.below(3) {
            0 => char::from_u32((self.random.next() % 0x11_0000) as u32).unwrap_or('a'),
            _ => *self.random.one(&CHARS).unwrap_or(&'a'),
        }
    }

    fn any_text(&mut self) -> Value {
        let text = match self.random.below(8) {
            0..=4 => (*self.random.one(TEXTS).unwrap_or(&"")).to_owned(),
            5 => {
                let length = self.random.below(40);
                (0..length).map(|_| self.char()).collect()
            }
            6 => {
                let length = self.random.below(12);
                (0..length)
                    .map(|_| char::from(b'0' + (self.random.next() % 10) as u8))
                    .collect()
            }
            _ => {
                let char = *self.random.one(&['a', '0', ' ', '好', '{', '🚑']).unwrap_or(&'a');
                let most = (self.bytes_left / char.len_utf8()).min(TEXT_CHARS_MAX);
                let length = if self.random.once_in(2) {
                    most
                } else {
                    self.random.below(most.min(3_000))
                };
                std::iter::repeat_n(char, length).collect()
            }
        };
        self.text(&text)
    }

    /// A text, cut to what is left of the bytes.
    fn text(&mut self, text: &str) -> Value {
        let mut end = text.len().min(self.bytes_left);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.bytes_left -= end;
        Value::text(&text[..end])
    }

    fn list(&mut self, inner: &Type) -> Value {
        self.depth += 1;
        let most = if self.depth > DEPTH_MAX {
            2
        } else {
            (self.bytes_left / VALUE_BYTES / 2).min(ELEMENTS_MAX)
        };
        let length = match self.random.below(8) {
            0..=1 => 0,
            2..=3 => 1,
            4..=6 => self.random.below(6),
            _ => self.random.below(most + 1),
        }
        .min(most);
        // A long list of one value is small when it is told.
        let values: Vec<Value> = if length > 8 && self.random.once_in(2) {
            let before = self.bytes_left;
            let value = self.value(inner);
            let each = (before - self.bytes_left).max(VALUE_BYTES);
            let fits = (self.bytes_left / each).min(length);
            self.bytes_left -= fits.saturating_mul(each);
            std::iter::repeat_n(value, fits + 1).collect()
        } else {
            let mut values = Vec::new();
            while values.len() < length && self.bytes_left > VALUE_BYTES {
                values.push(self.value(inner));
            }
            values
        };
        self.depth -= 1;
        Value::list(values)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use trunkline_model::{
        json,
        types::{Case, Enum, Variant},
    };

    use super::*;

    pub(in super::super) fn everything() -> Type {
        let names = Arc::new(Enum {
            name: None,
            cases: vec!["calm".into(), "angry".into()],
        });
        json::record_type(
            None,
            [
                ("flag", Type::Bool),
                ("byte", Type::Int(Range::of_bits(8, false))),
                ("long", Type::Int(Range::of_bits(64, true))),
                ("huge", Type::Int(Range::U64)),
                ("decimal", Type::Decimal),
                ("phone", Type::String),
                ("char", Type::Char),
                ("lists", Type::String.list().list().list()),
                ("tuple", Type::Tuple(Arc::new(vec![Type::Bool, Type::String]))),
                ("mood", Type::Enum(names.clone())),
                ("channels", Type::Flags(names)),
                ("maybe", Type::String.optional().optional()),
                (
                    "result",
                    Type::Result {
                        ok: None,
                        error: Some(Arc::new(Type::String)),
                    },
                ),
                (
                    "shape",
                    Type::Variant(Arc::new(Variant {
                        name: None,
                        cases: vec![
                            Case {
                                name: "dot".into(),
                                payload: None,
                            },
                            Case {
                                name: "of".into(),
                                payload: Some(Type::INT.list()),
                            },
                        ],
                    })),
                ),
            ],
        )
    }

    #[test]
    fn values_fit_their_type_and_their_bytes_and_come_again() {
        let ty = everything();
        for input in 0..400 {
            let mut random = Random::of(7, "f", input);
            let value = Generator::new(&mut random, 64 << 10).value(&ty);
            let written = json::to_json(&value);
            assert_eq!(json::from_json(&written, &ty).unwrap(), value, "input {input}");
            assert!(written.to_string().len() < 1 << 20, "input {input}");
            let mut again = Random::of(7, "f", input);
            assert_eq!(Generator::new(&mut again, 64 << 10).value(&ty), value);
        }
    }

    #[test]
    fn the_awkward_ones_come() {
        let texts: Vec<String> = (0..500)
            .map(|input| {
                let mut random = Random::of(1, "f", input);
                match Generator::new(&mut random, 256 << 10).argument("phone", &Type::String) {
                    Value::Text(text) => text.to_string(),
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert!(texts.iter().any(String::is_empty));
        assert!(texts.iter().any(|text| text == "+8613800138000"));
        assert!(texts.iter().any(|text| text.chars().count() > 50_000));
        assert!(texts.iter().any(|text| !text.is_ascii()));
        let ints: Vec<i128> = (0..200)
            .map(
                |input| match Generator::new(&mut Random::of(1, "f", input), 100).value(&Type::INT) {
                    Value::Int(int) => int,
                    other => panic!("{other:?}"),
                },
            )
            .collect();
        for wanted in [i64::MIN.into(), i64::MAX.into(), 0, -1] {
            assert!(ints.contains(&wanted), "{wanted}");
        }
    }
}
