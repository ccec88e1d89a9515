//! `trunkline graph`: a flow as a picture.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use trunkline_flow::{
    Hotline,
    diagnostics::nearest,
    graph::{Layout, Paint, layout, mermaid, svg, text},
};
use trunkline_model::FlowName;

use crate::{
    check,
    exit::{Exit, Failure, Outcome},
    place,
};

/// Columns of an outline where the terminal does not say how wide it is.
const COLUMNS: usize = 100;

/// Draw a flow: its steps, and every way between them
///
/// Keys stand left to right as on a keypad, the main line is straight, and ways of failure that
/// many steps share are written into the steps. The hotline has to load.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline graph flows/city-hotline                            in this terminal\n  \
    trunkline graph flows/city-hotline city -o city.svg           as a picture\n  \
    trunkline graph flows/city-hotline city --output-format mermaid")]
pub(crate) struct Graph {
    /// The hotline's folder
    hotline: PathBuf,
    /// The flow; without it, all flows one after the other, or the first one as a picture
    flow: Option<String>,
    /// What to draw; without it, what the name of the file says, or text
    #[arg(long, value_enum)]
    output_format: Option<GraphFormat>,
    /// The file to write, instead of standard output
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// The language in which prompts are shown: a tag of the hotline's
    #[arg(long)]
    language: Option<String>,
}

/// How a flow is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// A picture, for browsers and documents
    Svg,
    /// A Mermaid flowchart, for pages that draw those
    Mermaid,
    /// An outline, for terminals
    Text,
    /// The layout, for programs: boxes and lines with their places
    Json,
}

impl Graph {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let folder = place::hotline(&self.hotline)?;
        let release = check::load(&folder).await?;
        let hotline = release.hotline();
        let language = match &self.language {
            Some(tag) => hotline.language(tag).ok_or_else(|| {
                Failure::usage(anyhow!(
                    "{} has no language {tag:?}; it has {}",
                    hotline.name,
                    hotline.languages.join(", ")
                ))
            })?,
            None => hotline
                .languages
                .first()
                .context("a checked hotline has a language")?,
        };
        let format = self.format();
        let flows = match &self.flow {
            Some(name) => vec![known(hotline, name)?],
            None if format == GraphFormat::Text => in_order(hotline),
            None => in_order(hotline).into_iter().take(1).collect(),
        };
        let mut drawn = String::new();
        for flow in &flows {
            let Some(layout) = layout(hotline, flow, language) else {
                continue;
            };
            if flows.len() > 1 {
                drawn.push_str(&format!("{}# {flow}\n", if drawn.is_empty() { "" } else { "\n" }));
            }
            drawn.push_str(&draw(&layout, format)?);
        }
        match &self.output {
            Some(path) => std::fs::write(path, drawn)
                .with_context(|| format!("failed to write {}", path.display()))
                .map_err(Failure::usage)?,
            None => anstream::print!("{drawn}"),
        }
        Ok(Exit::Done)
    }

    fn format(&self) -> GraphFormat {
        let named = self.output.as_ref().and_then(|path| path.extension()?.to_str());
        self.output_format.unwrap_or(match named {
            Some("svg") => GraphFormat::Svg,
            Some("mmd" | "mermaid") => GraphFormat::Mermaid,
            Some("json") => GraphFormat::Json,
            _ => GraphFormat::Text,
        })
    }
}

fn draw(layout: &Layout, format: GraphFormat) -> anyhow::Result<String> {
    Ok(match format {
        GraphFormat::Svg => svg(layout, &Paint::default()),
        GraphFormat::Mermaid => mermaid(layout),
        GraphFormat::Text => text(layout, terminal_columns()),
        GraphFormat::Json => format!(
            "{}\n",
            serde_json::to_string_pretty(layout).context("a layout is JSON")?
        ),
    })
}

/// How wide the terminal is; `COLUMNS` has a say, as for other programs.
fn terminal_columns() -> usize {
    std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .unwrap_or(COLUMNS)
}

/// The flows that answer numbers, then the others.
fn in_order(hotline: &Hotline) -> Vec<FlowName> {
    let mut flows: Vec<FlowName> = Vec::new();
    let answering = hotline.numbers.values().map(|number| &number.flow);
    for flow in answering.chain(hotline.flows.keys()) {
        if !flows.contains(flow) {
            flows.push(flow.clone());
        }
    }
    flows
}

fn known(hotline: &Hotline, name: &str) -> Result<FlowName, Failure> {
    if let Some(flow) = hotline.flows.keys().find(|flow| flow.as_str() == name) {
        return Ok(flow.clone());
    }
    let names: Vec<&str> = hotline.flows.keys().map(FlowName::as_str).collect();
    let meant = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it has {}", names.join(", ")),
    };
    Err(Failure::usage(anyhow!(
        "{} has no flow {name:?}; {meant}",
        hotline.name
    )))
}
