//! `trunkline explain`: the page of a finding's code.

use anyhow::anyhow;
use clap::Args;
use trunkline_flow::{Code, Severity};

use crate::exit::{Exit, Failure, Outcome};

/// Explain a finding by its code, or list all codes
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline explain TL0301\n  \
    trunkline explain                     all codes")]
pub(crate) struct Explain {
    /// The code, as `check` prints it: TL0301
    code: Option<String>,
}

impl Explain {
    /// Runs the command.
    pub(crate) fn run(&self) -> Outcome {
        let Some(written) = &self.code else {
            for code in Code::ALL {
                let severity = match code.severity() {
                    Severity::Error => "error  ",
                    Severity::Warning => "warning",
                };
                anstream::println!("{code}  {severity}  {}", code.title());
            }
            return Ok(Exit::Done);
        };
        let code = Code::parse(written).ok_or_else(|| {
            Failure::usage(anyhow!(
                "there is no finding {written:?}; codes are written like TL0301, and `trunkline explain` lists all"
            ))
        })?;
        anstream::println!("{}", code.page().trim_end());
        Ok(Exit::Done)
    }
}
