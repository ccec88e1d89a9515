//! What scenarios met of a hotline: in the terminal, and as a page.

use std::{collections::BTreeMap, fmt::Write as _};

use anstyle::{AnsiColor, Style};
use trunkline_flow::{
    Checked,
    graph::{Paint, layout, svg},
    hotline::Flow,
    inventory::{self, Way},
    step::{Step, Verb},
};
use trunkline_scenario::{
    Coverage,
    coverage::{FlowReport, Report, Share},
};

const BOLD: Style = Style::new().bold();
const MISSED: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();

/// Shows what was met, and what was not.
pub(super) fn print(report: &Report) {
    anstream::println!(
        "\n{BOLD}coverage{BOLD:#}: {}, {}, {}",
        share(report.steps, "steps"),
        share(report.ways, "ways"),
        share(report.prompts, "prompts")
    );
    for flow in &report.flows {
        anstream::println!(
            "\n  {BOLD}{}{BOLD:#} {DIM}{}, {}{DIM:#}",
            flow.flow,
            share(flow.steps, "steps"),
            share(flow.ways, "ways")
        );
        for (what, names) in missed(flow) {
            anstream::println!("    {what}: {MISSED}{}{MISSED:#}", names.join(", "));
        }
    }
    if !report.prompts_never_heard.is_empty() {
        let names: Vec<_> = report
            .prompts_never_heard
            .iter()
            .map(ToString::to_string)
            .collect();
        anstream::println!("\n  prompts never heard: {MISSED}{}{MISSED:#}", names.join(", "));
    }
}

fn share(share: Share, what: &str) -> String {
    format!("{} of {} {what} ({} %)", share.met, share.all, share.percent())
}

/// What of a flow was not met, by kind; only kinds of which there is something.
fn missed(flow: &FlowReport) -> Vec<(&'static str, Vec<String>)> {
    let steps = flow.steps_never_entered.iter().map(ToString::to_string).collect();
    let keys = flow
        .keys_never_pressed
        .iter()
        .map(|(step, key)| format!("{step} {key}"))
        .collect();
    let ways = flow
        .ways_never_taken
        .iter()
        .map(|(step, way)| format!("{step} {way}"))
        .collect();
    [
        ("steps never entered", steps),
        ("keys never pressed", keys),
        ("ways never taken", ways),
    ]
    .into_iter()
    .filter(|(_, names): &(_, Vec<String>)| !names.is_empty())
    .collect()
}

/// A page that shows each flow's steps and ways with how often they were met.
pub(super) fn html(hotline: &Checked, coverage: &Coverage, report: &Report) -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    );
    let name = escaped(&hotline.name);
    let _ = writeln!(
        out,
        "<title>{name}: coverage</title>\n<style>{STYLE}</style>\n</head>\n<body>"
    );
    let _ = writeln!(out, "<h1>{name}</h1>");
    let _ = writeln!(
        out,
        "<p>{}, {}, {}</p>",
        share(report.steps, "steps"),
        share(report.ways, "ways"),
        share(report.prompts, "prompts")
    );
    for flow in &report.flows {
        flow_section(&mut out, hotline, coverage, flow);
    }
    if !report.prompts_never_heard.is_empty() {
        let names: Vec<_> = report
            .prompts_never_heard
            .iter()
            .map(|key| format!("<code>{}</code>", escaped(key.as_str())))
            .collect();
        let _ = writeln!(out, "<h2>Prompts never heard</h2>\n<p>{}</p>", names.join(" "));
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn flow_section(out: &mut String, hotline: &Checked, coverage: &Coverage, report: &FlowReport) {
    let Some(flow) = hotline.flows.get(&report.flow) else {
        return;
    };
    let _ = writeln!(
        out,
        "<h2>{}</h2>\n<p>{}, {}</p>",
        escaped(flow.name.as_str()),
        share(report.steps, "steps"),
        share(report.ways, "ways")
    );
    let language = hotline.languages.first().map_or("", |language| language);
    if let Some(layout) = layout(hotline, &flow.name, language) {
        out.push_str(&svg(&layout, &paint(flow, coverage)));
    }
    for (what, names) in missed(report) {
        let names: Vec<_> = names
            .iter()
            .map(|name| format!("<code>{}</code>", escaped(name)))
            .collect();
        let _ = writeln!(out, "<h3>{what}</h3>\n<p>{}</p>", names.join(" "));
    }
}

/// How often each step was entered and each way was gone, by the names that pictures have.
fn paint(flow: &Flow, coverage: &Coverage) -> Paint {
    let mut paint = Paint {
        steps: Some(BTreeMap::new()),
        ways: BTreeMap::new(),
    };
    let steps = coverage.steps.iter().filter(|((of, _), _)| *of == flow.name);
    paint.steps = Some(steps.map(|((_, step), count)| (step.clone(), *count)).collect());
    for ((of, id, way), count) in &coverage.ways {
        if *of != flow.name {
            continue;
        }
        if let Some(step) = flow.steps.get(id)
            && let Some(name) = pictured(step, way)
        {
            paint.ways.insert((id.clone(), name.into()), *count);
        }
    }
    paint
}

/// The names that a way has in pictures, where words and faults are told apart. Of those that are
/// counted together one stands for all: what is painted is their line.
fn pictured(step: &Step, way: &Way) -> Option<String> {
    let exit = &*way.exit;
    if exit == "next" {
        return Some("next".to_owned());
    }
    if let Some((_, edge)) = step.exits.get_key_value(exit)
        && edge.next == way.next
    {
        return Some(format!("on:{exit}"));
    }
    match &step.verb {
        Verb::Menu(menu) if exit == "word" => {
            let mut words = menu.words.iter();
            let word = words.find(|(_, next)| *next == way.next);
            word.map(|(word, _)| format!("word:{word}"))
        }
        Verb::Menu(_) => exit
            .strip_prefix("key ")
            .map(|key| format!("key:{key}"))
            .or_else(|| exit.strip_prefix("intent ").map(|case| format!("intent:{case}"))),
        Verb::Choose(_) => Some(match exit.strip_prefix("branch ") {
            Some(branch) => format!("branch:{branch}"),
            None => "branch:else".to_owned(),
        }),
        Verb::Queue(_) => Some(format!("offer:{exit}")),
        _ => {
            let mut exits = step.exits.iter();
            let fault = exits.find(|(name, edge)| edge.next == way.next && inventory::counted(name) == exit);
            fault.map(|(name, _)| format!("on:{name}"))
        }
    }
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:90rem;\
margin:2rem auto;padding:0 1rem}h3{margin-bottom:0}svg{max-width:100%;height:auto}code{background:\
#8882;border-radius:.3rem;padding:0 .3rem}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
