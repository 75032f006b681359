//! Where nodes are drawn, and the picture itself.

use super::export::escaped;
use super::{Graph, NodeKind};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::fmt::Write;

/// How nodes are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Outer networks above, the rest by layers.
    #[default]
    Hierarchical,
    Circular,
    Grid,
    /// Places as in [`Layout::Hierarchical`], to begin a simulation with.
    Force,
}

/// Between two nodes, and between two layers.
const STEP: (u32, u32) = (160, 140);
/// Nodes beside each other before a layer goes on below.
const WIDE: u32 = 24;
/// Around the picture.
const MARGIN: u32 = 80;

impl Layout {
    /// A layout by its word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "hierarchical" => Self::Hierarchical,
            "circular" => Self::Circular,
            "grid" => Self::Grid,
            "force" => Self::Force,
            _ => return None,
        })
    }
}

impl Graph {
    /// A place for each node, in the order of the nodes, from the upper left.
    pub fn places(&self, layout: Layout) -> Vec<(u32, u32)> {
        match layout {
            Layout::Hierarchical | Layout::Force => self.layered(),
            Layout::Circular => circular(self.nodes.len()),
            Layout::Grid => grid(self.nodes.len()),
        }
    }

    /// By layers; those that are left of a layer close up.
    fn layered(&self) -> Vec<(u32, u32)> {
        let mut layers: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            layers.entry(node.layer).or_default().push(at);
        }
        let mut places = vec![(0, 0); self.nodes.len()];
        let mut row = 0;
        for nodes in layers.values() {
            for (number, at) in (0u32..).zip(nodes) {
                places[*at] = (number % WIDE * STEP.0, (row + number / WIDE) * STEP.1);
            }
            row += u32::try_from(nodes.len()).unwrap_or(u32::MAX).div_ceil(WIDE);
        }
        places
    }

    /// A picture of its own, for browsers and documents.
    pub fn to_svg(&self, layout: Layout) -> String {
        let places = self.places(layout);
        let by_id: BTreeMap<&str, (u32, u32)> = self
            .nodes
            .iter()
            .zip(&places)
            .map(|(node, place)| (node.id.as_str(), (place.0 + MARGIN, place.1 + MARGIN)))
            .collect();
        let far = |at: fn(&(u32, u32)) -> u32| places.iter().map(at).max().unwrap_or(0) + 2 * MARGIN;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
             font-family=\"sans-serif\" font-size=\"12\" text-anchor=\"middle\">\n",
            far(|place| place.0),
            far(|place| place.1)
        );
        for link in &self.links {
            let ends = by_id.get(link.from.as_str()).zip(by_id.get(link.to.as_str()));
            let Some(((x1, y1), (x2, y2))) = ends else {
                continue;
            };
            let title = escaped(&link.addresses.join(" "));
            writeln!(
                svg,
                "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#999\"><title>{title}</title></line>"
            )
            .expect("a text takes all");
        }
        for node in &self.nodes {
            let (x, y) = by_id[node.id.as_str()];
            let (colour, shape) = match node.kind {
                NodeKind::Outer => ("#cfe3f7", "rx=\"2\" stroke-width=\"3\""),
                NodeKind::Router => ("#fbe3c0", "rx=\"16\""),
                NodeKind::Switch => ("#d9ecd3", "rx=\"2\""),
                NodeKind::Port => ("#ffffff", "rx=\"2\" stroke-dasharray=\"3\""),
            };
            let (label, kind) = (escaped(&node.label), node.kind.word());
            let hover = escaped(&format!("{kind} {}\n{}", node.label, node.addresses.join("\n")));
            writeln!(
                svg,
                "<g id=\"{}\" class=\"{kind}\"><title>{hover}</title><rect x=\"{}\" y=\"{}\" width=\"140\" height=\"32\" \
                 fill=\"{colour}\" stroke=\"#444\" {shape}/><text x=\"{x}\" y=\"{}\">{}</text></g>",
                escaped(&node.id),
                x.saturating_sub(70),
                y.saturating_sub(16),
                y + 4,
                short(&label, &node.label),
            )
            .expect("a text takes all");
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A label that fits its box; the whole one is in the title.
fn short(escaped_label: &str, label: &str) -> String {
    const FITS: usize = 20;
    match label.chars().count() <= FITS {
        true => escaped_label.to_owned(),
        false => format!("{}…", escaped(&label.chars().take(FITS - 1).collect::<String>())),
    }
}

fn grid(count: usize) -> Vec<(u32, u32)> {
    let wide = (1..).find(|wide| wide * wide >= count).unwrap_or(1);
    let place = |at: usize| {
        let step = |steps: usize, of: u32| u32::try_from(steps).unwrap_or(u32::MAX).saturating_mul(of);
        (step(at % wide, STEP.0), step(at / wide, STEP.1))
    };
    (0..count).map(place).collect()
}

fn circular(count: usize) -> Vec<(u32, u32)> {
    let radius = (count as f64 * f64::from(STEP.0) / TAU).max(f64::from(STEP.1));
    let place = |at: usize| {
        let angle = TAU * at as f64 / count as f64;
        let along = |part: f64| (radius * (1.0 + part)).round() as u32;
        (along(angle.sin()), along(-angle.cos()))
    };
    (0..count).map(place).collect()
}
