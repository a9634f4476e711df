//! The main figures as bars, in an SVG that needs nothing but a browser and is legible on light and dark pages.

use crate::peers::Peer;
use crate::plan::PLAN;
use crate::report::{Results, number};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 120.0;
const BAR: f64 = 15.0;
const GAP: f64 = 4.0;

fn colour(peer: Peer) -> &'static str {
    match peer {
        Peer::Ours => "#d9480f",
        Peer::Raw => "#868e96",
        _ => "#74a9cf",
    }
}

pub fn svg(results: &Results) -> String {
    let mut body = String::new();
    let mut y = 10.0;
    for row in PLAN {
        for figure in row.results.iter().filter(|figure| figure.plotted) {
            let bars: Vec<(Peer, f64)> =
                Peer::ALL.into_iter().filter_map(|peer| Some((peer, results.median(row, peer, figure)?))).collect();
            let longest = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
            let better = if figure.more_is_better { "more is better" } else { "less is better" };
            y += 18.0;
            writeln!(
                body,
                "<text x='10' y='{y}' font-weight='bold'>{}, {} ({better})</text>",
                figure.title, figure.unit
            )
            .expect("a String");
            y += 8.0;
            for (peer, value) in bars {
                let width = (WIDTH - LEFT - 90.0) * value / longest;
                let (text, fill) = (y + BAR - 3.0, colour(peer));
                writeln!(
                    body,
                    "<text x='{}' y='{text}' text-anchor='end'>{}</text>\
                     <rect x='{LEFT}' y='{y}' width='{width:.1}' height='{BAR}' rx='2' fill='{fill}'/>\
                     <text x='{:.1}' y='{text}'>{}</text>",
                    LEFT - 8.0,
                    peer.name(),
                    LEFT + width + 6.0,
                    number(value)
                )
                .expect("a String");
                y += BAR + GAP;
            }
            y += 10.0;
        }
    }
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {y}' width='{WIDTH}' height='{y}' \
         font-family='system-ui, sans-serif' font-size='12'>\n\
         <rect width='100%' height='100%' rx='6' fill='#ffffff'/>\n<g fill='#212529'>\n{body}</g>\n</svg>\n"
    )
}
