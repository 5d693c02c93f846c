//! Table: the figures in Markdown, which is read as well on a terminal.

use std::fmt::Write;

use crate::contestants::Contestant;
use crate::measure::{Figures, Spread, Summary};
use crate::scenarios::Scenario;
use crate::setup::Setup;

/// The summaries of a scenario, by contestant.
pub(crate) struct Section {
    pub(crate) scenario: Scenario,
    pub(crate) summaries: Vec<(Contestant, Summary)>,
}

const PASS: &str = "- PASS";
const MISS: &str = "- MISS";

const HEAD: [&str; 7] = [
    "contestant",
    "makespan / limit",
    "throttled",
    "calls",
    "pairs undone",
    "refused in a row",
    "somebody else throttled",
];

/// A section: the scenario and its limit, the table, and the verdict.
pub(crate) fn section(section: &Section, setup: Setup) -> String {
    let scenario = section.scenario;
    let limit = scenario.limit(setup);
    let mut text = format!(
        "### `{}`: {}\n\nLimit: {}; {:.0} s of AWS's time for {} calls.\n\n",
        scenario.name(),
        scenario.story(),
        scenario.formula(),
        limit * setup.scale,
        setup.queues,
    );
    let others = section.summaries.iter().any(|(_, summary)| summary.elsewhere_throttled.is_some());
    let columns = if scenario == Scenario::Taken && others { HEAD.len() } else { HEAD.len() - 1 };
    let mut rows = vec![HEAD[..columns].iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>()];
    rows.extend(section.summaries.iter().map(|(contestant, summary)| {
        let mut cells = row(*contestant, summary);
        cells.truncate(columns);
        cells
    }));
    text.push_str(&markdown(&rows));
    text.push('\n');
    for line in verdicts(section) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    }
    text
}

fn row(contestant: Contestant, summary: &Summary) -> Vec<String> {
    let ratio = |figure: f64| format!("{figure:.3}");
    let makespan = spread(summary.makespan, ratio);
    vec![
        contestant.title().to_owned(),
        // The time of who gave up says nothing of the work.
        if summary.undone.median > 0.0 { format!("gave up ({makespan})") } else { makespan },
        spread(summary.throttled, percent),
        spread(summary.calls, whole),
        spread(summary.undone, whole),
        spread(summary.refused_in_a_row, whole),
        summary.elsewhere_throttled.map_or("-".to_owned(), |share| spread(share, percent)),
    ]
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn whole(number: f64) -> String {
    format!("{number:.0}")
}

/// The median, and what it varies between if that can be seen.
fn spread(spread: Spread, show: impl Fn(f64) -> String) -> String {
    let (least, median, most) = (show(spread.least), show(spread.median), show(spread.most));
    if least == most { median } else { format!("{median} [{least} .. {most}]") }
}

/// Rows as a Markdown table, the first one its head, columns as wide as their widest cell.
fn markdown(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(text, "| {} |", rules.join(" | "));
        }
    }
    text
}

/// One run, in a line.
pub(crate) fn progress(scenario: Scenario, contestant: Contestant, run: u32, figures: &Figures) -> String {
    format!(
        "{:8} {:10} run {}: {:.3} of the limit, {} throttled, {} calls, {} undone, {} refused in a row",
        scenario.name(),
        contestant.name(),
        run + 1,
        figures.makespan,
        percent(figures.throttled),
        figures.calls,
        figures.undone,
        figures.refused_in_a_row,
    )
}

/// Whether the function keeps all its targets in a scenario.
pub(crate) fn keeps_targets(section: &Section) -> bool {
    !verdicts(section).iter().any(|line| line.starts_with(MISS))
}

