//! Reads a rule book. What is wrong is said with its line and with what to write instead; a book
//! that reads cannot fail later.

use std::collections::BTreeSet;

use crate::{
    table::{Comparison, Condition, Field, Kind, Rule, Table, Value},
    words::{Word, words},
};

/// What is wrong with a rule book, and where.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(crate) struct Error {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// Tables of the largest rule book.
const TABLES_MAX: usize = 64;

/// Rules of the largest table.
const RULES_MAX: usize = 5_000;

/// Reads all tables of a rule book.
pub(crate) fn book(text: &str) -> Result<Vec<Table>, Error> {
    let mut tables: Vec<Table> = Vec::new();
    let mut begun = 0;
    for (index, written) in text.lines().enumerate() {
        let line = index + 1;
        let error = |what: String| Error { line, what };
        if let Some(comment) = written.trim_start().strip_prefix('#') {
            // A comment under a table's name is about it; one at the margin is the author's own.
            let indented = written.starts_with([' ', '\t']);
            if let Some(table) = tables
                .last_mut()
                .filter(|table| indented && table.given.is_empty())
            {
                table.about.push(comment.trim().to_owned());
            }
            continue;
        }
        let words = words(written).map_err(error)?;
        let Some((first, rest)) = words.split_first() else {
            continue;
        };
        if first.is("table") {
            finished(&tables, begun)?;
            begun = line;
            let table = begin(rest).map_err(error)?;
            if tables.iter().any(|other| other.name == table.name) {
                return Err(error(format!("there is a table `{}` already", table.name)));
            }
            if tables.len() == TABLES_MAX {
                return Err(error(format!("a rule book has at most {TABLES_MAX} tables")));
            }
            tables.push(table);
            continue;
        }
        let Some(table) = tables.last_mut() else {
            return Err(error("a rule book begins with a table: `table NAME`".to_owned()));
        };
        add(table, first, rest).map_err(error)?;
    }
    finished(&tables, begun)?;
    if tables.is_empty() {
        return Err(Error {
            line: 1,
            what: "there is no table: `table NAME`".to_owned(),
        });
    }
    Ok(tables)
}

/// Whether the last table, which begins in a line, is whole.
fn finished(tables: &[Table], line: usize) -> Result<(), Error> {
    let Some(table) = tables.last() else { return Ok(()) };
    let lacks = if table.gives.is_empty() {
        "gives nothing: add a line like `gives office: text`"
    } else if table.rules.is_empty() && table.otherwise.is_none() {
        "has no rule: add a line like `if matter = water then office = \"water works\"`"
    } else {
        return Ok(());
    };
    Err(Error {
        line,
        what: format!("the table `{}` {lacks}", table.name),
    })
}

fn begin(rest: &[Word]) -> Result<Table, String> {
    let [Word::Plain(name)] = rest else {
        return Err("a table has one name: `table which-office`".to_owned());
    };
    Ok(Table {
        name: checked_name(name)?,
        about: Vec::new(),
        given: Vec::new(),
        gives: Vec::new(),
        rules: Vec::new(),
        otherwise: None,
    })
}

/// Adds what one line says to its table.
fn add(table: &mut Table, first: &Word, rest: &[Word]) -> Result<(), String> {
    let has_rules = !table.rules.is_empty() || table.otherwise.is_some();
    let is_field = first.is("given") || first.is("gives");
    if is_field && has_rules {
        return Err("what is given and what it gives stand above the rules".to_owned());
    }
    if is_field {
        let field = field(rest)?;
        let known = table.given.iter().chain(&table.gives);
        if known.into_iter().any(|other| other.name == field.name) {
            return Err(format!("there is a `{}` already", field.name));
        }
        if first.is("given") {
            table.given.push(field);
        } else if field.optional {
            return Err("what a table gives is always there: leave out `or nothing`".to_owned());
        } else {
            table.gives.push(field);
        }
        return Ok(());
    }
    if table.otherwise.is_some() {
        return Err("nothing comes after `else`".to_owned());
    }
    if first.is("if") {
        if table.rules.len() == RULES_MAX {
            return Err(format!("a table has at most {RULES_MAX} rules"));
        }
        let then = rest
            .iter()
            .position(|word| word.is("then"))
            .ok_or_else(|| "a rule is `if … then NAME = VALUE`".to_owned())?;
        let mut reading = Reading {
            table,
            words: &rest[..then],
        };
        let when = reading.any()?;
        reading.end()?;
        let then = given_values(table, &rest[then + 1..])?;
        table.rules.push(Rule { when, then });
        return Ok(());
    }
    if first.is("else") {
        table.otherwise = Some(given_values(table, rest)?);
        return Ok(());
    }
    Err(format!(
        "`{}` begins no line: a line is `table`, `given`, `gives`, `if` or `else`",
        first.told()
    ))
}

