//! What it costs callers to reach a human and each service, as a table.

use trunkline_flow::prove::Reach;

use crate::table;

/// The table of all services, for people.
pub(super) fn table(reaches: &[Reach]) -> String {
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    let mut rows = vec![row(["number", "language", "service", "presses", "seconds"])];
    rows.extend(reaches.iter().map(|reach| {
        row([
            &reach.number,
            &reach.language,
            &reach.service,
            &span(
                &reach.presses_min.to_string(),
                reach.presses_max.map(|presses| presses.to_string()),
            ),
            &span(
                &format!("{:.0}", reach.seconds_min),
                reach.seconds_max.map(|seconds| format!("{seconds:.0}")),
            ),
        ])
    }));
    format!(
        "{}\nThe least is for a caller who knows the way when all goes well; the most is for one who hears every\n\
         question to its end when all goes as badly as it can, and `never` where it may not be reached at all.\n",
        table::lay_out(&rows)
    )
}

fn span(least: &str, most: Option<String>) -> String {
    match most {
        None => format!("{least} to never"),
        Some(most) if most == least => least.to_owned(),
        Some(most) => format!("{least} to {most}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_reached_is_said() {
        let reach = |service: &str, presses_max| Reach {
            number: "12345".into(),
            language: "zh-CN".into(),
            service: service.into(),
            presses_min: 1,
            presses_max,
            seconds_min: 10.4,
            seconds_max: presses_max.map(|_| 33.0),
        };
        let text = table(&[reach("human", Some(2)), reach("balance", None)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "number  language  service  presses     seconds");
        assert_eq!(lines[1], "12345   zh-CN     human    1 to 2      10 to 33");
        assert_eq!(lines[2], "12345   zh-CN     balance  1 to never  10 to never");
    }
}
