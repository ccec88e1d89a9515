//! From text to a tree: operators by how tightly they bind.

use std::{ops::Range, sync::Arc};

use super::{
    syntax::{Kind, Name, Operator, Tree},
    token::{Token, tokens},
};
use crate::limits::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX};

/// Why a text is no expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What CEL has and hotlines do not, since it loops or may run long.
const MACROS: [&str; 8] = [
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "matches",
    "reduce",
    "fold",
];

/// Parses `text[range]`; the ranges of the tree are bytes of `text`.
pub(crate) fn parse(text: &str, range: Range<usize>) -> Result<Tree, SyntaxError> {
    if range.len() > EXPRESSION_BYTES_MAX {
        return Err(SyntaxError {
            range,
            message: format!("the expression is longer than {EXPRESSION_BYTES_MAX} bytes"),
            help: Some("compute parts of it in `set` steps".to_owned()),
        });
    }
    let mut parser = Parser {
        tokens: tokens(text, range.clone())?,
        next: 0,
        depth: 0,
        end: range.end,
    };
    if parser.tokens.is_empty() {
        return Err(SyntaxError {
            range,
            message: "the expression is empty".to_owned(),
            help: None,
        });
    }
    let tree = parser.conditional()?;
    match parser.peek() {
        None => Ok(tree),
        Some(_) => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    next: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn range(&self) -> Range<usize> {
        self.tokens
            .get(self.next)
            .map_or(self.end..self.end, |(_, range)| range.clone())
    }

    fn end_of_last(&self) -> usize {
        self.next
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(self.end, |(_, range)| range.end)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> Result<(), SyntaxError> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> SyntaxError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Text(text)) => format!("the text '{text}'"),
            Some(Token::Int(number)) => format!("{number}"),
            Some(Token::Decimal(number)) => format!("{number}"),
            Some(Token::Name(name)) => format!("`{name}`"),
            Some(Token::Sign(sign)) => format!("`{sign}`"),
        };
        let help = match self.peek() {
            Some(Token::Name(name)) if matches!(&**name, "and" | "AND") => Some("and is written `&&`"),
            Some(Token::Name(name)) if matches!(&**name, "or" | "OR") => Some("or is written `||`"),
            Some(Token::Name(name)) if matches!(&**name, "is" | "eq") => Some("compare with `==`"),
            Some(Token::Sign("{")) => {
                Some("records are not written in expressions; give each field its own line")
            }
            _ => None,
        };
        SyntaxError {
            range: self.range(),
            message: format!("{wanted} should stand here, not {found}"),
            help: help.map(str::to_owned),
        }
    }

    fn deeper<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            return Err(SyntaxError {
                range: self.range(),
                message: format!("the expression nests deeper than {EXPRESSION_DEPTH_MAX}"),
                help: Some("compute parts of it in `set` steps".to_owned()),
            });
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn conditional(&mut self) -> Result<Tree, SyntaxError> {
        self.deeper(|parser| {
            let condition = parser.binary(1)?;
            if !parser.sign("?") {
                return Ok(condition);
            }
            let yes = parser.conditional()?;
            parser.expect(":")?;
            let no = parser.conditional()?;
            Ok(Tree {
                range: condition.range.start..no.range.end,
                kind: Kind::Conditional(Box::new(condition), Box::new(yes), Box::new(no)),
            })
        })
    }

    fn operator(&self) -> Option<Operator> {
        let written = match self.peek()? {
            Token::Sign(sign) => sign,
            Token::Name(name) => &**name,
            _ => return None,
        };
        [
            Operator::Or,
            Operator::And,
            Operator::Equal,
            Operator::NotEqual,
            Operator::LessOrEqual,
            Operator::GreaterOrEqual,
            Operator::Less,
            Operator::Greater,
            Operator::In,
            Operator::Add,
            Operator::Subtract,
            Operator::Multiply,
            Operator::Divide,
            Operator::Remainder,
        ]
        .into_iter()
        .find(|operator| operator.as_str() == written)
    }

    fn binary(&mut self, binds: u8) -> Result<Tree, SyntaxError> {
        let mut left = self.unary()?;
        let mut height = 0;
        while let Some(operator) = self.operator().filter(|operator| operator.binds() >= binds) {
            // A chain such as `a + b + c` is as deep a tree as it is long.
            height += 1;
            if self.depth + height > EXPRESSION_DEPTH_MAX {
                return Err(SyntaxError {
                    range: self.range(),
                    message: format!(
                        "the expression has more than {EXPRESSION_DEPTH_MAX} operators in a row"
                    ),
                    help: Some("compute parts of it in `set` steps, or use `in` with a list".to_owned()),
                });
            }
            let at = self.range();
            self.next += 1;
            let right = self.deeper(|parser| parser.binary(operator.binds() + 1))?;
            if operator.compares()
                && let Some(second) = self.operator().filter(|second| second.compares())
            {
                return Err(SyntaxError {
                    range: at.start..self.range().end,
                    message: format!(
                        "`{}` and `{}` cannot stand in a row",
                        operator.as_str(),
                        second.as_str()
                    ),
                    help: Some("join two comparisons with `&&`".to_owned()),
                });
            }
            left = Tree {
                range: left.range.start..right.range.end,
                kind: Kind::Binary(operator, Box::new(left), Box::new(right)),
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Tree, SyntaxError> {
        let start = self.range().start;
        if self.sign("!") {
            let of = self.deeper(Self::unary)?;
            return Ok(Tree {
                range: start..of.range.end,
                kind: Kind::Not(Box::new(of)),
            });
        }
        if self.sign("-") {
            let of = self.deeper(Self::unary)?;
            let range = start..of.range.end;
            let kind = match of.kind {
                Kind::Int(number) => Kind::Int(-number),
                Kind::Decimal(number) => Kind::Decimal(-number),
                kind => Kind::Negate(Box::new(Tree {
                    kind,
                    range: of.range,
                })),
            };
            return Ok(Tree { kind, range });
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Tree, SyntaxError> {
        let mut tree = self.primary()?;
        let mut height = 0;
        loop {
            height += 1;
            if self.depth + height > EXPRESSION_DEPTH_MAX {
                return Err(SyntaxError {
                    range: self.range(),
                    message: "the chain of fields is too long".to_owned(),
                    help: None,
                });
            }
            let start = tree.range.start;
            if self.sign(".") {
                let name = self.name("a field's name")?;
                let kind = if self.sign("(") {
                    no_macro(&name)?;
                    Kind::Method(Box::new(tree), name, self.parts(")")?)
                } else {
                    Kind::Field(Box::new(tree), name)
                };
                tree = Tree {
                    kind,
                    range: start..self.end_of_last(),
                };
            } else if self.sign("[") {
                let index = self.conditional()?;
                self.expect("]")?;
                tree = Tree {
                    kind: Kind::Index(Box::new(tree), Box::new(index)),
                    range: start..self.end_of_last(),
                };
            } else {
                return Ok(tree);
            }
        }
    }

    fn name(&mut self, wanted: &str) -> Result<Name, SyntaxError> {
        let range = self.range();
        match self.peek() {
            Some(Token::Name(text)) => {
                let text = text.clone();
                self.next += 1;
                Ok(Name { text, range })
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    /// Parts with commas between them, up to a closing sign.
    fn parts(&mut self, close: &'static str) -> Result<Vec<Tree>, SyntaxError> {
        let mut parts = Vec::new();
        loop {
            if self.sign(close) {
                return Ok(parts);
            }
            parts.push(self.conditional()?);
            if !self.sign(",") {
                if self.sign(close) {
                    return Ok(parts);
                }
                return Err(self.unexpected(&format!("`,` or `{close}`")));
            }
        }
    }

    fn primary(&mut self) -> Result<Tree, SyntaxError> {
        let range = self.range();
        let Some(token) = self.peek().cloned() else {
            return Err(self.unexpected("a value"));
        };
        let kind = match token {
            Token::Text(text) => Kind::Text(text),
            Token::Int(number) => Kind::Int(number),
            Token::Decimal(number) => Kind::Decimal(number),
            Token::Name(name) if matches!(&*name, "true" | "false") => Kind::Bool(&*name == "true"),
            Token::Name(name) if is_word(&name) => {
                return Err(self.unexpected("a value"));
            }
            Token::Name(text) => {
                self.next += 1;
                let name = Name {
                    text,
                    range: range.clone(),
                };
                let kind = if self.sign("(") {
                    no_macro(&name)?;
                    Kind::Call(name, self.parts(")")?)
                } else {
                    Kind::Name(name.text)
                };
                return Ok(Tree {
                    kind,
                    range: range.start..self.end_of_last(),
                });
            }
            Token::Sign("(") => {
                self.next += 1;
                let inner = self.conditional()?;
                self.expect(")")?;
                return Ok(Tree {
                    kind: inner.kind,
                    range: range.start..self.end_of_last(),
                });
            }
            Token::Sign("[") => {
                self.next += 1;
                let parts = self.parts("]")?;
                return Ok(Tree {
                    kind: Kind::List(parts),
                    range: range.start..self.end_of_last(),
                });
            }
            Token::Sign(_) => return Err(self.unexpected("a value")),
        };
        self.next += 1;
        Ok(Tree { kind, range })
    }
}

/// Whether a name is a word of the language of expressions.
pub(crate) fn is_word(name: &Arc<str>) -> bool {
    matches!(&**name, "true" | "false" | "in")
}

fn no_macro(name: &Name) -> Result<(), SyntaxError> {
    if !MACROS.contains(&&*name.text) {
        return Ok(());
    }
    Err(SyntaxError {
        range: name.range.clone(),
        message: format!("expressions have no `{}()`: they never loop", name.text),
        help: Some(if &*name.text == "matches" {
            "use startsWith(), endsWith() or contains()".to_owned()
        } else {
            "use `in` to look for a value in a list, or let a plugin do it".to_owned()
        }),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(tree: &Tree) -> String {
        match &tree.kind {
            Kind::Text(text) => format!("'{text}'"),
            Kind::Int(number) => number.to_string(),
            Kind::Decimal(number) => number.to_string(),
            Kind::Bool(bool) => bool.to_string(),
            Kind::Name(name) => name.to_string(),
            Kind::Field(of, field) => format!("{}.{}", shape(of), field.text),
            Kind::Index(of, index) => format!("{}[{}]", shape(of), shape(index)),
            Kind::Call(name, parts) => format!("{}({})", name.text, shapes(parts)),
            Kind::Method(of, name, parts) => format!("{}.{}({})", shape(of), name.text, shapes(parts)),
            Kind::Not(of) => format!("!{}", shape(of)),
            Kind::Negate(of) => format!("-{}", shape(of)),
            Kind::Binary(operator, a, b) => format!("({} {} {})", shape(a), operator.as_str(), shape(b)),
            Kind::Conditional(a, b, c) => format!("({} ? {} : {})", shape(a), shape(b), shape(c)),
            Kind::List(parts) => format!("[{}]", shapes(parts)),
        }
    }

    fn shapes(trees: &[Tree]) -> String {
        trees.iter().map(shape).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn operators_bind_as_in_cel() {
        for (text, expected) in [
            ("1 + 2 * 3", "(1 + (2 * 3))"),
            ("a - b - c", "((a - b) - c)"),
            ("a || b && !c", "(a || (b && !c))"),
            ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
            ("has(x) && x.y in ['a', \"b\"]", "(has(x) && (x.y in ['a', 'b']))"),
            ("-x[0].size() >= -2.5", "(-x[0].size() >= -2.5)"),
            ("(a + b).size()", "(a + b).size()"),
            ("'单\\'引号'", "'单'引号'"),
        ] {
            assert_eq!(shape(&parse(text, 0..text.len()).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn errors_stand_where_they_are() {
        for (text, at, message) in [
            ("a +", "", "a value should stand here, not the end"),
            ("a = 1", "=", "`=` has no meaning in an expression"),
            (
                "a and b",
                "and",
                "an operator or the end should stand here, not `and`",
            ),
            (
                "x.all(y, y)",
                "all",
                "expressions have no `all()`: they never loop",
            ),
            ("1 < 2 < 3", "< 2 <", "`<` and `<` cannot stand in a row"),
            ("'abc", "'abc", "this text has no closing quote"),
            ("（a）", "（", "`（` has no meaning in an expression"),
            ("30s", "30s", "`30s` is neither a number nor a name"),
        ] {
            let error = parse(text, 0..text.len()).unwrap_err();
            assert_eq!(
                (&text[error.range.clone()], error.message.as_str()),
                (at, message)
            );
        }
    }

    #[test]
    fn bombs_are_refused() {
        for text in [
            "(".repeat(3_000),
            "!".repeat(3_000),
            "a.".repeat(1_500) + "a",
            "a+".repeat(1_500) + "a",
            "a?".repeat(1_000),
            "[".repeat(3_000),
            "1".repeat(10_000),
        ] {
            assert!(parse(&text, 0..text.len()).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-c0-9 '\"\\\\(){}\\[\\].,?:!&|=<>+*/%_情-]{0,80}") {
            if let Err(error) = parse(&text, 0..text.len()) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
