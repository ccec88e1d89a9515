//! `trunkline explain`: the page of a finding's code, a rule or a rule pack.

use std::fmt::Write as _;

use anyhow::anyhow;
use clap::Args;
use trunkline_flow::{
    Code,
    prove::{PACKS, Pack, Rule, pack},
};

use crate::{
    exit::{Exit, Failure, Outcome},
    tongue::{told, tongue},
};

/// Explain a finding by its code, a rule or a rule pack; or list them all
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline explain TL0301              a finding\n  \
    trunkline explain cn-12345            a rule pack: its rules, their sources and bounds\n  \
    trunkline explain R1                  a rule, and the packs that have it\n  \
    trunkline explain --lang zh-CN R1     in Chinese\n  \
    trunkline explain                     all codes and packs")]
pub(crate) struct Explain {
    /// A code as `check` prints it (TL0301), a rule (R1), or a rule pack (cn-12345)
    what: Option<String>,
}

impl Explain {
    /// Runs the command.
    pub(crate) fn run(&self) -> Outcome {
        let Some(written) = &self.what else {
            anstream::print!("{}", everything());
            return Ok(Exit::Done);
        };
        let rule = Rule::ALL
            .into_iter()
            .find(|rule| rule.as_str().eq_ignore_ascii_case(written));
        let text = if let Some(pack) = pack(written) {
            of_pack(pack)
        } else if let Some(rule) = rule {
            of_rule(rule)
        } else if let Some(code) = Code::parse(written) {
            code.page_in(tongue()).into_owned()
        } else {
            return Err(Failure::usage(anyhow!(told(
                format!(
                    "没有 {written:?}；代码写作 TL0301，规则写作 R1，规则包写作 cn-12345。`trunkline explain` 列出全部"
                ),
                format!(
                    "there is no {written:?}; codes are written like TL0301, rules like R1, rule packs like cn-12345, \
                     and `trunkline explain` lists all"
                ),
            ))));
        };
        anstream::println!("{}", text.trim_end());
        Ok(Exit::Done)
    }
}

/// All codes and all packs, a line each.
fn everything() -> String {
    let mut text = String::new();
    for code in Code::ALL {
        let severity = code.severity().name_in(tongue());
        let _ = writeln!(text, "{code}  {severity:<7}  {}", code.title_in(tongue()));
    }
    let _ = writeln!(
        text,
        "\n{}",
        told(
            "规则包（写在 hotline.yaml 的 `checks` 里）",
            "rule packs, for `checks` in hotline.yaml"
        )
    );
    for pack in PACKS.iter() {
        let rules: Vec<&str> = pack.rules.keys().map(|rule| rule.as_str()).collect();
        let _ = writeln!(
            text,
            "{:<13}  {:<7}  {}  {}",
            pack.name,
            pack.version,
            pack.title,
            rules.join(" ")
        );
    }
    text
}

/// A pack: each rule with where it comes from and what can be set.
fn of_pack(pack: &Pack) -> String {
    let mut text = format!("# {} {}: {}\n", pack.name, pack.version, pack.title);
    for (rule, clause) in &pack.rules {
        let _ = write!(
            text,
            "\n{rule} ({}): {}\n    {}\n",
            rule.code(),
            rule.code().title_in(tongue()),
            clause.source_in(tongue())
        );
        for (name, value) in &clause.settings {
            let _ = writeln!(text, "    {name}: {value}");
        }
        for (name, lists) in &clause.words {
            let lists = lists.iter().map(|(language, words)| {
                let words: Vec<&str> = words.iter().map(|word| &**word).collect();
                format!("{language}: {}", words.join(", "))
            });
            let _ = writeln!(text, "    {name}: {}", lists.collect::<Vec<_>>().join("; "));
        }
    }
    let name = &pack.name;
    text.push_str(&told(
        format!(
            "\n在 hotline.yaml 里写 `checks: [{name}]`；要改数值，写 `checks: [{{ pack: {name}, … }}]`。\
             `trunkline explain R1` 说明一条规则。\n"
        ),
        format!(
            "\nWrite `checks: [{name}]` in hotline.yaml, or `checks: [{{ pack: {name}, … }}]` to set the figures to your own. \
             `trunkline explain R1` says what a rule is.\n"
        ),
    ));
    text
}

/// A rule: the page of its findings, and the packs that have it.
fn of_rule(rule: Rule) -> String {
    let packs: Vec<String> = PACKS
        .iter()
        .filter_map(|pack| {
            let clause = pack.rules.get(&rule)?;
            Some(format!(
                "- {} {}: {}",
                pack.name,
                pack.version,
                clause.source_in(tongue())
            ))
        })
        .collect();
    format!(
        "{}\n\n{}\n\n{}",
        rule.code().page_in(tongue()).trim_end(),
        told(
            format!("## 含有 {rule} 的规则包"),
            format!("## Packs with {rule}")
        ),
        packs.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pack_and_rule_is_explained() {
        for pack in PACKS.iter() {
            let text = of_pack(pack);
            for (rule, clause) in &pack.rules {
                assert!(text.contains(&format!("\n{rule} ({})", rule.code())), "{text}");
                assert!(text.contains(&*clause.source), "{text}");
            }
            assert!(everything().contains(&*pack.name));
        }
        for rule in Rule::ALL {
            assert!(
                of_rule(rule).contains(&format!("## Packs with {rule}\n\n- ")),
                "{rule}"
            );
        }
    }
}
