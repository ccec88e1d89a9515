//! What the pages of docs say is so: their examples are checked as hotlines.

use std::collections::BTreeMap;

use super::harness::{GRANTS, HOTLINE, files, interfaces};
use crate::{Sources, check, parse};

/// The examples of a page of docs/errors under a heading, as files. A block's lines like
/// `# flows/main.yaml` begin a file; `# steps of flows/main.yaml` begins steps that are put
/// into a small flow; `# audio/welcome.wav is 6.5 seconds long` tells of a recording.
fn example(page: &str, heading: &str) -> Option<String> {
    let (_, after) = page.split_once(&format!("## {heading}\n"))?;
    let (_, block) = after.split_once("```yaml\n")?;
    let (block, _) = block.split_once("\n```")?;
    let mut text = String::new();
    let mut in_steps = false;
    let mut close = String::new();
    for line in block.lines() {
        if line == "# steps of flows/main.yaml" {
            in_steps = true;
            text.push_str(
                "--- flows/main.yaml\nflow: main\nvars: { citizen: crm.citizen?, words: string?, count: u32?, attempts: { type: int, is: 0 }, gauge: string?, mood: sentiment.mood? }\nstart: begin\nsteps:\n",
            );
            close = "  human: { say: hello, next: done }\n  done: { end: completed }\n".to_owned();
        } else if let Some((path, seconds)) = line
            .strip_prefix("# ")
            .and_then(|line| line.strip_suffix(" seconds long")?.split_once(" is "))
        {
            text.push_str(&format!("--- {path}\n{seconds}\n"));
        } else if let Some(path) = line
            .strip_prefix("# ")
            .filter(|path| [".yaml", ".yml", ".ics"].iter().any(|end| path.ends_with(end)))
        {
            text.push_str(&std::mem::take(&mut close));
            in_steps = false;
            text.push_str(&format!("--- {path}\n"));
        } else {
            text.push_str(if in_steps { "  " } else { "" });
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&close);
    Some(text)
}

#[test]
fn the_examples_of_the_pages_are_true() {
    for code in crate::Code::ALL {
        let found = |text: &str| {
            let sources = files(text);
            let mut report = check(&parse(&sources), &interfaces());
            if let Some(checked) = &report.checked {
                let scenarios = crate::scenario::read(&sources, checked, &interfaces());
                report.diagnostics.extend(scenarios.diagnostics);
            }
            let shown =
                crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
            (report, shown)
        };
        if let Some(wrong) = example(code.page(), "Wrong") {
            let (report, shown) = found(&wrong);
            assert!(
                report.diagnostics.iter().any(|finding| finding.code == *code),
                "{code}, wrong, does not show it:\n{shown}"
            );
        }
        if let Some(right) = example(code.page(), "Right") {
            let (report, shown) = found(&right);
            assert!(
                report.checked.is_some() && report.diagnostics.iter().all(|finding| finding.code != *code),
                "{code}, right, is not:\n{shown}"
            );
        }
    }
}

/// The reference's examples are a hotline that works: whole files make one, and blocks of
/// steps are put into a small flow with what they lead to.
#[test]
fn the_examples_of_the_reference_work() {
    let reference = include_str!("../../../../docs/reference/flow-language.md");
    let blocks = || {
        reference
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split_once("\n```"))
            .map(|(block, _)| block)
    };
    let mut files = BTreeMap::new();
    // What the whole hotline does without, and the steps lead to.
    let mut centre = BTreeMap::new();
    let mut settings = String::new();
    // Hotlines of their own: what starts without a caller, and what is called by phone.
    let mut outbound = BTreeMap::new();
    let mut phone = BTreeMap::new();
    for block in blocks() {
        let (name, text) = block.split_once('\n').unwrap();
        let path = name.strip_prefix("# ").unwrap();
        let services = ["agents.yaml", "surveys/", "tickets/"];
        if let Some(path) = path.strip_prefix("outbound/") {
            outbound.insert(path.to_owned(), format!("{text}\n"));
        } else if let Some(path) = path.strip_prefix("phone/") {
            phone.insert(path.to_owned(), format!("{text}\n"));
        } else if path.starts_with("part of ") {
            settings.push_str(&format!("{text}\n"));
        } else if services.iter().any(|place| path.starts_with(place)) {
            centre.insert(path.to_owned(), format!("{text}\n"));
        } else if path != "steps" && path != "flows/variables.yaml" {
            files.insert(path.to_owned(), format!("{text}\n"));
        }
    }
    assert!(outbound.len() >= 5 && phone.len() >= 4);
    for files in [files.clone(), outbound, phone] {
        let sources = Sources::new(files);
        let report = check(&parse(&sources), &interfaces());
        let shown =
            crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
        assert!(
            report.checked.is_some() && report.diagnostics.is_empty(),
            "{shown}"
        );
    }

    let steps: String = blocks()
        .filter_map(|block| block.strip_prefix("# steps\n"))
        .flat_map(str::lines)
        .map(|line| format!("  {line}\n"))
        .collect();
    let prompts: String = [
        "main-topics",
        "k-housing",
        "k-desk",
        "which-gauge",
        "one-moment",
        "desk",
        "what-is-it",
        "your-pin",
        "please-wait",
        "your-place",
        "offer-ring-back",
        "offer-text",
        "your-ticket",
        "may-we-record",
        "after-the-tone",
        "thanks",
        "how-was-it",
        "what-was-it",
    ]
    .map(|key| format!("{key}: text\n"))
    .concat();
    let flow = format!(
        "flow: main\nvars: {{ citizen: crm.citizen?, count: u32?, gauge: string?, mood: sentiment.mood?, attempts: {{ type: int, is: 0 }}, pin: string?, ticket_number: string?, last_ticket: ticket?, message: string? }}\nstart: find\nsteps:\n{steps}  housing: {{ run: variables, with: {{ district: a }}, next: gauge }}\n  desk: {{ say: desk, next: done }}\n  done: {{ end: completed }}\n"
    );
    let flow = flow.replace("\"#\": main-topics", "\"#\": by-mood");
    let variables = blocks()
        .find(|block| block.starts_with("# flows/variables.yaml"))
        .unwrap();
    let prompts = prompts.replace("your-place: text", "your-place: \"{position} {wait}\"");
    // The steps are put together to be typed, not to be a hotline that holds to rules.
    let settings: String = settings
        .lines()
        .filter(|line| !line.starts_with("checks:"))
        .map(|line| format!("{line}\n"))
        .collect();
    centre.extend([
        ("hotline.yaml".to_owned(), format!("{HOTLINE}{settings}")),
        ("grants.yaml".to_owned(), GRANTS.to_owned()),
        ("flows/main.yaml".to_owned(), flow),
        ("flows/variables.yaml".to_owned(), variables.to_owned()),
        (
            "calendars/office.yaml".to_owned(),
            files["calendars/office.yaml"].clone(),
        ),
        ("prompts/zh-CN.yaml".to_owned(), prompts.clone()),
        ("prompts/en.yaml".to_owned(), prompts),
    ]);
    let sources = Sources::new(centre);
    let report = check(&parse(&sources), &interfaces());
    let shown = crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
    assert!(report.checked.is_some(), "{shown}");
}

