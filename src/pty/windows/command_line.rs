//! Command lines and environments as the system takes them: one text each, in UTF-16. Pure.

/// Why a program can't be given what it was to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsayable {
    /// There is a NUL in it, which ends such a text.
    Nul,
    /// An environment's name is empty, or has a `=` that is not its first character.
    Name,
}

impl std::fmt::Display for Unsayable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unsayable::Nul => "a NUL character can't be given to a program",
            Unsayable::Name => "a name in the environment is empty or has a `=`",
        })
    }
}

const NUL: u16 = 0;
const TAB: u16 = b'\t' as u16;
const BLANK: u16 = b' ' as u16;
const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;
const EQUALS: u16 = b'=' as u16;

/// The command line, which ends with a NUL, that a program with C's start-up code takes apart into these
/// words again (`CommandLineToArgvW`). The first word is the program's file, where a backslash is always
/// itself and a quote can't be.
///
/// # Errors
/// When a word has a NUL.
pub(super) fn command_line(file: &[u16], arguments: &[Vec<u16>]) -> Result<Vec<u16>, Unsayable> {
    if file.contains(&NUL) || arguments.iter().any(|argument| argument.contains(&NUL)) {
        return Err(Unsayable::Nul);
    }
    let mut line = vec![QUOTE];
    line.extend(file.iter().filter(|&&unit| unit != QUOTE));
    line.push(QUOTE);
    for argument in arguments {
        line.push(BLANK);
        push_argument(&mut line, argument);
    }
    line.push(NUL);
    Ok(line)
}

/// Backslashes mean themselves but in front of a quote: there each is doubled, and one more makes the
/// quote a character. An end of quotes of ours is such a quote, too.
fn push_argument(line: &mut Vec<u16>, argument: &[u16]) {
    let is_quoted = argument.is_empty() || argument.iter().any(|unit| [BLANK, TAB].contains(unit));
    if is_quoted {
        line.push(QUOTE);
    }
    let mut backslashes = 0;
    for &unit in argument {
        if unit == QUOTE {
            line.extend(std::iter::repeat_n(BACKSLASH, backslashes + 1));
        }
        backslashes = if unit == BACKSLASH { backslashes + 1 } else { 0 };
        line.push(unit);
    }
    if is_quoted {
        line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
        line.push(QUOTE);
    }
}

/// The environment with these changes, as a block: `NAME=value` and a NUL each, in the order of the names
/// without regard to case, and one more NUL. A name that differs in case alone is the same one.
///
/// # Errors
/// When a name or a value can't be said.
pub(super) fn environment_block(
    environment: impl IntoIterator<Item = (Vec<u16>, Vec<u16>)>,
    changes: impl IntoIterator<Item = (Vec<u16>, Option<Vec<u16>>)>,
) -> Result<Vec<u16>, Unsayable> {
    let mut variables = std::collections::BTreeMap::new();
    for (name, value) in environment {
        variables.insert(folded(&name), (name, value));
    }
    for (name, value) in changes {
        // The shell keeps the directory of each drive under names such as `=C:`.
        if name.is_empty() || name[1..].contains(&EQUALS) {
            return Err(Unsayable::Name);
        }
        match value {
            Some(value) if name.contains(&NUL) || value.contains(&NUL) => {
                return Err(Unsayable::Nul);
            }
            Some(value) => variables.insert(folded(&name), (name, value)),
            None => variables.remove(&folded(&name)),
        };
    }
    let mut block = Vec::new();
    for (name, value) in variables.into_values() {
        block.extend(name.into_iter().chain([EQUALS]).chain(value).chain([NUL]));
    }
    if block.is_empty() {
        block.push(NUL);
    }
    block.push(NUL);
    Ok(block)
}

/// A name without regard to case. The system knows a table of its own for that, which for the names that
/// there are is this one: single units, by Unicode's simple mapping.
fn folded(name: &[u16]) -> Vec<u16> {
    let upper = |unit: u16| {
        let mut upper = char::from_u32(unit.into())?.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(only), None) => u16::try_from(u32::from(only)).ok(),
            _ => None,
        }
    };
    name.iter().map(|&unit| upper(unit).unwrap_or(unit)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn said(words: &[&str]) -> String {
        let arguments: Vec<_> = words[1..].iter().map(|word| wide(word)).collect();
        let line = command_line(&wide(words[0]), &arguments).unwrap();
        let (end, line) = line.split_last().unwrap();
        assert_eq!(*end, 0);
        String::from_utf16(line).unwrap()
    }

    /// What a program makes of its command line, by the rules of "Parsing C command-line arguments".
    fn taken_apart(line: &str) -> Vec<String> {
        let (first, rest) = line[1..].split_once('"').unwrap();
        let (mut words, mut word, mut quoted) = (vec![first.to_owned()], None, false);
        let mut rest = rest.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                ' ' | '\t' if !quoted => words.extend(word.take()),
                '\\' => {
                    let word = word.get_or_insert_with(String::new);
                    let mut count = 1;
                    while rest.next_if_eq(&'\\').is_some() {
                        count += 1;
                    }
                    if rest.peek() == Some(&'"') {
                        word.extend(std::iter::repeat_n('\\', count / 2));
                        if count % 2 == 1 {
                            word.extend(rest.next());
                        }
                    } else {
                        word.extend(std::iter::repeat_n('\\', count));
                    }
                }
                '"' => {
                    word.get_or_insert_with(String::new);
                    quoted = !quoted;
                }
                c => word.get_or_insert_with(String::new).push(c),
            }
        }
        words.extend(word);
        words
    }

    #[test]
    fn words_are_quoted_as_the_system_has_it() {
        assert_eq!(said(&["python.exe"]), r#""python.exe""#);
        assert_eq!(said(&[r"C:\a b\p.exe", "-c", "1 + 1"]), r#""C:\a b\p.exe" -c "1 + 1""#);
        assert_eq!(said(&["p", "", r"a\b", r"a b\"]), r#""p" "" a\b "a b\\""#);
        assert_eq!(said(&["p", r#"say "hi""#, r#"\""#]), r#""p" "say \"hi\"" \\\""#);
        let with_nul = command_line(&wide("p"), &[wide("a\0b")]);
        assert_eq!(with_nul, Err(Unsayable::Nul));
    }

    #[test]
    fn an_environment_is_sorted_and_its_names_have_no_case() {
        let block = environment_block(
            [("Path", "old"), ("b", "1"), ("=C:", r"C:\x"), ("gone", "x")]
                .map(|(name, value)| (wide(name), wide(value))),
            [("PATH", Some("new")), ("GONE", None), ("a", Some("ä"))]
                .map(|(name, value)| (wide(name), value.map(wide))),
        );
        let block = String::from_utf16(&block.unwrap()).unwrap();
        assert_eq!(block, "=C:=C:\\x\0a=ä\0b=1\0PATH=new\0\0");
        assert_eq!(environment_block([], []), Ok(vec![0, 0]));
        for (name, value, why) in
            [("", "x", Unsayable::Name), ("a=b", "x", Unsayable::Name), ("a", "\0", Unsayable::Nul)]
        {
            assert_eq!(environment_block([], [(wide(name), Some(wide(value)))]), Err(why));
        }
    }

    proptest! {
        #[test]
        fn a_program_gets_the_words_it_was_given(words in prop::collection::vec("[ab \t\"\\\\ä]{0,8}", 0..5)) {
            let all: Vec<&str> = ["p.exe"].into_iter().chain(words.iter().map(String::as_str)).collect();
            prop_assert_eq!(taken_apart(&said(&all)), all);
        }
    }
}
