//! Renaming: every place where a name stands, in all files, or a reason why not.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use super::{Editor, names::Name};
use crate::{
    diagnostics::Edit,
    language::{FileShape, Subject},
};

/// What may be renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamable {
    /// The bytes of the name under the cursor.
    pub span: Range<usize>,
    /// The name as it is.
    pub name: Arc<str>,
}

/// Why something cannot be renamed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// There is no name here.
    #[error("no name stands here; put the cursor on a step, prompt, flow or variable")]
    NoName,
    /// Something that is not renamed by an editor.
    #[error("a {} is not renamed here; steps, prompts, flows, variables and outputs are", what.as_str())]
    Fixed {
        /// What it is.
        what: Subject,
    },
    /// Nothing of this name is declared.
    #[error("`{name}` is not declared; mend that first")]
    Undeclared {
        /// The name.
        name: Arc<str>,
    },
    /// The new name is not one.
    #[error("`{name}` cannot be a name: begin with a small letter, then small letters, digits and `{sign}`")]
    BadName {
        /// The new name.
        name: Arc<str>,
        /// What joins words in such names.
        sign: char,
    },
    /// There is one of that name already.
    #[error("there is a {} `{name}` already", what.as_str())]
    Taken {
        /// What it is.
        what: Subject,
        /// The new name.
        name: Arc<str>,
    },
    /// A file that cannot be read may use the name.
    #[error("{file} cannot be read, and may use the name; mend it first")]
    Unread {
        /// The file.
        file: Arc<str>,
    },
    /// A prompt that uses a variable is said by several flows.
    #[error(
        "the prompt `{prompt}` uses `{variable}` and is said by the flow `{flow}` too; give each flow a prompt of its own"
    )]
    Shared {
        /// The prompt.
        prompt: Arc<str>,
        /// The variable.
        variable: Arc<str>,
        /// Another flow that says it.
        flow: Arc<str>,
    },
}

/// Names that mean something in expressions and cannot be variables.
const RESERVED: [&str; 14] = [
    "contact", "calendar", "queue", "feed", "now", "number", "result", "answer", "language", "true", "false",
    "in", "null", "has",
];

impl Editor {
    /// Whether the name at a place can be renamed.
    ///
    /// # Errors
    /// Why not.
    pub fn renamable(&self, path: &str, byte: usize) -> Result<Renamable, RenameError> {
        let occurrence = self.name_at(path, byte).ok_or(RenameError::NoName)?;
        self.may_rename(&occurrence.name)?;
        Ok(Renamable {
            span: occurrence.span.bytes(),
            name: occurrence.name.name.clone(),
        })
    }

