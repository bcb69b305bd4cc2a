//! The order of operations: strongly connected components (Tarjan), which come out with what they need
//! before them.

/// Operations that are carried out together: one, or several that name each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkUnit {
    /// Places of the operations in the request, in the client's order.
    pub operations: Vec<usize>,
    /// Whether they name each other, or one itself: each is created without these references first,
    /// and completed when all exist.
    pub circular: bool,
}

const UNSEEN: usize = usize::MAX;

/// What the walk knows of one operation.
#[derive(Clone, Copy)]
struct Seen {
    number: usize,
    lowest: usize,
    waiting: bool,
}

/// `needs[n]` are the operations that the nth one names. The walk keeps its own stack: a chain may be
/// as long as the request.
pub(super) fn order(needs: &[Vec<usize>]) -> Vec<BulkUnit> {
    let unseen = Seen {
        number: UNSEEN,
        lowest: UNSEEN,
        waiting: false,
    };
    let mut seen = vec![unseen; needs.len()];
    let (mut units, mut waiting, mut path) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 0;
    for root in 0..needs.len() {
        if seen[root].number == UNSEEN {
            path.push((root, 0));
        }
        while let Some((node, edge)) = path.pop() {
            if edge == 0 {
                seen[node] = Seen {
                    number: count,
                    lowest: count,
                    waiting: true,
                };
                count += 1;
                waiting.push(node);
            } else {
                let child = seen[needs[node][edge - 1]];
                if child.waiting {
                    seen[node].lowest = seen[node].lowest.min(child.lowest);
                }
            }
            if let Some(&next) = needs[node].get(edge) {
                path.push((node, edge + 1));
                if seen[next].number == UNSEEN {
                    path.push((next, 0));
                }
                continue;
            }
            if seen[node].lowest == seen[node].number {
                let from = waiting.iter().rposition(|one| *one == node).unwrap_or(0);
                let mut operations = waiting.split_off(from);
                operations.sort_unstable();
                for &one in &operations {
                    seen[one].waiting = false;
                }
                units.push(BulkUnit {
                    circular: operations.len() > 1 || needs[node].contains(&node),
                    operations,
                });
            }
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(needs: &[&[usize]]) -> Vec<(Vec<usize>, bool)> {
        let needs: Vec<Vec<usize>> = needs.iter().map(|needs| needs.to_vec()).collect();
        let units = order(&needs).into_iter();
        units.map(|unit| (unit.operations, unit.circular)).collect()
    }

    #[test]
    fn what_is_needed_comes_first_and_the_rest_stays_in_order() {
        let one = |nth: usize| (vec![nth], false);
        assert_eq!(units(&[]), []);
        assert_eq!(units(&[&[], &[], &[]]), [one(0), one(1), one(2)]);
        assert_eq!(
            units(&[&[2], &[], &[3], &[], &[]]),
            [one(3), one(2), one(0), one(1), one(4)]
        );
        assert_eq!(units(&[&[0]]), [(vec![0], true)]);
        assert_eq!(
            units(&[&[1, 3], &[2], &[0], &[], &[1]]),
            [one(3), (vec![0, 1, 2], true), one(4)]
        );
    }

    #[test]
    fn a_chain_of_any_length_needs_no_deep_stack() {
        let needs: Vec<Vec<usize>> = (0..100_000)
            .map(|nth| {
                if nth + 1 < 100_000 {
                    vec![nth + 1]
                } else {
                    Vec::new()
                }
            })
            .collect();
        let units = order(&needs);
        assert_eq!(units.first().unwrap().operations, [99_999]);
        assert_eq!(units.len(), 100_000);
    }
}