/// `NAME: text`, `NAME: one of a, b`, and `, or nothing` after it.
fn field(rest: &[Word]) -> Result<Field, String> {
    let [Word::Plain(name), Word::Sign(":"), kind @ ..] = rest else {
        return Err("write a name, a colon and what it may be: `district: text`".to_owned());
    };
    let (kind, optional) = match kind {
        [before @ .., Word::Sign(","), or, nothing] if or.is("or") && nothing.is("nothing") => (before, true),
        all => (all, false),
    };
    let kind = match kind {
        [word] if word.is("text") => Kind::Text,
        [word] if word.is("number") => Kind::Number,
        [word] if word.is("yes-or-no") => Kind::YesOrNo,
        [one, of, choices @ ..] if one.is("one") && of.is("of") => Kind::OneOf(choices_of(choices)?),
        _ => return Err("it may be `text`, `number`, `yes-or-no` or `one of a, b, c`".to_owned()),
    };
    Ok(Field {
        name: checked_name(name)?,
        kind,
        optional,
    })
}

fn choices_of(words: &[Word]) -> Result<Vec<String>, String> {
    let mut choices = Vec::new();
    for part in words.split(|word| *word == Word::Sign(",")) {
        let [Word::Plain(choice)] = part else {
            return Err("the words of `one of` are names with commas between them".to_owned());
        };
        choices.push(checked_name(choice)?);
    }
    let different: BTreeSet<&String> = choices.iter().collect();
    if different.len() < choices.len() {
        return Err("a word of `one of` stands there twice".to_owned());
    }
    Ok(choices)
}

/// A name as flows and WIT can write it.
fn checked_name(name: &str) -> Result<String, String> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    // Names of the description's own.
    if name == "answer" || name == "refusal" {
        Err(format!("`{name}` is taken: choose another name"))
    } else if name.split('-').all(word) {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "`{name}` is no name: small letters, digits and hyphens, each part beginning with a letter"
        ))
    }
}

/// `NAME = VALUE, NAME = VALUE`: a value for each field that the table gives, in its order.
fn given_values(table: &Table, words: &[Word]) -> Result<Vec<Value>, String> {
    let mut values: Vec<Option<Value>> = table.gives.iter().map(|_| None).collect();
    for part in words.split(|word| *word == Word::Sign(",")) {
        let [Word::Plain(name), Word::Sign("="), word] = part else {
            return Err("after it come NAME = VALUE with commas between them".to_owned());
        };
        let place = table
            .gives
            .iter()
            .position(|field| field.name == *name)
            .ok_or_else(|| format!("the table gives no `{name}`"))?;
        if values[place].is_some() {
            return Err(format!("`{name}` is given twice"));
        }
        values[place] = Some(value(&table.gives[place], word)?);
    }
    let missing = values.iter().position(Option::is_none);
    match missing {
        Some(place) => Err(format!("`{}` is not given", table.gives[place].name)),
        None => Ok(values.into_iter().flatten().collect()),
    }
}

/// A word as a value of a field.
fn value(field: &Field, word: &Word) -> Result<Value, String> {
    let wrong = || format!("`{}` is {}, not `{}`", field.name, field.kind.told(), word.told());
    match (&field.kind, word) {
        (Kind::Text, Word::Plain(text) | Word::Quoted(text)) => Ok(Value::Text(text.clone())),
        (Kind::OneOf(words), Word::Plain(text)) if words.contains(text) => Ok(Value::Text(text.clone())),
        (Kind::Number, Word::Plain(text)) => text.parse().map(Value::Number).map_err(|_| wrong()),
        (Kind::YesOrNo, Word::Plain(text)) if text == "yes" || text == "no" => {
            Ok(Value::YesOrNo(text == "yes"))
        }
        _ => Err(wrong()),
    }
}

/// The words of a condition that are not read yet.
struct Reading<'r> {
    table: &'r Table,
    words: &'r [Word],
}

