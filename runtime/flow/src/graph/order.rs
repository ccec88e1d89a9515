//! The order within rows: few crossings, and the keys of a menu left to right.
//!
//! A link over several rows has a bend in each row that it passes. Rows are sorted by the mean
//! place of what is above, then of what is below, to and fro; then neighbours change places
//! where that helps. The best order seen is kept.

use super::{
    rank::Ranks,
    ways::{EdgeKind, Graph},
};

/// How often the rows are sorted downwards and upwards.
const SWEEPS_MAX: usize = 12;

/// Sweeps without a better order after which no more are tried.
const FRUITLESS_MAX: usize = 4;

/// What stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// A place.
    Place(usize),
    /// A link that passes.
    Bend(usize),
}

/// A link between two rows, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) link: usize,
}

/// Rows of items in order.
pub(super) struct Rows {
    pub(super) items: Vec<Item>,
    /// Items of each row, left to right.
    pub(super) rows: Vec<Vec<usize>>,
    /// Segments between each row and the next.
    pub(super) segments: Vec<Vec<Segment>>,
    /// Segments of each link, top to bottom, as places in `segments`.
    pub(super) chains: Vec<Vec<(usize, usize)>>,
    /// The place of each item in its row.
    pub(super) at: Vec<usize>,
    up: Vec<Vec<usize>>,
    down: Vec<Vec<usize>>,
    /// Of an item that a menu's key leads to: the menu's item and where the key stands.
    key: Vec<Option<(usize, usize)>>,
}

impl Rows {
    pub(super) fn new(graph: &Graph, ranks: &Ranks) -> Self {
        let count = ranks.rank.iter().max().map_or(0, |rank| rank + 1);
        let mut rows = Self {
            items: (0..graph.places.len()).map(Item::Place).collect(),
            rows: vec![Vec::new(); count],
            segments: vec![Vec::new(); count.saturating_sub(1)],
            chains: vec![Vec::new(); graph.links.len()],
            at: Vec::new(),
            up: Vec::new(),
            down: Vec::new(),
            key: Vec::new(),
        };
        rows.first_order(graph, ranks);
        rows.at = vec![0; rows.items.len()];
        rows.up = vec![Vec::new(); rows.items.len()];
        rows.down = vec![Vec::new(); rows.items.len()];
        rows.key = vec![None; rows.items.len()];
        for segment in rows.segments.iter().flatten() {
            rows.down[segment.upper].push(segment.lower);
            rows.up[segment.lower].push(segment.upper);
            let link = &graph.links[segment.link];
            let from_place = matches!(rows.items[segment.upper], Item::Place(place) if place == link.from);
            if link.kind == EdgeKind::Key && from_place && !ranks.back[segment.link] {
                let owner = (segment.upper, link.position);
                let before = rows.key[segment.lower];
                rows.key[segment.lower] = Some(before.map_or(owner, |before| before.min(owner)));
            }
        }
        rows.index();
        rows.improve();
        rows
    }

    /// Items in the order of a walk along the ways, which puts what belongs together side by side.
    fn first_order(&mut self, graph: &Graph, ranks: &Ranks) {
        let mut seen = vec![false; graph.places.len()];
        for root in 0..graph.places.len() {
            let mut open = vec![root];
            while let Some(place) = open.pop() {
                if std::mem::replace(&mut seen[place], true) {
                    continue;
                }
                self.rows[ranks.rank[place]].push(place);
                for link in graph.out[place].iter().copied().filter(|link| ranks.line[*link]) {
                    self.chain(graph, ranks, link);
                }
                // The last one pushed is walked first.
                let down = graph.out[place].iter().rev().filter(|link| ranks.line[**link]);
                open.extend(down.map(|link| graph.links[*link].to));
            }
        }
    }

    /// Puts a link's bends into the rows that it passes.
    fn chain(&mut self, graph: &Graph, ranks: &Ranks, index: usize) {
        let link = &graph.links[index];
        let (top, bottom) = if ranks.back[index] {
            (link.to, link.from)
        } else {
            (link.from, link.to)
        };
        let mut upper = top;
        for row in ranks.rank[top]..ranks.rank[bottom] {
            let lower = if row + 1 == ranks.rank[bottom] {
                bottom
            } else {
                self.items.push(Item::Bend(index));
                self.rows[row + 1].push(self.items.len() - 1);
                self.items.len() - 1
            };
            self.chains[index].push((row, self.segments[row].len()));
            self.segments[row].push(Segment {
                upper,
                lower,
                link: index,
            });
            upper = lower;
        }
    }

    fn index(&mut self) {
        for row in &self.rows {
            for (place, item) in row.iter().enumerate() {
                self.at[*item] = place;
            }
        }
    }

