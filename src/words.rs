//! A command that a person wrote, as its words. Pure.

use shell_words::ParseError;

/// The words of a command, as a shell of this system has them: a backslash quotes what is behind it, but not where
/// it is what parts a path.
///
/// # Errors
/// When a quote has no end.
pub(crate) fn split(command: &str) -> Result<Vec<String>, ParseError> {
    match std::path::MAIN_SEPARATOR {
        '\\' => split_with_paths(command),
        _ => shell_words::split(command),
    }
}

/// The same where backslashes are those of paths: blanks part words, but in quotes. In double ones a backslash in
/// front of a quote has that be a character. What this program quotes, as a shell of Unix has it, is read so, too.
fn split_with_paths(command: &str) -> Result<Vec<String>, ParseError> {
    let (mut words, mut word, mut rest) = (Vec::new(), None::<String>, command.chars().peekable());
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(ParseError)? {
                        end if end == c => break,
                        '\\' if c == '"' => word.push(rest.next_if_eq(&'"').unwrap_or('\\')),
                        other => word.push(other),
                    }
                }
            }
            // As a shell of Unix has a single quote in such a word.
            '\\' if rest.peek() == Some(&'\'') => word.get_or_insert_default().extend(rest.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn backslashes_are_those_of_paths() {
        for (command, words) in [
            (r"C:\Python313\python.exe -I", &[r"C:\Python313\python.exe", "-I"][..]),
            (r#""C:\Program Files\x\y.exe" a"#, &[r"C:\Program Files\x\y.exe", "a"]),
            (r"\\server\share\x  'a b'c", &[r"\\server\share\x", "a bc"]),
            (r#"say "a \"b\"" '' "#, &["say", "a \"b\"", ""]),
            ("\t \n", &[]),
        ] {
            assert_eq!(split_with_paths(command).unwrap(), words, "{command}");
        }
        for command in ["'a", r#""a\""#, "a 'b"] {
            assert!(split_with_paths(command).is_err(), "{command}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(words in prop::collection::vec(r#"[ab '"\\$\t]{0,6}"#, 0..4)) {
            prop_assert_eq!(split_with_paths(&shell_words::join(&words)).unwrap(), words);
        }
    }
}
