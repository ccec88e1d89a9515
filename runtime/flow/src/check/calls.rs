//! Which function a `call` means.

use trunkline_model::signature::Signature;

use super::world::World;
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    source::{Span, Word},
};

/// The function of a name; reports one that does not exist, or that several have.
pub(super) fn resolve<'a>(world: &World<'a>, word: &'a Word) -> Option<&'a Signature> {
    let Some((plugin, name)) = word.as_str().split_once('.') else {
        world.report(
            Finding::new(
                Code::UnknownFunction,
                word.span,
                format!("`{}` names no function of a plugin", word.as_str()),
            )
            .help(match world.plugins.contains_key(word.as_str()) {
                true => format!("write which of its functions: `{}.some-function`", word.as_str()),
                false => "write the plugin and the function: `crm.find-citizen`".to_owned(),
            }),
        );
        return None;
    };
    let part = |from: usize, length: usize| {
        // The name stands in the file as it is.
        let start = word.span.bytes().start
            + world
                .files
                .text(word.span)
                .find(word.as_str())
                .unwrap_or_default();
        Span::new(word.span.file as usize, start + from..start + from + length)
    };
    let Some(known) = world.plugins.get(plugin) else {
        let names = world.plugins.keys().map(|name| &**name);
        world.report(
            Finding::new(
                Code::UnknownPlugin,
                part(0, plugin.len()),
                format!("hotline.yaml declares no plugin `{plugin}`"),
            )
            .help(
                did_you_mean("there are", plugin, names)
                    .unwrap_or_else(|| "declare it under `plugins` of hotline.yaml".to_owned()),
            ),
        );
        return None;
    };
    let interface = (*known)?;
    let found: Vec<&Signature> = interface.find(name).collect();
    match found.as_slice() {
        [signature] => Some(signature),
        [] => {
            let functions = interface.functions.iter();
            let paths: Vec<String> = functions
                .clone()
                .map(Signature::path)
                .chain(functions.map(|signature| signature.name.to_string()))
                .collect();
            world.report(
                Finding::new(
                    Code::UnknownFunction,
                    part(plugin.len() + 1, name.len()),
                    format!("the plugin `{plugin}` has no function `{name}`"),
                )
                .help_if(did_you_mean("it has", name, paths.iter().map(String::as_str))),
            );
            None
        }
        several => {
            let mut paths: Vec<String> = several.iter().map(|signature| signature.path()).collect();
            paths.sort();
            paths.dedup();
            if paths.len() < several.len() {
                paths = several
                    .iter()
                    .map(|signature| signature.function.to_string())
                    .collect();
            }
            let written: Vec<String> = paths.iter().map(|path| format!("{plugin}.{path}")).collect();
            world.report(
                Finding::new(
                    Code::AmbiguousFunction,
                    part(plugin.len() + 1, name.len()),
                    format!("several interfaces of `{plugin}` have a function `{name}`"),
                )
                .help(format!(
                    "write which one: {}",
                    one_of(written.iter().map(String::as_str))
                )),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn functions_are_found_by_name() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
otherwise: done
start: a
steps:
  a: { call: crn.find-citizen, next: b }
#            ^^^ TL0103: hotline.yaml declares no plugin `crn`
  b: { call: crm.find-citzen, next: c }
#                ^^^^^^^^^^^ TL0104: the plugin `crm` has no function `find-citzen`
  c: { call: crm, next: d }
#            ^^^ TL0104: `crm` names no function of a plugin
  d: { call: twice.ping, next: e }
#                  ^^^^ TL0105: several interfaces of `twice` have a function `ping`
  e: { call: twice.left.ping, next: f }
  f: { call: crm.find-citizen, with: { phon: "1" }, next: g }
#            ^^^^^^^^^^^^^^^^ TL0210: `crm.find-citizen` needs `phone`
#                                      ^^^^ TL0211: `crm.find-citizen` has no `phon`
  g: { call: sentiment.score, with: { text: "${1 + 1}" }, next: done }
#                                              ^^^^^ TL0202: this should be a string, not an int
  done: { end: completed }
"##,
        );
    }
}
