//! A cell that is still being written: what stands at the cursor. Looks at the text alone.

use crate::literal::Form;

/// What is to be completed. Each begins at `start`, in characters, and ends at the cursor.
#[derive(Debug)]
pub(crate) enum Place {
    /// A name, or several with dots between.
    Name { start: usize, word: String },
    /// A module that is imported, dots included.
    Module { start: usize, word: String },
    /// What is imported from a module.
    Member { start: usize, module: String, word: String },
    /// The last part of a path in a string.
    Path(Path),
}

/// A path in a string that has come in part.
#[derive(Debug)]
pub(crate) struct Path {
    /// Where its last part begins, in characters.
    pub(crate) start: usize,
    /// What is in front of that; it ends with its slash, or is empty.
    pub(crate) directory: Vec<u8>,
    /// The last part.
    pub(crate) word: Vec<u8>,
    /// The beginning of an escape behind that.
    pub(crate) begun: String,
    /// How the string is written.
    pub(crate) form: Form,
}

/// How deep strings may stand in the expressions of others. CPython takes 150 of them.
const DEEPEST: usize = 150;

/// What the end of a text is in.
enum Inside {
    /// Code, in a statement that begins there.
    Code { statement: usize },
    /// An expression in a formatted string, which begins there.
    Field { from: usize },
    /// A string, whose content begins there, and all of which is text.
    String { content: usize, form: Form },
    /// A comment, or what stands in a formatted string behind an expression.
    Nothing,
}

impl Place {
    /// What stands at `cursor`; `None` if nothing that can be completed. `nests_strings`: whether
    /// expressions in a formatted string may have strings with the same quotes.
    pub(crate) fn of(text: &str, cursor: usize, nests_strings: bool) -> Option<Place> {
        let text: Vec<char> = text.chars().take(cursor).collect();
        let scanner = Scanner { text: &text, nests_strings };
        let Err(inside) = scanner.code(0, None) else { return None };
        match inside {
            Inside::Nothing => None,
            Inside::Code { statement } => match imports(&text, statement) {
                Some(place) => place,
                None => name(&text, statement),
            },
            Inside::Field { from } => name(&text, from),
            Inside::String { content, form } => path(&text, content, form),
        }
    }
}

/// Finds out what the end of a text is in: each part gives where it ends, or what the end of the text
/// is in if that comes first.
struct Scanner<'a> {
    text: &'a [char],
    nests_strings: bool,
}

/// The formatted string that an expression is in, and how many strings around it.
#[derive(Clone, Copy)]
struct Outer {
    form: Form,
    depth: usize,
}

impl Scanner<'_> {
    /// Code; `outer` is the string whose expression it is, with what is behind that up to its brace.
    fn code(&self, from: usize, outer: Option<Outer>) -> Result<usize, Inside> {
        let (mut statement, mut depth, mut at) = (from, 0_usize, from);
        while let Some(&character) = self.text.get(at) {
            at += 1;
            match (character, outer) {
                ('#', _) => match self.text[at..].iter().position(|&next| next == '\n') {
                    Some(end) => at += end,
                    None => return Err(Inside::Nothing),
                },
                ('}', Some(_)) if depth == 0 => return Ok(at),
                (':', Some(outer)) if depth == 0 => return self.specification(at, outer),
                ('(' | '[' | '{', _) => depth += 1,
                (')' | ']' | '}', _) => depth = depth.saturating_sub(1),
                ('\\', _) => at += 1,
                ('\n' | ';' | ':', None) if depth == 0 => statement = at,
                ('"' | '\'', _) => at = self.string(at - 1, outer)?,
                _ => {}
            }
        }
        Err(match outer {
            None => Inside::Code { statement: statement.min(self.text.len()) },
            Some(_) => Inside::Field { from: from.min(self.text.len()) },
        })
    }

    /// A string, from its first quote on.
    fn string(&self, quote: usize, outer: Option<Outer>) -> Result<usize, Inside> {
        let (before, rest) = self.text.split_at(quote);
        let is_triple = rest.starts_with(&[rest[0]; 3]);
        let form = Form::of(before, rest[0], is_triple, outer.is_some() && !self.nests_strings);
        let content = quote + if is_triple { 3 } else { 1 };
        let depth = outer.map_or(0, |outer| outer.depth + 1);
        // Where they have none of its quotes, its end is known without looking at expressions.
        let end =
            if form.is_formatted && self.nests_strings { None } else { self.end(content, form) };
        match end {
            Some(end) => Ok(end),
            None if !form.is_formatted => Err(Inside::String { content, form }),
            None if depth >= DEEPEST => Err(Inside::Nothing),
            None => self.formatted(content, Outer { form, depth }),
        }
    }

    /// Where a string ends, behind its quotes; `None` if it goes on. A line's end ends one that is not
    /// to have it.
    fn end(&self, content: usize, form: Form) -> Option<usize> {
        let mut at = content;
        while let Some(&character) = self.text.get(at) {
            match character {
                '\\' => at += 2,
                '\n' if !form.is_triple => return Some(at),
                _ => match form.end(&self.text[at..]) {
                    Some(length) => return Some(at + length),
                    None => at += 1,
                },
            }
        }
        None
    }

    /// The content of a formatted string.
    fn formatted(&self, content: usize, own: Outer) -> Result<usize, Inside> {
        let (mut at, mut has_fields) = (content, false);
        while let Some(&character) = self.text.get(at) {
            match character {
                '\\' => at += own.form.escaped(&self.text[at..]),
                '{' if self.text.get(at + 1) == Some(&'{') => at += 2,
                '{' => {
                    has_fields = true;
                    at = self.code(at + 1, Some(own))?;
                }
                '\n' if !own.form.is_triple => return Ok(at),
                _ => match own.form.end(&self.text[at..]) {
                    Some(length) => return Ok(at + length),
                    None => at += 1,
                },
            }
        }
        // What expressions will say is not known.
        Err(if has_fields { Inside::Nothing } else { Inside::String { content, form: own.form } })
    }

    /// How the value of an expression is to be formatted, up to the brace behind it. Where the string ends
    /// in it, it ends there.
    fn specification(&self, from: usize, outer: Outer) -> Result<usize, Inside> {
        let mut at = from;
        while let Some(&character) = self.text.get(at) {
            match character {
                '}' => return Ok(at + 1),
                '{' => at = self.code(at + 1, Some(Outer { depth: outer.depth + 1, ..outer }))?,
                '\n' if !outer.form.is_triple => return Ok(at),
                _ if outer.form.end(&self.text[at..]).is_some() => return Ok(at),
                _ => at += 1,
            }
        }
        Err(Inside::Nothing)
    }
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

/// A path.
fn path(text: &[char], content: usize, form: Form) -> Option<Place> {
    let source = &text[content.min(text.len())..];
    let mut read = form.read(source)?;
    let split = read.bytes.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let begun = source[*read.places.last()?..].iter().collect();
    let start = content + read.places[split];
    let word = read.bytes.split_off(split);
    Some(Place::Path(Path { start, directory: read.bytes, word, begun, form }))
}