    fn improve(&mut self) {
        let mut best = self.rows.clone();
        let mut fewest = self.crossings();
        let mut fruitless = 0;
        for _ in 0..SWEEPS_MAX {
            if fewest == 0 || fruitless == FRUITLESS_MAX {
                break;
            }
            for row in 1..self.rows.len() {
                self.sort(row, true);
            }
            for row in (0..self.rows.len().saturating_sub(1)).rev() {
                self.sort(row, false);
            }
            for row in 1..self.rows.len() {
                self.sort(row, true);
            }
            for row in 0..self.rows.len() {
                self.swap_neighbours(row);
            }
            let crossings = self.crossings();
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.rows);
                fruitless = 0;
            } else {
                fruitless += 1;
            }
        }
        self.rows = best;
        self.index();
        for row in 0..self.rows.len() {
            self.keys_in_order(row);
        }
    }

    /// Sorts a row by the mean place of what is above it, or below.
    fn sort(&mut self, row: usize, by_above: bool) {
        let near = if by_above { &self.up } else { &self.down };
        let mut keyed: Vec<(f64, usize)> = self.rows[row]
            .iter()
            .map(|item| {
                let near = &near[*item];
                let mean = if near.is_empty() {
                    self.at[*item] as f64
                } else {
                    near.iter().map(|other| self.at[*other] as f64).sum::<f64>() / near.len() as f64
                };
                (mean, *item)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.rows[row] = keyed.into_iter().map(|(_, item)| item).collect();
        self.keys_in_order(row);
    }

    /// Puts what the keys of one menu lead to into the order of the keypad, within the places
    /// that they have.
    fn keys_in_order(&mut self, row: usize) {
        let mut owned: Vec<(usize, usize, usize)> = self.rows[row]
            .iter()
            .enumerate()
            .filter_map(|(place, item)| self.key[*item].map(|(menu, key)| (menu, key, place)))
            .collect();
        owned.sort_unstable();
        let old = self.rows[row].clone();
        for group in owned.chunk_by(|a, b| a.0 == b.0) {
            let mut places: Vec<usize> = group.iter().map(|(_, _, place)| *place).collect();
            places.sort_unstable();
            for (place, (_, _, from)) in places.into_iter().zip(group) {
                self.rows[row][place] = old[*from];
            }
        }
        for (place, item) in self.rows[row].iter().enumerate() {
            self.at[*item] = place;
        }
    }

    /// Lets neighbours change places where that saves crossings.
    fn swap_neighbours(&mut self, row: usize) {
        for place in 1..self.rows[row].len() {
            let (left, right) = (self.rows[row][place - 1], self.rows[row][place]);
            let same_menu = match (self.key[left], self.key[right]) {
                (Some(left), Some(right)) => left.0 == right.0,
                _ => false,
            };
            if same_menu {
                continue;
            }
            let crossings = |a: usize, b: usize| {
                let between = |a: &[usize], b: &[usize]| {
                    let mut count = 0_usize;
                    for one in a {
                        count += b.iter().filter(|other| self.at[*one] > self.at[**other]).count();
                    }
                    count
                };
                between(&self.up[a], &self.up[b]) + between(&self.down[a], &self.down[b])
            };
            // What gathers hundreds of lines stays where it is: counting would take too long.
            let degree = |item: usize| self.up[item].len() + self.down[item].len();
            if degree(left) * degree(right) < 1_000 && crossings(right, left) < crossings(left, right) {
                self.rows[row].swap(place - 1, place);
                self.at[left] = place;
                self.at[right] = place - 1;
            }
        }
    }

    /// How many segments cross each other.
    pub(super) fn crossings(&self) -> usize {
        self.segments
            .iter()
            .enumerate()
            .map(|(row, segments)| {
                let mut ends: Vec<(usize, usize)> = segments
                    .iter()
                    .map(|segment| (self.at[segment.upper], self.at[segment.lower]))
                    .collect();
                ends.sort_unstable();
                inversions(&ends, self.rows[row + 1].len())
            })
            .sum()
    }
}

/// Pairs whose second numbers stand the other way round than their first, of a list that is
/// sorted by the first (a Fenwick tree counts them).
fn inversions(ends: &[(usize, usize)], width: usize) -> usize {
    let mut tree = vec![0_usize; width + 1];
    let mut count = 0;
    for (seen, (_, lower)) in ends.iter().enumerate() {
        // How many before it end at its place or to the left.
        let mut up_to = 0;
        let mut at = lower + 1;
        while at > 0 {
            up_to += tree[at];
            at -= at & at.wrapping_neg();
        }
        count += seen - up_to;
        let mut at = lower + 1;
        while at <= width {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_counted() {
        assert_eq!(inversions(&[(0, 0), (1, 1), (2, 2)], 3), 0);
        assert_eq!(inversions(&[(0, 2), (1, 1), (2, 0)], 3), 3);
        assert_eq!(inversions(&[(0, 1), (0, 2), (1, 0), (1, 2)], 3), 2);
    }
}
