//! Findings in Chinese.
//!
//! Checks say what they find in English. Here a finding that is made is said again: its sentences
//! are looked up in [a catalogue](self::catalogue), `chinese.txt`, whose keys are the English
//! sentences as they stand in the source. What the catalogue does not have stays English.

mod catalogue;
#[cfg(test)]
mod source;
mod typography;

use std::sync::LazyLock;

use self::catalogue::Catalogue;
use super::Diagnostic;

/// The sentences, and the words they keep to.
const FILE: &str = include_str!("chinese.txt");

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(FILE));

/// A finding in Chinese. Its places, its fixes and its script are the same.
pub(super) fn diagnostic(finding: &Diagnostic) -> Diagnostic {
    let mut said = finding.clone();
    let sentences = [&mut said.message]
        .into_iter()
        .chain(said.labels.iter_mut().map(|label| &mut label.message))
        .chain(&mut said.help)
        .chain(&mut said.clause)
        .chain(said.fixes.iter_mut().map(|fix| &mut fix.title));
    for sentence in sentences {
        *sentence = CATALOGUE.told(sentence);
    }
    said
}

/// A sentence in Chinese, where the catalogue has it.
pub(crate) fn sentence(english: &str) -> String {
    CATALOGUE.told(english)
}

/// Checks that all that a finding says has its Chinese.
#[cfg(test)]
pub(super) fn assert_said(finding: &Diagnostic) {
    let sentences = [&finding.message]
        .into_iter()
        .chain(finding.labels.iter().map(|label| &label.message))
        .chain(&finding.help)
        .chain(&finding.clause)
        .chain(finding.fixes.iter().map(|fix| &fix.title));
    for sentence in sentences {
        let chinese = CATALOGUE.translated(sentence);
        let chinese = chinese.unwrap_or_else(|| panic!("chinese.txt has no `zh:` for `en: {sentence}`"));
        let word = english(&chinese);
        assert_eq!(word, None, "{sentence:?} is said as {chinese:?}");
    }
}

