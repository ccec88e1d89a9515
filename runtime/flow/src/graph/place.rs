//! Coordinates within rows: the main line straight, everything else near what it belongs to,
//! nothing over anything.
//!
//! Between two rows of places lies a row of labels: each segment passes through it, and where a
//! link has words they have room there. Every row in turn takes the places that are nearest to
//! where its neighbours would have them while it keeps its order and its gaps; that is a
//! regression with an order (pool adjacent violators), exact and linear. The main line weighs so
//! much that it does not move.

/// How heavy the main line is.
const MAIN_WEIGHT: f64 = 1e6;

/// How heavy a bend is: long lines are to be straight.
const BEND_WEIGHT: f64 = 4.0;

/// How often all rows are placed.
const ROUNDS: usize = 24;

/// Something that has a place in a row.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) width: f64,
    /// Whether it belongs to the main line.
    pub(super) main: bool,
    /// Whether it is a bend of a link or the room of a label.
    pub(super) thin: bool,
}

/// A wish of two bodies in rows next to each other to stand under each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tie {
    pub(super) upper: usize,
    /// Where on the upper one, from its middle.
    pub(super) upper_offset: f64,
    pub(super) lower: usize,
    /// Where on the lower one, from its middle.
    pub(super) lower_offset: f64,
}

/// Places the middles of all bodies.
pub(super) fn place(bodies: &[Body], rows: &[Vec<usize>], ties: &[Tie]) -> Vec<f64> {
    let mut above: Vec<Vec<(usize, f64)>> = vec![Vec::new(); bodies.len()];
    let mut below: Vec<Vec<(usize, f64)>> = vec![Vec::new(); bodies.len()];
    for tie in ties {
        above[tie.lower].push((tie.upper, tie.upper_offset - tie.lower_offset));
        below[tie.upper].push((tie.lower, tie.lower_offset - tie.upper_offset));
    }
    let mut x = first_places(bodies, rows);
    for round in 0..ROUNDS {
        let settling = round * 2 >= ROUNDS;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for row in order {
            // At first each row follows the one that was placed before it; then both its neighbours.
            let (down, up) = match (settling, round % 2) {
                (true, _) => (1.0, 1.0),
                (false, 0) => (1.0, 0.0),
                (false, _) => (0.0, 1.0),
            };
            settle(bodies, &rows[row], &mut x, |body, x| {
                wish(body, bodies, &above[body], down, &below[body], up, x)
            });
        }
    }
    x
}

/// Makes lines straight where there is room: each line in turn takes one place for as many rows
/// as have it free.
pub(super) fn straighten(bodies: &[Body], rows: &[Vec<usize>], lanes: &[Vec<usize>], x: &mut [f64]) {
    let mut at = vec![(0, 0); bodies.len()];
    for (row, members) in rows.iter().enumerate() {
        for (place, body) in members.iter().enumerate() {
            at[*body] = (row, place);
        }
    }
    let free = |body: usize, x: &[f64]| {
        let (row, place) = at[body];
        let members = &rows[row];
        let left = place.checked_sub(1).map_or(f64::NEG_INFINITY, |before| {
            x[members[before]] + distance(&bodies[members[before]], &bodies[body])
        });
        let right = members.get(place + 1).map_or(f64::INFINITY, |after| {
            x[*after] - distance(&bodies[body], &bodies[*after])
        });
        (left.min(x[body]), right.max(x[body]))
    };
    for lane in lanes
        .iter()
        .filter(|lane| lane.iter().all(|body| !bodies[*body].main))
    {
        let mut begin = 0;
        while begin < lane.len() {
            let (mut low, mut high) = free(lane[begin], x);
            let mut end = begin + 1;
            let mut sum = x[lane[begin]];
            while let Some(body) = lane.get(end) {
                let (left, right) = free(*body, x);
                if left.max(low) > right.min(high) {
                    break;
                }
                (low, high) = (left.max(low), right.min(high));
                sum += x[*body];
                end += 1;
            }
            let mean = sum / f64::from(u32::try_from(end - begin).unwrap_or(u32::MAX));
            // Room that only rounding denies is none.
            let place = mean.max(low).min(high);
            for body in &lane[begin..end] {
                x[*body] = place;
            }
            begin = end;
        }
    }
}

