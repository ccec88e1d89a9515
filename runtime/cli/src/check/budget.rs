//! What it costs callers to reach a human and each service, as a table.

use trunkline_flow::prove::Reach;

use crate::{table, tongue::told};

/// The table of all services, for people.
pub(super) fn table(reaches: &[Reach]) -> String {
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    let mut rows = vec![row(told(
        ["号码", "语言", "服务", "按键", "秒"],
        ["number", "language", "service", "presses", "seconds"],
    ))];
    rows.extend(reaches.iter().map(|reach| {
        row([
            &reach.number,
            &reach.language,
            &reach.service,
            &span(reach.presses_min, reach.presses_max, |presses| {
                presses.to_string()
            }),
            &span(reach.seconds_min, reach.seconds_max, |seconds| {
                format!("{seconds:.0}")
            }),
        ])
    }));
    let note = told(
        "最少：熟悉流程、一切顺利的来电者。最多：直奔该服务、但每段提示都听完，且一切都往坏处走。never：可能根本到不了。\n\
         按键数只算用按键的走法；最少的秒数可能是另一条路，比如直接说出来。",
        "The least is for a caller who knows the way when all goes well; the most is for one who goes straight\n\
         there but hears everything to its end, when all goes as badly as it can. `never`: it may not be reached at\n\
         all. Presses are those of a caller who uses keys; the fewest seconds may be another way, such as by words.",
    );
    format!("{}\n{note}\n", table::lay_out(&rows))
}

fn span<T>(least: Option<T>, most: Option<T>, told: impl Fn(T) -> String) -> String {
    match (least.map(&told), most.map(&told)) {
        (None, _) => "never".to_owned(),
        (Some(least), None) => format!("{least} to never"),
        (Some(least), Some(most)) if most == least => least,
        (Some(least), Some(most)) => format!("{least} to {most}"),
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
            presses_min: Some(1),
            presses_max,
            seconds_min: Some(10.4),
            seconds_max: presses_max.map(|_| 33.0),
        };
        let text = table(&[reach("human", Some(2)), reach("balance", None)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "number  language  service  presses     seconds");
        assert_eq!(lines[1], "12345   zh-CN     human    1 to 2      10 to 33");
        assert_eq!(lines[2], "12345   zh-CN     balance  1 to never  10 to never");
    }
}
