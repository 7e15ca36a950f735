//! Who is who, and what an access control list gives to whom. Pure: bytes as the system lays them out.

/// A user or a group (a security identifier).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sid(Vec<u8>);

/// The administrators' group, and the system itself: both can do everything anyway.
const ADMINISTRATORS: &str = "S-1-5-32-544";
const SYSTEM: &str = "S-1-5-18";
/// Whoever owns the thing (`OWNER RIGHTS`), and who makes something in it (`CREATOR OWNER`).
const OWNER: &str = "S-1-3-4";
const CREATOR: &str = "S-1-3-0";
/// Everybody, those who logged in, and the users of this machine.
const ANYBODY: [&str; 3] = ["S-1-1-0", "S-1-5-11", "S-1-5-32-545"];

impl Sid {
    /// Takes one from the front of some bytes; `None` when they hold none.
    pub(super) fn read(bytes: &[u8]) -> Option<Sid> {
        let count = usize::from(*bytes.get(1)?);
        Some(Sid(bytes.get(..8 + 4 * count)?.to_vec()))
    }

    /// The last of its numbers, which tells the users of a machine apart.
    pub(super) fn number(&self) -> u32 {
        self.numbers().last().unwrap_or_default()
    }

    /// Whether that is the administrators or the system.
    pub(super) fn is_trusted(&self) -> bool {
        [ADMINISTRATORS, SYSTEM].contains(&self.to_string().as_str())
    }

    /// Whether that is everybody.
    pub(super) fn is_anybody(&self) -> bool {
        ANYBODY.contains(&self.to_string().as_str())
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        let number = |part: &[u8]| u32::from_le_bytes([part[0], part[1], part[2], part[3]]);
        self.0[8..].chunks_exact(4).map(number)
    }
}

impl std::fmt::Display for Sid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authority = self.0[2..8].iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        write!(f, "S-{}-{authority}", self.0[0])?;
        self.numbers().try_for_each(|number| write!(f, "-{number}"))
    }
}

/// A right that is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// To whom.
    pub(super) to: Sid,
    /// What (an access mask).
    pub(super) rights: u32,
}

/// An entry that gives rights, and one that does so on a condition, which is not looked at.
const ALLOWS: [u8; 2] = [0, 9];
/// Of a directory's entry: it counts for what is made in it only.
const INHERIT_ONLY: u8 = 8;

/// What a list gives; `None` when these bytes are no list. Entries that take something away are left
/// out, so that rather too much is found than too little; one of a kind that is not known gives nothing
/// to anybody on files (objects of a directory service).
pub(super) fn given(list: &[u8]) -> Option<Vec<Given>> {
    let half = |at: usize| Some(u16::from_le_bytes(list.get(at..at + 2)?.try_into().ok()?));
    let (count, mut at) = (half(4)?, 8);
    let mut given = Vec::new();
    for _ in 0..count {
        let entry = list.get(at..at + usize::from(half(at + 2)?))?;
        if entry.len() < 8 {
            return None;
        }
        if ALLOWS.contains(&entry[0]) && entry[1] & INHERIT_ONLY == 0 {
            let rights = u32::from_le_bytes(entry[4..8].try_into().ok()?);
            given.push(Given { to: Sid::read(&entry[8..])?, rights });
        }
        at += entry.len();
    }
    Some(given)
}

/// The rights that change a file or what is in a directory: write data (add a file), append (add a
/// directory), delete a child, delete, change the list, take it over, and what stands for all of them
/// (`FILE_WRITE_DATA` to `WRITE_OWNER`, `GENERIC_ALL`, `GENERIC_WRITE`).
const WRITES: u32 = 0x2 | 0x4 | 0x40 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x1000_0000 | 0x4000_0000;

/// Who else than `user` may write, of those to whom something is given: not who can do everything anyway.
pub(super) fn other_writers<'a>(
    given: &'a [Given],
    user: &'a Sid,
) -> impl Iterator<Item = &'a Sid> {
    let is_other = move |sid: &Sid| {
        sid != user && !sid.is_trusted() && ![OWNER, CREATOR].contains(&sid.to_string().as_str())
    };
    given
        .iter()
        .filter(|given| given.rights & WRITES != 0)
        .map(|given| &given.to)
        .filter(move |&sid| is_other(sid))
}