/// Where a body would like to be, and how much.
fn wish(
    body: usize,
    bodies: &[Body],
    above: &[(usize, f64)],
    down: f64,
    below: &[(usize, f64)],
    up: f64,
    x: &[f64],
) -> (f64, f64) {
    if bodies[body].main {
        return (0.0, MAIN_WEIGHT);
    }
    let (mut sum, mut weight) = (0.0, 0.0);
    for (near, factor) in [(above, down), (below, up)] {
        for (other, offset) in near {
            let straight = bodies[body].thin && bodies[*other].thin;
            let pull = factor * if straight { BEND_WEIGHT } else { 1.0 };
            sum += pull * (x[*other] + offset);
            weight += pull;
        }
    }
    if weight == 0.0 {
        return (x[body], 0.05);
    }
    (sum / weight, weight)
}

/// Rows side by side from the main line on.
fn first_places(bodies: &[Body], rows: &[Vec<usize>]) -> Vec<f64> {
    let mut x = vec![0.0; bodies.len()];
    for row in rows {
        let mut at = 0.0;
        for (place, body) in row.iter().enumerate() {
            if place > 0 {
                at += distance(&bodies[row[place - 1]], &bodies[*body]);
            }
            x[*body] = at;
        }
        let origin = row
            .iter()
            .find(|body| bodies[**body].main)
            .map_or(at / 2.0, |main| x[*main]);
        for body in row {
            x[*body] -= origin;
        }
    }
    x
}

/// The least distance of the middles of two neighbours.
fn distance(left: &Body, right: &Body) -> f64 {
    let gap = match (left.thin, right.thin) {
        (true, true) => 14.0,
        (false, false) => 28.0,
        _ => 20.0,
    };
    (left.width + right.width) / 2.0 + gap
}

/// Moves a row to where it would like to be, in its order and with its gaps.
fn settle(bodies: &[Body], row: &[usize], x: &mut [f64], wish: impl Fn(usize, &[f64]) -> (f64, f64)) {
    struct Pool {
        mean: f64,
        weight: f64,
        count: usize,
    }
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(row.len());
    let mut pools: Vec<Pool> = Vec::new();
    for (place, body) in row.iter().enumerate() {
        if place > 0 {
            offset += distance(&bodies[row[place - 1]], &bodies[*body]);
        }
        offsets.push(offset);
        let (wanted, weight) = wish(*body, x);
        let mut pool = Pool {
            mean: wanted - offset,
            weight,
            count: 1,
        };
        while let Some(before) = pools.pop() {
            if before.mean <= pool.mean {
                pools.push(before);
                break;
            }
            let weight = before.weight + pool.weight;
            pool = Pool {
                mean: (before.mean * before.weight + pool.mean * pool.weight) / weight,
                weight,
                count: before.count + pool.count,
            };
        }
        pools.push(pool);
    }
    let means = pools
        .iter()
        .flat_map(|pool| std::iter::repeat_n(pool.mean, pool.count));
    for ((body, offset), mean) in row.iter().zip(offsets).zip(means) {
        x[*body] = mean + offset;
    }
    // What weighs as much as the main line is on it.
    if let Some(main) = row.iter().find(|body| bodies[**body].main) {
        let off = x[*main];
        for body in row {
            x[*body] -= off;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(main: bool) -> Body {
        Body {
            width: 100.0,
            main,
            thin: false,
        }
    }

    #[test]
    fn the_main_line_is_straight_and_nothing_overlaps() {
        // A main line of two, and three beside the lower one that all want to be under the upper one.
        let bodies = [body(true), body(false), body(true), body(false), body(false)];
        let rows = [vec![0], vec![1, 2, 3, 4]];
        let ties: Vec<Tie> = (1..5)
            .map(|lower| Tie {
                upper: 0,
                upper_offset: 0.0,
                lower,
                lower_offset: 0.0,
            })
            .collect();
        let x = place(&bodies, &rows, &ties);
        assert!(x[0].abs() < 1e-6 && x[2].abs() < 1e-6, "{x:?}");
        for pair in rows[1].windows(2) {
            assert!(x[pair[1]] - x[pair[0]] >= 128.0 - 1e-6, "{x:?}");
        }
    }
}
