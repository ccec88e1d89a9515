//! Every step can be reached.

use super::flow::FlowView;
use crate::diagnostics::{Code, Finding};

pub(super) fn check(view: &FlowView<'_, '_>, reached: &[bool], on_hangup: Option<usize>) {
    for (index, step) in view.steps.iter().enumerate() {
        if !reached[index] && on_hangup != Some(index) {
            view.world.report(
                Finding::new(
                    Code::UnreachableStep,
                    step.name.span,
                    format!("no way leads to `{}`", step.name.as_str()),
                )
                .help("lead a `next` or a way out to it, or leave it out"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn one_slip_of_the_pen_is_one_finding() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
start: a
steps:
  a: { say: hello, next: gret }
#                        ^^^^ TL0101: the flow `main` has no step `gret`
  greet: { say: hello, next: done }
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn unreachable_steps_are_named() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
start: a
on-hangup: gone
anywhere: { keys: { "9": human } }
steps:
  a: { menu: hello, keys: { 1: done }, on: { else: done } }
  human: { say: hello, next: done }
  lost: { say: hello, next: found }
# ^^^^ TL0304: no way leads to `lost`
  found: { say: hello, next: done }
# ^^^^^ TL0304: no way leads to `found`
  gone: { end: abandoned }
  done: { end: completed }
"##,
        );
    }
}