/// The hotlines that the guides for analysts write: each begins with its hotline.yaml, has no
/// findings, and neither have its scenarios.
#[test]
fn the_hotlines_of_the_guides_work() {
    for guide in [
        include_str!("../../../../docs/guide/analysts.md"),
        include_str!("../../../../docs/guide/analysts.zh-CN.md"),
    ] {
        let blocks = guide
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split_once("\n```"))
            .map(|(block, _)| block);
        let mut hotlines: Vec<String> = Vec::new();
        for block in blocks {
            if block.starts_with("# hotline.yaml") {
                hotlines.push(String::new());
            }
            let hotline = hotlines.last_mut().unwrap();
            hotline.push_str(block);
            hotline.push('\n');
        }
        assert!(hotlines.len() >= 2);
        for hotline in hotlines {
            let example = format!("## Example\n```yaml\n{hotline}\n```\n");
            let sources = files(&self::example(&example, "Example").unwrap());
            let (scenarios, sources) = split(sources);
            let report = check(&parse(&sources), &interfaces());
            let shown =
                crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
            let checked = report.checked.unwrap_or_else(|| panic!("{shown}"));
            assert!(report.diagnostics.is_empty(), "{shown}");
            let read = crate::scenario::read(&scenarios, &checked, &interfaces());
            assert!(read.diagnostics.is_empty(), "{:#?}", read.diagnostics);
            assert_eq!(read.scenarios.len(), scenarios.files.len());
        }
    }
}

/// The scenarios among files, and the rest.
fn split(mut sources: Sources) -> (Sources, Sources) {
    let files = std::mem::take(&mut sources.files);
    let (scenarios, rest): (BTreeMap<_, _>, BTreeMap<_, _>) = files
        .into_iter()
        .partition(|(path, _)| path.starts_with("tests/"));
    sources.files = rest.into_iter().collect();
    let scenarios = Sources {
        files: scenarios.into_iter().collect(),
        ..Sources::default()
    };
    (scenarios, sources)
}

/// So are those of the page on prompts: whole files make one hotline without findings.
#[test]
fn the_examples_of_the_page_on_prompts_work() {
    let page = include_str!("../../../../docs/reference/prompts.md");
    let blocks = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```"))
        .filter(|(block, _)| block.starts_with("# "));
    let whole: Vec<&str> = blocks.map(|(block, _)| block).collect();
    let example = format!("## Example\n```yaml\n{}\n```\n", whole.join("\n"));
    let sources = files(&self::example(&example, "Example").unwrap());
    assert!(sources.files.len() >= 5 && sources.recordings.len() == 1);
    let report = check(&parse(&sources), &interfaces());
    let shown = crate::diagnostics::render(&report.diagnostics, &sources, crate::diagnostics::Color::Never);
    assert!(
        report.checked.is_some() && report.diagnostics.is_empty(),
        "{shown}"
    );
}
