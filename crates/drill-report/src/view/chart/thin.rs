//! Thinning out: a picture has so many columns, and each shows its lowest, its highest and its first unknown sample.

use super::Point;

/// Fewer samples than this are all shown.
const MOST: usize = 600;
/// So many columns share the rest.
const COLUMNS: usize = 200;

/// The samples that are shown, in order. No value outside of what is shown is hidden.
pub(super) fn out<'p, 'a>(points: &'p [Point<'a>]) -> Vec<&'p Point<'a>> {
    if points.len() <= MOST {
        return points.iter().collect();
    }
    points.chunks(points.len().div_ceil(COLUMNS)).flat_map(column).collect()
}

fn column<'p, 'a>(points: &'p [Point<'a>]) -> Vec<&'p Point<'a>> {
    let known = || points.iter().enumerate().filter_map(|(index, point)| Some((index, point.value.ok()?)));
    let by_value = |one: &(usize, f64), two: &(usize, f64)| one.1.total_cmp(&two.1);
    let lowest = known().min_by(by_value).map(|(index, _)| index);
    let highest = known().max_by(by_value).map(|(index, _)| index);
    let unknown = points.iter().position(|point| point.value.is_err());
    let mut shown: Vec<usize> = [lowest, highest, unknown].into_iter().flatten().collect();
    shown.sort_unstable();
    shown.dedup();
    shown.into_iter().map(|index| &points[index]).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn one_bad_sample_among_thousands_stays() {
        let value = |second| match second {
            7_777 => Ok(900.0),
            8_888 => Err("gap"),
            other => Ok(f64::from(other % 7)),
        };
        let points: Vec<Point<'_>> = (0..20_000)
            .map(|second| Point {
                at: Timestamp::from_second(second.into()).unwrap(),
                value: value(second),
                beyond: false,
            })
            .collect();

        let shown = out(&points);

        assert!(shown.len() <= 3 * COLUMNS);
        assert!(shown.iter().any(|point| point.value == Ok(900.0)));
        assert!(shown.iter().any(|point| point.value == Err("gap")));
        assert!(shown.is_sorted_by_key(|point| point.at));
    }
}
