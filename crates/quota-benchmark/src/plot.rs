//! Plot: accepted calls a second over time, as SVG, in AWS's time.

use std::fmt::Write;

use crate::contestants::Contestant;
use crate::measure::Summary;
use crate::setup::{AWS_RATE, PAIRS_PER_QUEUE, Setup};
use crate::table::Section;

/// The window over which accepted calls are counted, in seconds of AWS's time: some twenty calls at the full rate.
const WINDOW: f64 = 10.0;
/// How far windows are apart.
const STEP: f64 = 1.0;
/// The top of the vertical axis: the full rate and the burst fit below it.
const MOST: f64 = AWS_RATE * 1.5;
/// The end of the time axis, as a multiple of the limit. A slower contestant leaves the plot.
const LONGEST: f64 = 2.0;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
/// The area of the lines: legend above, labels below and to the left.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 836.0;
const TOP: f64 = 140.0;
const BOTTOM: f64 = 404.0;

/// The plot of a scenario.
pub(crate) fn plot(section: &Section, setup: Setup) -> String {
    let limit = section.scenario.limit(setup) * setup.scale;
    let ends = section.summaries.iter().map(|(_, summary)| end(summary) * setup.scale);
    let longest = ends.fold(limit, f64::max).min(limit * LONGEST) * 1.02;
    let axes = Axes { longest };
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" fill="#222">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<clipPath id="area"><rect x="{LEFT}" y="{TOP}" width="{}" height="{}"/></clipPath>
<text x="{LEFT}" y="26" font-size="16" font-weight="bold">{}: {}</text>
"##,
        RIGHT - LEFT,
        BOTTOM - TOP,
        section.scenario.name(),
        section.scenario.story(),
    );
    // Writing to a string cannot fail.
    let _ = axes.draw(&mut svg);
    let _ = draw_quota(&mut svg, section, setup, axes);
    // The function first: its line is broad, and the others are seen on it.
    for (number, (contestant, summary)) in section.summaries.iter().enumerate() {
        let _ = draw_contestant(&mut svg, *contestant, summary, setup, axes, number);
    }
    svg.push_str("</svg>\n");
    svg
}

fn end(summary: &Summary) -> f64 {
    summary.typical.accepted.last().copied().unwrap_or_default()
}

/// From seconds of AWS's time and calls a second to places in the picture.
#[derive(Clone, Copy)]
struct Axes {
    longest: f64,
}

impl Axes {
    fn x(self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * seconds / self.longest
    }

    fn y(self, rate: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * rate / MOST
    }