    /// The edits that rename what stands at a place, in all files.
    ///
    /// # Errors
    /// Why it cannot be renamed so.
    pub fn rename(&self, path: &str, byte: usize, new: &str) -> Result<Vec<Edit>, RenameError> {
        let occurrence = self.name_at(path, byte).ok_or(RenameError::NoName)?;
        let name = &occurrence.name;
        self.may_rename(name)?;
        let sign = match name.subject {
            Subject::Variable | Subject::Output => '_',
            _ => '-',
        };
        let reserved = sign == '_' && RESERVED.contains(&new);
        let fits = new.starts_with(char::is_alphabetic)
            && new
                .chars()
                .all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == sign);
        if !fits || reserved {
            return Err(RenameError::BadName {
                name: new.into(),
                sign,
            });
        }
        if new == &*name.name {
            return Ok(Vec::new());
        }
        let taken = Name {
            name: new.into(),
            ..name.clone()
        };
        if self.names.declares(&taken) {
            return Err(RenameError::Taken {
                what: name.subject,
                name: new.into(),
            });
        }
        if name.subject == Subject::Variable {
            self.not_shared(name)?;
        }
        let places: BTreeSet<_> = self.names.of(name).map(|occurrence| occurrence.span).collect();
        Ok(places
            .into_iter()
            .map(|span| self.parsed.edit(span, new))
            .collect())
    }

    fn may_rename(&self, name: &Name) -> Result<(), RenameError> {
        match name.subject {
            Subject::Step | Subject::Prompt | Subject::Flow | Subject::Variable | Subject::Output => {}
            what => return Err(RenameError::Fixed { what }),
        }
        if !self.names.declares(name) {
            return Err(RenameError::Undeclared {
                name: name.name.clone(),
            });
        }
        let documents = self.parsed.files.0.iter().zip(&self.documents);
        for (file, document) in documents {
            if let Some((shape, document)) = document
                && !document.whole
                && (*shape != FileShape::Scenario || name.subject == Subject::Prompt)
            {
                return Err(RenameError::Unread {
                    file: file.path.clone(),
                });
            }
        }
        Ok(())
    }

    /// Makes sure that no prompt that uses a variable is said by another flow as well.
    fn not_shared(&self, variable: &Name) -> Result<(), RenameError> {
        for occurrence in self.names.of(variable) {
            let file = self.parsed.files.of(occurrence.span);
            if FileShape::of(&file.path) != Some(FileShape::Prompts) {
                continue;
            }
            let key = self.names.prompt_at(occurrence.span);
            let others = key
                .and_then(|key| Some((key, self.names.said_by.get(key)?)))
                .and_then(|(key, flows)| Some((key, flows.iter().find(|flow| **flow != variable.within)?)));
            if let Some((prompt, flow)) = others {
                return Err(RenameError::Shared {
                    prompt: prompt.clone(),
                    variable: variable.name.clone(),
                    flow: flow.clone(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{at_cursor, text_of},
        *,
    };
    use crate::{
        Sources,
        diagnostics::{Fix, apply},
    };

    /// The files after a renaming, one after the other.
    fn renamed(text: &str, new: &str) -> Result<Sources, RenameError> {
        let (editor, path, byte) = at_cursor(text);
        let edits = editor.rename(&path, byte, new)?;
        let files = editor.parsed.files.0.iter();
        let sources = Sources::new(files.map(|file| (file.path.clone(), text_of(&editor, &file.path))));
        let fix = Fix {
            title: String::new(),
            edits,
            safe: true,
        };
        Ok(apply(&sources, &[&fix]).0)
    }

    const HOTLINE: &str = "--- flows/main.yaml
flow: main
vars: { words: string?, citizen: crm.citizen?, 次: int }
anywhere: { keys: { \"9\": human } }
otherwise: human
start: welcome
steps:
  welcome: { say: hello, next: other }
  other: { run: other, with: { words: \"${words}\" }, save: { words: \"${result.said}\" }, next: \"human\" }
  menu: { menu: hello, keys: { 1: human, 2: { say: hello, next: human } }, words: { human: human } }
  human: { say: { zh-CN: \"您好{words}\", en: \"{words} {citizen.name}\" }, next: done }
  done: { end: completed }
--- flows/other.yaml
flow: other
inputs: { words: string? }
outputs: { said: string? }
start: human
steps:
  human: { say: bye, next: done }
  done: { end: completed, outputs: { said: \"${words}\" } }
--- prompts/en.yaml
hello: Hello
bye: \"Bye {words}\"
--- prompts/zh-CN.yaml
hello: 您好
bye: \"{words}再见\"
--- tests/one.yaml
scenario: one
call: { number: \"12345\" }
script: [{ hears: hello }]
";

    fn at(before: &str) -> String {
        assert!(HOTLINE.contains(before), "{before}");
        HOTLINE.replacen(before, &format!("{before}⟦⟧"), 1)
    }

    #[test]
    fn a_step_in_its_flow() {
        let sources = renamed(
            &at("start: welcome\nsteps:\n  welcome: { say: hello, next: other }\n  o"),
            "sub",
        )
        .unwrap();
        assert!(sources.files["flows/main.yaml"].contains("next: sub }\n  sub: { run: other,"));
        let sources = renamed(&at("otherwise: hum"), "人工").unwrap();
        let main = &sources.files["flows/main.yaml"];
        for line in [
            "keys: { \"9\": 人工 }",
            "otherwise: 人工",
            "next: \"人工\"",
            "1: 人工, 2: { say: hello, next: 人工 }",
            "words: { human: 人工 }",
            "  人工: { say:",
        ] {
            assert!(main.contains(line), "{line}: {main}");
        }
        assert!(sources.files["flows/other.yaml"].contains("start: human"));
    }

    #[test]
    fn a_prompt_in_all_files() {
        let sources = renamed(&at("say: hel"), "greeting").unwrap();
        assert!(sources.files["prompts/zh-CN.yaml"].contains("greeting: 您好"));
        assert!(
            sources.files["flows/main.yaml"].contains("menu: greeting, keys: { 1: human, 2: { say: greeting")
        );
        assert!(sources.files["tests/one.yaml"].contains("hears: greeting"));
        assert!(sources.files.values().all(|text| !text.contains("hello")));
    }

    #[test]
    fn a_flow_and_who_runs_it() {
        let sources = renamed(&at("run: oth"), "elsewhere").unwrap();
        assert!(sources.files["flows/other.yaml"].starts_with("flow: elsewhere"));
        assert!(sources.files["flows/main.yaml"].contains("other: { run: elsewhere,"));
    }

    #[test]
    fn variables_inputs_and_outputs() {
        let sources = renamed(&at("vars: { wor"), "said").unwrap();
        let main = &sources.files["flows/main.yaml"];
        assert!(
            main.contains("with: { words: \"${said}\" }, save: { said: \"${result.said}\" }"),
            "{main}"
        );
        assert!(
            main.contains("\"您好{said}\", en: \"{said} {citizen.name}\""),
            "{main}"
        );
        assert!(sources.files["prompts/en.yaml"].contains("{words}"));
        let sources = renamed(&at("inputs: { wor"), "matter").unwrap();
        assert!(sources.files["flows/main.yaml"].contains("with: { matter: \"${words}\" }"));
        assert!(sources.files["prompts/zh-CN.yaml"].contains("{matter}再见"));
        assert!(sources.files["flows/other.yaml"].contains("outputs: { said: \"${matter}\" }"));
        let sources = renamed(&at("outputs: { sa"), "told").unwrap();
        assert!(sources.files["flows/main.yaml"].contains("\"${result.told}\""));
        assert!(sources.files["flows/other.yaml"].contains("outputs: { told: \"${words}\" }"));
    }

    #[test]
    fn what_is_renamed_still_checks() {
        use crate::{check, check::harness::interfaces, parse};
        let before = check(&parse(&check::harness::files(HOTLINE)), &interfaces());
        for (place, new) in [
            ("otherwise: hum", "desk"),
            ("vars: { wor", "spoken"),
            ("say: hel", "greeting"),
            ("inputs: { wor", "matter"),
        ] {
            let sources = renamed(&at(place), new).unwrap();
            let after = check(&parse(&sources), &interfaces());
            let codes = |report: &crate::Report| -> Vec<_> {
                let findings = report.diagnostics.iter();
                findings.map(|finding| (finding.code, finding.line)).collect()
            };
            assert_eq!(codes(&before), codes(&after), "{place}");
        }
    }

    #[test]
    fn why_not() {
        let error = |text: &str, new: &str| renamed(text, new).unwrap_err();
        assert!(matches!(
            error(&at("start: wel"), "Human One"),
            RenameError::BadName { sign: '-', .. }
        ));
        assert!(matches!(
            error(&at("vars: { wor"), "contact"),
            RenameError::BadName { sign: '_', .. }
        ));
        assert!(matches!(
            error(&at("start: wel"), "human"),
            RenameError::Taken { .. }
        ));
        assert!(matches!(
            error(&at("citizen: cr"), "x"),
            RenameError::Fixed {
                what: Subject::Plugin
            }
        ));
        assert!(matches!(error(&at("flow: main\nva"), "x"), RenameError::NoName));
        let broken = at("start: wel").replace("say: bye", "say: [bye");
        assert!(matches!(error(&broken, "x"), RenameError::Unread { .. }));
        let shared = at("inputs: { wor").replace("welcome: { say: hello", "welcome: { say: bye");
        assert!(matches!(error(&shared, "x"), RenameError::Shared { .. }));
        let unknown = at("otherwise: hum").replace("  human: { say: {", "  humans: { say: {");
        assert!(matches!(error(&unknown, "x"), RenameError::Undeclared { .. }));
    }

    #[test]
    fn where_a_name_stands() {
        let (editor, path, byte) = at_cursor(&at("otherwise: hum"));
        let found = editor.definition(&path, byte);
        assert_eq!(found.len(), 1);
        let text = text_of(&editor, &found[0].file);
        assert!(text[found[0].span.start..].starts_with("human: { say: {"));
        assert_eq!(editor.references(&path, byte, false).len(), 6);
        assert_eq!(editor.references(&path, byte, true).len(), 7);
        let (editor, path, byte) = at_cursor(&at("say: hel"));
        let files: Vec<_> = editor
            .definition(&path, byte)
            .into_iter()
            .map(|place| place.file)
            .collect();
        assert_eq!(files, ["prompts/en.yaml".into(), "prompts/zh-CN.yaml".into()]);
        let steps: Vec<_> = editor
            .outline(&path)
            .into_iter()
            .map(|step| step.detail)
            .collect();
        assert_eq!(steps[..2], ["say hello", "run other"]);
    }
}
