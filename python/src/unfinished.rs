//! A cell that is still being written: what stands at the cursor. Looks at the text alone.

/// What is to be completed. Each begins at `start`, in characters, and ends at the cursor.
#[derive(Debug)]
pub(crate) enum Place {
    /// A name, or several with dots between.
    Name { start: usize, word: String },
    /// A module that is imported, dots included.
    Module { start: usize, word: String },
    /// What is imported from a module.
    Member { start: usize, module: String, word: String },
    /// The last part of a path in a string; `directory` ends with its slash, or is empty.
    Path { start: usize, directory: String, word: String },
}

/// What the end of a text is in.
enum Inside {
    /// Code, in a statement that begins there.
    Code {
        statement: usize,
    },
    Comment,
    /// A string, whose content begins there.
    String {
        content: usize,
        is_formatted: bool,
    },
}

impl Place {
    /// What stands at `cursor`; `None` if nothing that can be completed.
    pub(crate) fn of(text: &str, cursor: usize) -> Option<Place> {
        let text: Vec<char> = text.chars().take(cursor).collect();
        match inside(&text) {
            Inside::Comment => None,
            Inside::Code { statement } => match imports(&text, statement) {
                Some(place) => place,
                None => name(&text, statement),
            },
            Inside::String { content, is_formatted: true } => match field(&text[content..]) {
                Some(field) => name(&text, content + field),
                None if text[content..].contains(&'{') => None,
                None => path(&text, content),
            },
            Inside::String { content, is_formatted: false } => path(&text, content),
        }
    }
}

/// What the end of the text is in.
fn inside(text: &[char]) -> Inside {
    let (mut statement, mut depth, mut at) = (0, 0_usize, 0);
    while let Some(&character) = text.get(at) {
        at += 1;
        match character {
            '#' => match text[at..].iter().position(|&next| next == '\n') {
                Some(end) => at += end,
                None => return Inside::Comment,
            },
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '\\' => at += 1,
            '\n' | ';' | ':' if depth == 0 => statement = at,
            '"' | '\'' => {
                let is_triple = text[at..].starts_with(&[character; 2]);
                let content = if is_triple { at + 2 } else { at };
                match string_end(text, content, character, is_triple) {
                    Some(end) => at = end,
                    None => {
                        let is_formatted = is_formatted(&text[..at - 1]);
                        return Inside::String { content, is_formatted };
                    }
                }
            }
            _ => {}
        }
    }
    Inside::Code { statement: statement.min(text.len()) }
}

/// Where a string ends, behind its quotes; `None` if it goes on. A line's end ends one that is not
/// to have it.
fn string_end(text: &[char], content: usize, quote: char, is_triple: bool) -> Option<usize> {
    let mut at = content;
    while let Some(&character) = text.get(at) {
        match character {
            '\\' => at += 2,
            '\n' if !is_triple => return Some(at),
            _ if character == quote && !is_triple => return Some(at + 1),
            _ if is_triple && text[at..].starts_with(&[quote; 3]) => return Some(at + 3),
            _ => at += 1,
        }
    }
    None
}

/// Whether the letters in front of a quote make it a formatted string.
fn is_formatted(before: &[char]) -> bool {
    let prefix = before.iter().rev().take_while(|&&letter| is_of_name(letter));
    let prefix: Vec<char> = prefix.copied().collect();
    prefix.len() <= 2 && prefix.iter().any(|letter| matches!(letter, 'f' | 'F' | 't' | 'T'))
}

/// Where the field begins that a formatted string ends in.
fn field(content: &[char]) -> Option<usize> {
    let (mut begin, mut depth, mut at) = (0, 0_usize, 0);
    while let Some(&character) = content.get(at) {
        at += 1;
        match character {
            '{' if depth == 0 && content.get(at) == Some(&'{') => at += 1,
            '{' => {
                depth += 1;
                begin = at;
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    (depth > 0).then_some(begin)
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn is_dotted(word: &[char]) -> bool {
    word.iter().all(|&character| is_of_name(character) || character == '.')
}

/// The last characters of the text, from where on all are letters, digits, `_` and dots; not
/// further back than `from`.
fn last_word(text: &[char], from: usize) -> (usize, &[char]) {
    let length = text[from..].iter().rev().take_while(|one| is_dotted(&[**one])).count();
    let start = text.len() - length;
    (start, &text[start..])
}

/// A name. What is called or subscripted on the way to it is not evaluated, so nothing is known.
fn name(text: &[char], from: usize) -> Option<Place> {
    let (start, word) = last_word(text, from);
    let first = word.first().filter(|&&first| first != '.' && !first.is_numeric());
    let word: String = word.iter().collect();
    (first.is_some() && !word.contains("..")).then_some(Place::Name { start, word })
}

/// What an import statement wants at its end. `None` if it is none; within, if that is nothing.
fn imports(text: &[char], statement: usize) -> Option<Option<Place>> {
    let code: String = text[statement..].iter().collect();
    let code = code.trim_start();
    if let Some(items) = keyword(code, "import") {
        return Some(last_item(text, items).map(|(start, word)| Place::Module { start, word }));
    }
    let rest = keyword(code, "from")?;
    let end = rest.find(|character: char| !is_of_name(character) && character != '.');
    let Some((module, rest)) = end.map(|end| rest.split_at(end)) else {
        let start = text.len() - rest.chars().count();
        return Some(Some(Place::Module { start, word: rest.into() }));
    };
    let items = rest.trim_start_matches(is_blank).strip_prefix("import")?;
    if !items.starts_with(|next: char| is_blank(next) || next == '(') {
        return None;
    }
    let items = items.trim_start_matches(is_blank);
    let items = items.strip_prefix('(').unwrap_or(items);
    let member = |(start, word)| Place::Member { start, module: module.into(), word };
    Some(last_item(text, items).map(member))
}

/// What comes behind this keyword and a blank.
fn keyword<'a>(code: &'a str, keyword: &str) -> Option<&'a str> {
    let rest = code.strip_prefix(keyword)?.strip_prefix(is_blank)?;
    Some(rest.trim_start_matches(is_blank))
}

/// The last of the items at the end of a text, if it is a name so far.
fn last_item(text: &[char], items: &str) -> Option<(usize, String)> {
    let item = items.rsplit(',').next().unwrap_or_default().trim_start_matches(is_blank);
    let item: Vec<char> = item.chars().collect();
    is_dotted(&item).then(|| (text.len() - item.len(), item.into_iter().collect()))
}

/// Blanks between words; a line that goes on on the next one ends with a backslash.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\\'
}

/// A path. One with an escape in it, or with lines, is left alone.
fn path(text: &[char], content: usize) -> Option<Place> {
    let content: String = text[content..].iter().collect();
    if content.contains(|character: char| character.is_control() || character == '\\') {
        return None;
    }
    let (directory, word) = content.split_at(content.rfind('/').map_or(0, |slash| slash + 1));
    let start = text.len() - word.chars().count();
    Some(Place::Path { start, directory: directory.into(), word: word.into() })
}