    fn points(self, places: impl Iterator<Item = (f64, f64)>) -> String {
        places
            .map(|(seconds, rate)| format!("{:.1},{:.1}", self.x(seconds), self.y(rate)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn draw(self, svg: &mut String) -> std::fmt::Result {
        let ticks =
            |step: f64, most: f64| (0..=(most / step).floor() as u32).map(move |tick| f64::from(tick) * step);
        for rate in ticks(0.5, MOST) {
            let y = self.y(rate);
            writeln!(svg, r##"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="#e4e4e4"/>"##)?;
            writeln!(
                svg,
                r##"<text x="{}" y="{:.1}" text-anchor="end">{rate}</text>"##,
                LEFT - 8.0,
                y + 4.5
            )?;
        }
        for seconds in ticks(round_step(self.longest), self.longest) {
            let x = self.x(seconds);
            writeln!(svg, r##"<path d="M{x:.1} {BOTTOM}v5" stroke="#222"/>"##)?;
            writeln!(
                svg,
                r##"<text x="{x:.1}" y="{}" text-anchor="middle">{seconds}</text>"##,
                BOTTOM + 20.0
            )?;
        }
        writeln!(svg, r##"<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="#222"/>"##)?;
        let (middle, height) = ((LEFT + RIGHT) / 2.0, (TOP + BOTTOM) / 2.0);
        writeln!(
            svg,
            r##"<text x="{middle}" y="{}" text-anchor="middle">time since the first call, seconds of AWS's time</text>
<text transform="translate(18 {height}) rotate(-90)" text-anchor="middle">accepted calls a second ({WINDOW} s window)</text>"##,
            HEIGHT - 14.0,
        )
    }
}

/// The distance of ticks that makes at most ten of them.
fn round_step(longest: f64) -> f64 {
    let steps = [5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
    steps.into_iter().find(|step| longest / step <= 10.0).unwrap_or(longest / 10.0)
}

fn draw_quota(svg: &mut String, section: &Section, setup: Setup, axes: Axes) -> std::fmt::Result {
    let steps = section.scenario.quota(setup);
    let mut places = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let rate = step.rate / setup.scale;
        let until = steps.get(number + 1).map_or(axes.longest, |next| next.from * setup.scale);
        places.extend([(step.from * setup.scale, rate), (until, rate)]);
    }
    let style = r##"fill="none" stroke="#222" stroke-width="1.5" stroke-dasharray="7 4""##;
    writeln!(
        svg,
        r##"<polyline clip-path="url(#area)" points="{}" {style}/>"##,
        axes.points(places.into_iter())
    )?;
    let limit = section.scenario.limit(setup) * setup.scale;
    let x = axes.x(limit);
    writeln!(svg, r##"<path d="M{x:.1} {TOP}V{BOTTOM}" stroke="#222" stroke-dasharray="2 4"/>"##)?;
    writeln!(
        svg,
        r##"<text x="{:.1}" y="{}" text-anchor="end" font-size="12">limit</text>"##,
        x - 5.0,
        TOP + 13.0
    )?;
    legend(
        svg,
        0,
        style,
        "the quota that is there to be had; the dotted line is the least time that the work needs",
    )
}

fn draw_contestant(
    svg: &mut String,
    contestant: Contestant,
    summary: &Summary,
    setup: Setup,
    axes: Axes,
    number: usize,
) -> std::fmt::Result {
    let (colour, width) = match contestant {
        // Told apart with any eyes, and in grey (Okabe and Ito).
        Contestant::Function => ("#0072b2", 5.0),
        Contestant::Standard => ("#d55e00", 1.6),
        Contestant::Adaptive => ("#009e73", 1.6),
        Contestant::Ungrouped => ("#cc79a7", 1.6),
    };
    let style = format!(r##"fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round""##);
    let accepted: Vec<f64> = summary.typical.accepted.iter().map(|at| at * setup.scale).collect();
    let line = sliding(&accepted, WINDOW, STEP);
    writeln!(
        svg,
        r##"<polyline clip-path="url(#area)" points="{}" {style}/>"##,
        axes.points(line.iter().copied())
    )?;
    if let Some((seconds, rate)) = line.last().filter(|(seconds, _)| *seconds <= axes.longest) {
        let (x, y) = (axes.x(*seconds), axes.y(rate.min(MOST)));
        writeln!(svg, r##"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="{colour}"/>"##)?;
    }
    let typical = &summary.typical;
    let (time, throttled) = (typical.makespan, typical.throttled * 100.0);
    let became = match typical.undone {
        0 => format!("{time:.2} of the limit, {throttled:.1} % throttled, nothing left undone"),
        undone => {
            let pairs = setup.queues * PAIRS_PER_QUEUE;
            format!(
                "gave up after {time:.2} of the limit, {throttled:.1} % throttled, {undone} of {pairs} pairs undone"
            )
        }
    };
    let text = format!("{}: {became}", contestant.title());
    legend(svg, number + 1, &style, &text)
}

fn legend(svg: &mut String, line: usize, style: &str, text: &str) -> std::fmt::Result {
    let y = 46.0 + 18.0 * line as f64;
    writeln!(svg, r##"<path d="M{LEFT} {y:.1}h30" {style}/>"##)?;
    writeln!(svg, r##"<text x="{}" y="{:.1}">{text}</text>"##, LEFT + 38.0, y + 4.5)
}

/// How many of these times a second lie in windows that slide along, each with the window's middle. At either end a
/// window is cut to what lies between the first time and the last.
fn sliding(times: &[f64], window: f64, step: f64) -> Vec<(f64, f64)> {
    let Some(last) = times.last().copied() else { return Vec::new() };
    let mut middles: Vec<f64> =
        (0..=(last / step).floor() as u32).map(|number| f64::from(number) * step).collect();
    if middles.last().is_none_or(|middle| *middle < last) {
        middles.push(last);
    }
    let rate = |middle: f64| {
        let (from, to) = ((middle - window / 2.0).max(0.0), (middle + window / 2.0).min(last));
        // All in a moment is no rate.
        let is_inside = |time: &&f64| (**time > from || from == 0.0) && **time <= to;
        let inside = times.iter().filter(is_inside).count();
        inside as f64 / (to - from).max(window / 2.0)
    };
    middles.into_iter().map(|middle| (middle, rate(middle))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::tests::figures;
    use crate::scenarios::Scenario;

    #[test]
    fn windows_slide_along_the_times() {
        let times: Vec<f64> = (0..=20).map(f64::from).collect();
        let line = sliding(&times, 4.0, 5.0);
        let expected = [(0.0, 3.0 / 2.0), (5.0, 1.0), (10.0, 1.0), (15.0, 1.0), (20.0, 1.0)];
        assert_eq!(line, expected);
        assert_eq!(sliding(&[], 4.0, 5.0), []);
        assert_eq!(sliding(&[0.0, 0.0], 4.0, 5.0), [(0.0, 1.0)], "a burst is spread over half a window");
        assert_eq!(
            sliding(&[0.0, 7.0], 4.0, 5.0).last(),
            Some(&(7.0, 0.5)),
            "the line ends at the last time"
        );
    }

    #[test]
    fn ticks_are_round_and_few() {
        for (longest, step) in [(30.0, 5.0), (150.0, 20.0), (300.0, 50.0), (20_000.0, 2_000.0)] {
            assert_eq!(round_step(longest), step, "{longest}");
        }
    }

    #[test]
    fn a_plot_has_a_line_and_a_legend_for_each() {
        let summary = |undone| Summary::of(&[figures(1.0, 0.1, undone)]).unwrap();
        let summaries = vec![(Contestant::Function, summary(0)), (Contestant::Standard, summary(7))];
        let svg = plot(&Section { scenario: Scenario::Dip, summaries }, Setup { scale: 20.0, queues: 300 });
        assert_eq!(svg.matches("<polyline").count(), 3);
        assert!(svg.contains("this function: 1.00 of the limit, 10.0 % throttled, nothing left undone"));
        assert!(svg.contains("gave up after 1.00 of the limit, 10.0 % throttled, 7 of 1500 pairs undone"));
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    }
}
