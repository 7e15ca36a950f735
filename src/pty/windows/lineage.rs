//! Who started whom, by the system's table of processes.

use std::collections::HashMap;

/// The processes from `number` up to `first`, which started them, without that one itself. Where the table
/// does not lead there, since one between has ended, say, `number` alone.
///
/// `parents` has, for each process, the one that started it.
pub(super) fn line(number: u32, first: u32, parents: &HashMap<u32, u32>) -> Vec<u32> {
    let mut line = Vec::new();
    let mut next = Some(number);
    // A number may mean a process that was started since, so that the table may lead in circles.
    while let Some(process) = next.filter(|process| !line.contains(process)) {
        if process == first {
            return line;
        }
        line.push(process);
        next = parents.get(&process).copied();
    }
    vec![number]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_between_are_found() {
        // The number 7 is a stranger's, 2 started 3, and so on.
        let parents = HashMap::from([(2, 1), (3, 2), (4, 3), (7, 1)]);
        assert_eq!(line(4, 2, &parents), [4, 3]);
        assert_eq!(line(3, 2, &parents), [3]);
        assert!(line(2, 2, &parents).is_empty());
    }

    #[test]
    fn where_the_table_does_not_lead_there_nobody_is_between() {
        let parents = HashMap::from([(2, 1), (4, 3), (5, 6), (6, 5), (8, 8)]);
        assert_eq!(line(4, 2, &parents), [4]);
        assert_eq!(line(5, 2, &parents), [5]);
        assert_eq!(line(8, 2, &parents), [8]);
        assert_eq!(line(9, 2, &parents), [9]);
    }
}