/// Whether anything at all is given to others than `user` and those who can do everything anyway.
pub(super) fn is_private(given: &[Given], user: &Sid) -> bool {
    given.iter().all(|given| given.to == *user || given.to.is_trusted())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(authority: u8, numbers: &[u32]) -> Vec<u8> {
        let mut bytes = vec![1, numbers.len() as u8, 0, 0, 0, 0, 0, authority];
        numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes
    }

    /// A list of entries: kind, flags, rights, to whom.
    fn list(entries: &[(u8, u8, u32, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = vec![2, 0, 0, 0, entries.len() as u8, 0, 0, 0];
        for (kind, flags, rights, sid) in entries {
            let length = 8 + sid.len() as u16;
            bytes.extend([*kind, *flags]);
            bytes.extend(length.to_le_bytes());
            bytes.extend(rights.to_le_bytes());
            bytes.extend(sid);
        }
        let length = bytes.len() as u16;
        bytes[2..4].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    fn user(number: u32) -> Vec<u8> {
        sid(5, &[21, 1, 2, 3, number])
    }

    #[test]
    fn identifiers_are_written_as_the_system_does() {
        let read = |bytes: &[u8]| Sid::read(bytes).unwrap();
        assert_eq!(read(&user(1001)).to_string(), "S-1-5-21-1-2-3-1001");
        assert_eq!(read(&user(1001)).number(), 1001);
        assert!(read(&sid(5, &[18])).is_trusted() && read(&sid(5, &[32, 544])).is_trusted());
        assert!(read(&sid(1, &[0])).is_anybody() && !read(&user(1001)).is_anybody());
        assert_eq!(Sid::read(&user(1001)[..20]), None);
        assert_eq!(Sid::read(&[]), None);
    }

    #[test]
    fn a_list_of_ones_own_and_the_administrators_is_private() {
        let entries = [(0, 0, 0x1f01ff, user(1001)), (0, 0, 0x1f01ff, sid(5, &[18]))];
        let found = given(&list(&entries)).unwrap();
        let own = Sid::read(&user(1001)).unwrap();
        assert!(is_private(&found, &own));
        assert_eq!(other_writers(&found, &own).count(), 0);
        let other = Sid::read(&user(1002)).unwrap();
        assert!(!is_private(&found, &other));
        assert_eq!(other_writers(&found, &other).collect::<Vec<_>>(), [&own]);
    }

    #[test]
    fn who_may_only_read_is_no_writer_and_no_secret_is_kept_from_them() {
        let entries = [(0, 0, 0x1f01ff, user(1001)), (0, 0, 0x1200a9, sid(1, &[0]))];
        let found = given(&list(&entries)).unwrap();
        let own = Sid::read(&user(1001)).unwrap();
        assert!(!is_private(&found, &own));
        assert_eq!(other_writers(&found, &own).count(), 0);
    }

    #[test]
    fn what_takes_away_or_is_for_what_is_made_later_gives_nothing() {
        let own = Sid::read(&user(1001)).unwrap();
        let entries = [(1, 0, 0x1f01ff, user(7)), (0, 0xb, 0x1f01ff, user(8)), (0, 3, 2, user(9))];
        let found = given(&list(&entries)).unwrap();
        let writers: Vec<u32> = other_writers(&found, &own).map(Sid::number).collect();
        assert_eq!(writers, [9]);
        // What is given on a condition may be given.
        let on_condition = [user(10), b"artx\0\0\0\0".to_vec()].concat();
        let found = given(&list(&[(9, 0, 0x1f01ff, on_condition)])).unwrap();
        assert_eq!(other_writers(&found, &own).map(Sid::number).collect::<Vec<_>>(), [10]);
        // Who makes something in a directory, and whoever owns it, are no others.
        let entries = [(0, 0, 0x1000_0000, sid(3, &[0])), (0, 0, 0x1000_0000, sid(3, &[4]))];
        assert_eq!(other_writers(&given(&list(&entries)).unwrap(), &own).count(), 0);
    }

    #[test]
    fn bytes_that_are_cut_off_are_no_list() {
        let whole = list(&[(0, 0, 1, user(1001)), (0, 0, 1, user(1002))]);
        assert!((0..whole.len()).all(|length| given(&whole[..length]).is_none()));
        let mut looping = whole.clone();
        looping[10..12].copy_from_slice(&[0, 0]);
        assert_eq!(given(&looping), None);
    }
}
