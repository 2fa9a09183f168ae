//! Which threads share a descriptor table: a sort by pairwise comparison, among threads that may
//! vanish.

use std::cmp::Ordering;

use rustix::io::Errno;

use crate::event::id::Tid;

/// Groups threads by table, in the order of each group's first thread. `compare` orders two
/// threads' tables; `alive` says whether a thread still uses one. Threads that vanish are left
/// out. Where `compare` is refused, everything is one group.
pub(super) fn groups(
    threads: &[Tid],
    mut compare: impl FnMut(Tid, Tid) -> Result<Ordering, Errno>,
    mut alive: impl FnMut(Tid) -> bool,
) -> Vec<Vec<Tid>> {
    // Sorted by table; each group remembers the place of its first thread.
    let mut groups: Vec<(usize, Vec<Tid>)> = Vec::new();
    'threads: for (place, &thread) in threads.iter().enumerate() {
        // Halving the range; nearly always there is one group, and one comparison.
        let (mut low, mut high) = (0, groups.len());
        while low < high {
            let middle = low.midpoint(high);
            let members = &groups[middle].1;
            let known = members
                .iter()
                .find_map(|&member| match compare(thread, member) {
                    Err(Errno::SRCH) => None,
                    // One that is leaving has let go of its table, and compares as having another.
                    Ok(Ordering::Less | Ordering::Greater) if !alive(member) => None,
                    told => Some(told),
                });
            match known {
                Some(Ok(Ordering::Equal)) => {
                    groups[middle].1.push(thread);
                    continue 'threads;
                }
                Some(Ok(Ordering::Less)) => high = middle,
                Some(Ok(Ordering::Greater)) => low = middle + 1,
                Some(Err(_)) => return vec![threads.to_vec()],
                // Either this thread is gone, or all that use the other table are.
                None if !alive(thread) => continue 'threads,
                None => {
                    groups.remove(middle);
                    (low, high) = (0, groups.len());
                }
            }
        }
        groups.insert(low, (place, vec![thread]));
    }
    groups.sort_unstable_by_key(|(place, _)| *place);
    groups.into_iter().map(|(_, members)| members).collect()
}

#[cfg(test)]
mod tests;
