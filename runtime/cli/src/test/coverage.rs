//! What scenarios met of a hotline: in the terminal, and as a page.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use trunkline_flow::{Checked, inventory};
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
        let names: Vec<_> = report.prompts_never_heard.iter().map(ToString::to_string).collect();
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
    let _ = writeln!(out, "<title>{name}: coverage</title>\n<style>{STYLE}</style>\n</head>\n<body>");
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
        "<h2>{}</h2>\n<p>{}, {}</p>\n<table>\n<tr><th>step</th><th>verb</th><th>entered</th><th>ways</th></tr>",
        escaped(flow.name.as_str()),
        share(report.steps, "steps"),
        share(report.ways, "ways")
    );
    for (id, step) in &flow.steps {
        let entered = coverage
            .steps
            .get(&(flow.name.clone(), id.clone()))
            .copied()
            .unwrap_or_default();
        let ways: Vec<String> = inventory::ways(step)
            .into_iter()
            .map(|way| {
                let taken = coverage.ways.get(&(flow.name.clone(), id.clone(), way.clone()));
                let count = taken.copied().unwrap_or_default();
                format!(
                    "<span class=\"{}\">{} → {} <b>{count}</b></span>",
                    class(count),
                    escaped(&way.exit),
                    escaped(way.next.as_str())
                )
            })
            .collect();
        let _ = writeln!(
            out,
            "<tr class=\"{}\"><td><code>{}</code></td><td>{}</td><td>{entered}</td><td>{}</td></tr>",
            class(entered),
            escaped(id.as_str()),
            step.verb.name(),
            ways.join(" ")
        );
    }
    out.push_str("</table>\n");
}

const fn class(count: u64) -> &'static str {
    if count == 0 { "missed" } else { "met" }
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;\
margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;\
vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8884}tr.missed>td:first-child{\
box-shadow:inset 4px 0 #d97706}tr.met>td:first-child{box-shadow:inset 4px 0 #059669}span{display:\
inline-block;border-radius:.4rem;padding:0 .5rem;margin:.1rem .1rem;background:#05966922}\
span.missed{background:#d9770633}svg{max-width:100%;height:auto}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