impl Reading<'_> {
    /// `A or B`.
    fn any(&mut self) -> Result<Condition, String> {
        self.joined("or", Self::all, Condition::Any)
    }

    /// `A and B`, which binds closer than `or`.
    fn all(&mut self) -> Result<Condition, String> {
        self.joined("and", Self::one, Condition::All)
    }

    fn joined(
        &mut self,
        by: &str,
        part: fn(&mut Self) -> Result<Condition, String>,
        whole: fn(Vec<Condition>) -> Condition,
    ) -> Result<Condition, String> {
        let mut parts = vec![part(self)?];
        while self.words.first().is_some_and(|word| word.is(by)) {
            self.words = &self.words[1..];
            parts.push(part(self)?);
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => whole(parts.into_iter().chain(last).collect()),
        })
    }

    /// `not A`, `NAME`, `NAME = VALUE` or `NAME in (VALUE, VALUE)`.
    fn one(&mut self) -> Result<Condition, String> {
        let word = self.next()?;
        if word.is("not") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        let Word::Plain(name) = &word else {
            return Err(format!(
                "a condition begins with a name, not with `{}`",
                word.told()
            ));
        };
        let place = self
            .table
            .given
            .iter()
            .position(|field| field.name == *name)
            .ok_or_else(|| format!("the table is given no `{name}`"))?;
        let field = &self.table.given[place];
        let comparison = match self.words.first() {
            Some(Word::Sign("=")) => Comparison::Same,
            Some(Word::Sign("<")) => Comparison::Less,
            Some(Word::Sign("<=")) => Comparison::LessOrSame,
            Some(Word::Sign(">")) => Comparison::More,
            Some(Word::Sign(">=")) => Comparison::MoreOrSame,
            Some(word) if word.is("in") => {
                self.next()?;
                return self.among(place, field);
            }
            _ if field.kind == Kind::YesOrNo => return Ok(Condition::Is(place)),
            _ => {
                return Err(format!(
                    "`{name}` is compared with nothing: write `{name} = VALUE`"
                ));
            }
        };
        if comparison != Comparison::Same && field.kind != Kind::Number {
            return Err(format!(
                "`{name}` is no number, so it is not less or more than another"
            ));
        }
        self.next()?;
        let value = value(field, &self.next()?)?;
        Ok(Condition::Compare(place, comparison, value))
    }

    fn among(&mut self, place: usize, field: &Field) -> Result<Condition, String> {
        let brackets = || "after `in` come values in brackets: `in (water, gas)`".to_owned();
        let [Word::Sign("("), rest @ ..] = self.words else {
            return Err(brackets());
        };
        let end = rest
            .iter()
            .position(|word| *word == Word::Sign(")"))
            .ok_or_else(brackets)?;
        self.words = &rest[end + 1..];
        let values = rest[..end]
            .split(|word| *word == Word::Sign(","))
            .map(|part| match part {
                [word] => value(field, word),
                _ => Err(brackets()),
            })
            .collect::<Result<_, _>>()?;
        Ok(Condition::In(place, values))
    }

    fn next(&mut self) -> Result<Word, String> {
        let (first, rest) = self
            .words
            .split_first()
            .ok_or_else(|| "the condition breaks off".to_owned())?;
        self.words = rest;
        Ok(first.clone())
    }

    fn end(&self) -> Result<(), String> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => Err(format!(
                "`{}` is too much: join conditions by `and` or `or`",
                word.told()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_are_shipped_are_read() {
        let tables = book(crate::RULES).unwrap();
        let names: Vec<&str> = tables.iter().map(|table| &*table.name).collect();
        assert_eq!(names, ["which-office", "follow-up"]);
        assert_eq!(tables[0].rules.len(), 7);
        assert_eq!(tables[0].about.len(), 1);
        assert!(tables[1].given[1].optional && tables[1].otherwise.is_some());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        const HEAD: &str =
            "table t\n  given a: one of x, y\n  given n: number\n  given b: yes-or-no\n  gives g: text\n";
        for (rule, said) in [
            ("if a = z then g = w", "line 6: `a` is one of x, y, not `z`"),
            ("if c = x then g = w", "line 6: the table is given no `c`"),
            ("if a < x then g = w", "line 6: `a` is no number"),
            ("if n < many then g = w", "line 6: `n` is a number, not `many`"),
            ("if n then g = w", "line 6: `n` is compared with nothing"),
            ("if a = x b then g = w", "line 6: `b` is too much"),
            ("if a = x and then g = w", "line 6: the condition breaks off"),
            (
                "if a in x then g = w",
                "line 6: after `in` come values in brackets",
            ),
            ("if a = x then h = w", "line 6: the table gives no `h`"),
            ("if a = x then g = w, g = v", "line 6: `g` is given twice"),
            ("if a = x", "line 6: a rule is"),
            ("when a = x then g = w", "line 6: `when` begins no line"),
            (
                "else g = w\nif b then g = w",
                "line 7: nothing comes after `else`",
            ),
            ("if b then g = \"w", "line 6: a text in quotes does not end"),
            ("if b then g = w\ngiven z: text", "line 7: what is given"),
            ("", "line 1: the table `t` has no rule"),
            ("table t", "line 1: the table `t` has no rule"),
        ] {
            let error = book(&format!("{HEAD}{rule}\n")).unwrap_err().to_string();
            assert!(error.starts_with(said), "{rule}: {error}");
        }
        for (text, said) in [
            ("", "line 1: there is no table"),
            ("if a then b = c", "line 1: a rule book begins with a table"),
            ("table Big", "line 1: `Big` is no name"),
            ("table t\ngives g", "line 2: write a name, a colon"),
            ("table t\ngives g: words", "line 2: it may be"),
            (
                "table t\ngives g: text, or nothing",
                "line 2: what a table gives is always there",
            ),
            (
                "table t\ngives g: one of a, a",
                "line 2: a word of `one of` stands there twice",
            ),
            (
                "table t\ngiven g: text\ngives g: text",
                "line 3: there is a `g` already",
            ),
        ] {
            let error = book(text).unwrap_err().to_string();
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }
}