/// Whether the function keeps each target, and who is ahead.
fn verdicts(section: &Section) -> Vec<String> {
    let find =
        |wanted| section.summaries.iter().find(|(contestant, _)| *contestant == wanted).map(|(_, s)| s);
    let Some(function) = find(Contestant::Function) else { return Vec::new() };
    let rivals: Vec<(Contestant, &Summary)> = [Contestant::Standard, Contestant::Adaptive]
        .into_iter()
        .filter_map(|rival| Some((rival, find(rival)?)))
        .collect();
    let target = section.scenario.target();
    let mut lines = vec![
        verdict(
            function.makespan.median <= target.makespan,
            &format!("makespan at most {} of the limit", target.makespan),
        ),
        verdict(
            function.throttled.median <= target.throttled,
            &format!("at most {:.0} % throttled", target.throttled * 100.0),
        ),
        verdict(function.undone.most == 0.0, "nothing undone in any run"),
    ];
    if !rivals.is_empty() {
        let before: Vec<&str> = rivals
            .iter()
            .filter(|(_, rival)| function.is_behind(rival))
            .map(|(contestant, _)| contestant.title())
            .collect();
        lines.push(verdict(before.is_empty(), "never behind the SDK"));
        lines.push(format!("- ahead: {}", ahead(function, &rivals, &before)));
    }
    lines
}

fn verdict(kept: bool, target: &str) -> String {
    format!("{}: {target}", if kept { PASS } else { MISS })
}

fn ahead(function: &Summary, rivals: &[(Contestant, &Summary)], before: &[&str]) -> String {
    if !before.is_empty() {
        return before.join(", ");
    }
    let level: Vec<&str> = rivals
        .iter()
        .filter(|(_, rival)| !rival.is_behind(function))
        .map(|(rival, _)| rival.title())
        .collect();
    if level.is_empty() {
        Contestant::Function.title().to_owned()
    } else {
        format!("nobody; {} and {} are level", Contestant::Function.title(), level.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::tests::figures;

    const SETUP: Setup = Setup { scale: 20.0, queues: 305 };

    fn summary(runs: &[(f64, f64, usize)]) -> Summary {
        let runs: Vec<_> = runs
            .iter()
            .map(|(makespan, throttled, undone)| figures(*makespan, *throttled, *undone))
            .collect();
        Summary::of(&runs).unwrap()
    }

    #[test]
    fn a_section_is_a_table_and_its_verdicts() {
        let compared = Section {
            scenario: Scenario::Matched,
            summaries: vec![
                (Contestant::Function, summary(&[(1.01, 0.0, 0), (1.02, 0.03, 0), (1.04, 0.02, 0)])),
                (Contestant::Standard, summary(&[(0.25, 0.75, 1000)])),
            ],
        };
        let expected = "\
### `matched`: the quota is as configured

Limit: (n - b) / r; 150 s of AWS's time for 305 calls.

| contestant    | makespan / limit       | throttled            | calls | pairs undone | refused in a row |
| ------------- | ---------------------- | -------------------- | ----- | ------------ | ---------------- |
| this function | 1.020 [1.010 .. 1.040] | 2.0 % [0.0 % .. 3.0 %] | 300   | 0            | 1                |
| SDK standard  | gave up (0.250)        | 75.0 %               | 300   | 1000         | 1                |

- PASS: makespan at most 1.03 of the limit
- MISS: at most 1 % throttled
- PASS: nothing undone in any run
- PASS: never behind the SDK
- ahead: this function
";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").replace('-', "");
        assert_eq!(squeezed(&section(&compared, SETUP)), squeezed(expected));
    }

    #[test]
    fn leader_is_named() {
        let named = |rival: Summary| {
            let section = Section {
                scenario: Scenario::Half,
                summaries: vec![
                    (Contestant::Function, summary(&[(1.0, 0.0, 0)])),
                    (Contestant::Adaptive, rival),
                ],
            };
            verdicts(&section).split_off(3)
        };
        let level = "- ahead: nobody; this function and SDK adaptive are level";
        assert_eq!(named(summary(&[(1.01, 0.0, 0)])), ["- PASS: never behind the SDK", level]);
        assert_eq!(
            named(summary(&[(0.9, 0.0, 0)])),
            ["- MISS: never behind the SDK", "- ahead: SDK adaptive"]
        );
        assert_eq!(
            named(summary(&[(0.9, 0.0, 1)])),
            ["- PASS: never behind the SDK", "- ahead: this function"]
        );
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["a".to_owned(), "bcd".to_owned()], vec!["efg".to_owned(), "h".to_owned()]];
        assert_eq!(markdown(&rows), "| a   | bcd |\n| --- | --- |\n| efg | h   |\n");
    }
}