/// An English word that stands in a Chinese sentence outside of code. Names of files, tags of
/// languages and what has a figure, a capital letter or a dot in it are none.
#[cfg(test)]
fn english(chinese: &str) -> Option<&str> {
    /// Names of types in tests.
    const KEPT: [&str; 3] = ["mood", "citizen", "change"];
    let outside = chinese.split('`').step_by(2);
    outside
        .flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && !"-_./*$".contains(c)))
        .find(|word| {
            word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase()) && !KEPT.contains(word)
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        Tongue,
        check::{check, harness},
        diagnostics::{Color, render_in},
        parse,
    };

    fn shown(text: &str) -> String {
        let sources = harness::files(text);
        let report = check(&parse(&sources), &harness::interfaces());
        render_in(&report.diagnostics, &sources, Color::Never, Tongue::Chinese)
    }

    #[test]
    fn every_sentence_has_its_chinese() {
        let entries = catalogue::entries(FILE);
        let lines = FILE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(
            lines.count(),
            2 * entries.len(),
            "a line is no `en:`, `joined:` or `zh:`"
        );
        let mut seen = BTreeSet::new();
        for entry in &entries {
            let (english, chinese) = (entry.english, entry.chinese);
            assert!(seen.insert(english), "{english:?} stands there twice");
            let odd = |sentence: &str| sentence.matches('`').count() % 2 == 1;
            assert!(!odd(chinese) || odd(english), "{chinese}");
            for place in 0..english.matches("{}").count() {
                assert!(
                    chinese.contains(&format!("{{{place}}}")),
                    "{{{place}}} is not in {chinese:?}"
                );
            }
        }
    }

    #[test]
    fn the_catalogue_says_what_the_source_says() {
        let literals = source::literals();
        let written: BTreeSet<String> = literals
            .iter()
            .flat_map(|literal| source::keys(&literal.text))
            .collect();
        let entries = catalogue::entries(FILE);
        let dead: Vec<&str> = entries
            .iter()
            .filter(|entry| !entry.joined && !written.contains(entry.english))
            .map(|entry| entry.english)
            .collect();
        assert!(
            dead.is_empty(),
            "not in the source any more:\n{}",
            dead.join("\n")
        );
        let known: BTreeSet<&str> = entries.iter().map(|entry| entry.english).collect();
        let is_said = |key: &String| {
            known.contains(&**key) || !key.contains("{}") && CATALOGUE.translated(key).is_some()
        };
        let missing: Vec<String> = literals
            .iter()
            .filter(|literal| literal.sentence && !source::keys(&literal.text).iter().any(is_said))
            .map(|literal| format!("{}\nen: {}", literal.place, source::keys(&literal.text)[0]))
            .collect();
        assert!(missing.is_empty(), "not in chinese.txt:\n{}", missing.join("\n"));
    }

    #[test]
    fn a_whole_finding_is_chinese() {
        let shown = shown(
            "--- flows/main.yaml
flow: main
start: begin
steps:
  begin: { call: crm.find-citizn, with: { phone: \"1\" }, on: { else: done }, next: done }
  begin: { say: hello, next: done }
  done: { end: completed }
",
        );
        let expected = "\
错误[TL0104]: 插件 `crm` 没有函数 `find-citizn`
 --> flows/main.yaml:4:22
  |
4 |   begin: { call: crm.find-citizn, with: { phone: \"1\" }, on: { else: done }, next: done }
  |                      ^^^^^^^^^^^
  |
  = 建议: 是否想写 `find-citizen`？

错误[TL0003]: `begin` 在这里重复出现
 --> flows/main.yaml:5:3
  |
4 |   begin: { call: crm.find-citizn, with: { phone: \"1\" }, on: { else: done }, next: done }
  |   ----- 第一次出现
5 |   begin: { say: hello, next: done }
  |   ^^^^^
  |
  = 建议: 只保留其中一个，或给其中一个换个名称

警告[TL0403]: 提示音 `hello` 没有被用到
 --> prompts/zh-CN.yaml:1:8
  |
1 | hello: 您好
  |        ^^^^
  |
  = 建议: 删除它，或在某个步骤中播放
";
        assert_eq!(shown.trim_end(), expected.trim_end(), "{shown}");
    }

    #[test]
    fn a_broken_rule_is_told_in_chinese() {
        let shown = shown(
            "--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { \"12345\": { flow: main } }
plugins: { crm: { component: plugins/crm.wasm, department: civil } }
queues: { general: {} }
checks: [{ pack: cn-12345, inputs: 1 }]
--- flows/main.yaml
flow: main
anywhere: { words: { 救命: human, 报警: human, 着火了: human, emergency: human } }
start: begin
steps:
  begin: { say: hello, notice: synthetic-voice, next: topics }
  topics: { menu: hello, keys: { 1: more }, on: { else: human } }
  more: { menu: hello, keys: { 1: human }, on: { else: done } }
  human: { queue: general, on: { else: done }, next: done }
  done: { end: completed }
",
        );
        let expected = "\
错误[TL1011]: `more` 的 `no-input` 之后，联络没有任何提示就结束
 --> flows/main.yaml:7:50
  |
7 |   more: { menu: hello, keys: { 1: human }, on: { else: done } }
  |                                                  ^^^^
  |
  = 说明: 规则 R11（规则包 `cn-12345` 2026.1）：国务院办公厅 2025 年第 66 号文（不漏接来电，未接来电要回呼）
  = 说明: 复现方法：2026-11-20 10:00 有人拨打 12345；按 1；等待 24s；联络在 `done` 以 `completed` 结束
  = 建议: 结束前播放提示音，例如道别，或说明接下来怎么办";
        assert_eq!(shown.split("\n\n").next(), Some(expected), "{shown}");
    }

    #[test]
    fn what_is_chinese_stays_as_it_is() {
        let sources = harness::files(
            "--- flows/main.yaml\nflow: main\nstart: begni\nsteps:\n  begin: { sya: hello }\n",
        );
        for finding in check(&parse(&sources), &harness::interfaces()).diagnostics {
            let chinese = finding.in_tongue(Tongue::Chinese);
            assert_ne!(chinese, finding);
            assert_eq!(chinese.in_tongue(Tongue::Chinese), chinese);
            assert_eq!(finding.in_tongue(Tongue::English), finding);
        }
    }
}
