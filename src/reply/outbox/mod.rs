//! What waits for the next reply: text, pictures and notices, cut to the reply's budget.
//!
//! Text that fits is kept in memory. Of more, a head and a tail are kept, and all of it is
//! handed out to be written to disk, piece by piece as it comes.

mod attachments;
mod budget;
mod echo;
mod meanwhile;

use super::{AttachmentRoom, Budget, Content, KeptText, Notice, Reply, Status};
use echo::Echo;
use meanwhile::Others;

/// How much text a reply holds for an agent, in characters: about 4,000 tokens.
pub const BUDGET: usize = 16_000;

/// The most notices that wait for a reply.
const MOST_NOTICES: usize = 200;

/// What is collected for the next reply.
#[derive(Debug)]
pub struct Outbox {
    /// How much text a reply holds, in characters: half of it for the head, half for the tail.
    budget: usize,
    /// What came back while there was text on its way to the disk: it stands in front, and nothing
    /// of it is left out, since it is in no file.
    front: Vec<Content>,
    /// The text up to the head's part of the budget, and what stands between.
    head: Vec<Content>,
    /// What comes behind; text is cut off its front.
    tail: Vec<Content>,
    /// Their lengths in characters.
    head_length: usize,
    tail_length: usize,
    /// Whether the head is full, so that all text goes to the tail.
    head_full: bool,
    left_out: LeftOut,
    /// How many pictures and documents it has room for.
    attachment_room: AttachmentRoom,
    /// How many notices there are.
    notices: usize,
    /// How many notices were dropped, since more came than it holds: the first ones.
    dropped: usize,
    /// Whether the text that was taken before this ended within a line.
    starts_within_line: bool,
    /// The same of what was taken last, should it come back.
    taken_started_within_line: bool,
    /// Whether the text so far ends within a line.
    ends_within_line: bool,
    /// What the last text is, as far as newer text may take its place.
    last: Last,
    /// The page that the last reply ended with, if it did: the same again is no news.
    told_page: Option<String>,
    /// Text for the disk that was not handed out yet; `None` while all is in memory.
    spill: Option<String>,
    /// The echo that is left out.
    echo: Echo,
    /// What it knows of other clients.
    others: Others,
    /// How many characters more than the budget there is room for.
    last_page: usize,
}

/// What newer text may take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A line of the transcript that has no end yet.
    OpenLine,
    /// A page of a full-screen program.
    Page {
        /// Its length in bytes.
        length: usize,
        /// The same with the line end in front that parts it from other text.
        with_start: usize,
    },
    /// Neither.
    Other,
}

/// What was cut out between the head and the tail.
#[derive(Debug, Default, Clone, Copy)]
struct LeftOut {
    bytes: usize,
    characters: usize,
    lines: usize,
}

impl LeftOut {
    fn add(&mut self, text: &str) {
        self.bytes += text.len();
        self.characters += length(text);
        self.lines += text.matches('\n').count();
    }
}

impl Outbox {
    /// An empty one, for replies within this budget.
    pub fn new(budget: impl Into<Budget>) -> Outbox {
        let Budget { text, attachments: attachment_room } = budget.into();
        Outbox {
            budget: text,
            front: Vec::new(),
            head: Vec::new(),
            tail: Vec::new(),
            head_length: 0,
            tail_length: 0,
            head_full: false,
            left_out: LeftOut::default(),
            attachment_room,
            notices: 0,
            dropped: 0,
            starts_within_line: false,
            taken_started_within_line: false,
            ends_within_line: false,
            last: Last::Other,
            told_page: None,
            spill: None,
            echo: Echo::default(),
            others: Others::default(),
            last_page: 0,
        }
    }

    /// Another empty one.
    fn empty(&self) -> Outbox {
        Outbox::new(Budget { text: self.budget, attachments: self.attachment_room })
    }

    /// The reader of this outbox typed `text`, whose echo it need not be told in its next reply.
    pub fn leave_out_echo(&mut self, text: String) {
        self.echo = Echo::of(text);
    }

    /// Adds text of the transcript.
    pub fn push(&mut self, text: &str) {
        let (text, was_echoed) = self.echo.cut_out(text);
        if was_echoed {
            self.end_line();
        }
        if !text.is_empty() {
            self.say_whose();
            self.add(&text);
            self.last = if text.ends_with('\n') { Last::Other } else { Last::OpenLine };
        }
    }

    /// The line that the text ends in was ended by an echo.
    fn end_line(&mut self) {
        if !self.ends_within_line {
            return;
        }
        if self.head.is_empty() && self.tail.is_empty() {
            // It was taken, and what comes is on a line of its own.
            (self.starts_within_line, self.ends_within_line) = (false, false);
        } else {
            self.add("\n");
        }
        self.last = Last::Other;
    }

    /// The echo of a cell ends the line that a program has left open: what comes is on one of its own.
    pub fn end_line_by_echo(&mut self) {
        self.tell_held();
        self.end_line();
    }

    /// Nothing more comes of what may be echo.
    fn tell_held(&mut self) {
        let held = self.echo.take_held();
        self.push(&held);
    }

    /// Adds what a pager showed. Where it is over the budget, there is room for one page more, of at
    /// most `page` characters: it was read on to be finished, and nothing is to be left out for it.
    pub fn push_pager(&mut self, text: &str, page: usize) {
        if !text.is_empty() {
            self.tell_held();
            self.say_whose();
            if self.length() + length(text) > self.budget {
                self.last_page = page;
            }
            self.add(text);
            self.last = Last::Other;
        }
    }

    /// Adds the page of a full-screen program on lines of its own. It takes the place of a page
    /// that was not taken, if that is the last text.
    pub fn push_page(&mut self, page: &str) {
        self.tell_held();
        self.say_whose();
        let _ = self.take_last_page();
        let last = self.tail.last().or_else(|| self.head.last());
        let is_within_line = last.is_some_and(|last| match last {
            Content::Notice(notice) => !notice.is_of_others(),
            _ => true,
        });
        let start = if is_within_line && self.ends_within_line { "\n" } else { "" };
        self.add(&format!("{start}{page}"));
        self.last = Last::Page { length: page.len(), with_start: start.len() + page.len() };
    }

    /// Takes out the page that is the last text, if it may still be.
    fn take_last_page(&mut self) -> Option<String> {
        let Last::Page { length, with_start } = self.last else { return None };
        if self.spills() {
            return None;
        }
        let page = self.cut_end(with_start);
        Some(page[page.len().saturating_sub(length)..].to_owned())
    }

    /// Cuts so many bytes off the end of the text, which may be in the head and the tail; returns
    /// them.
    fn cut_end(&mut self, bytes: usize) -> String {
        let mut cut = String::new();
        while cut.len() < bytes {
            let (pieces, characters) = match self.tail.is_empty() {
                true => (&mut self.head, &mut self.head_length),
                false => (&mut self.tail, &mut self.tail_length),
            };
            let Some(Content::Text(last)) = pieces.last_mut() else { break };
            let end = last.split_off(last.len().saturating_sub(bytes - cut.len()));
            *characters -= length(&end);
            self.ends_within_line = !last.is_empty() && !last.ends_with('\n');
            if last.is_empty() {
                pieces.pop();
            }
            cut.insert_str(0, &end);
        }
        cut
    }

    fn add(&mut self, text: &str) {
        self.ends_within_line = !text.ends_with('\n');
        if let Some(spill) = &mut self.spill {
            spill.push_str(text);
        } else if self.length() + length(text) > self.budget.saturating_add(self.last_page) {
            let mut all = self.all_text();
            all.push_str(text);
            self.spill = Some(all);
        }
        let rest = if self.head_full { text } else { self.push_head(text) };
        if !rest.is_empty() {
            append(&mut self.tail, rest);
            self.tail_length += length(rest);
            // Cut back now and then, not for every line.
            if self.spills() && self.tail_length / 4 > self.budget {
                self.trim_tail(self.budget);
            }
        }
    }

    /// Adds text that begins with `\n` and a newer text of the line that the text so far ends in:
    /// what was not taken of that line is dropped.
    pub fn push_replacing(&mut self, text: &str) {
        self.tell_held();
        let is_whole = self.last == Last::OpenLine && self.drop_last_line();
        let line = text.strip_prefix('\n').filter(|_| is_whole);
        self.push(line.unwrap_or(text));
    }

    /// Adds a line of the bridge's own at this place.
    pub fn notice(&mut self, notice: Notice) {
        let piece = Content::Notice(notice);
        // A session that fails again, in the same way, is no news.
        let is_failure = matches!(piece, Content::Notice(Notice::SessionFailed { .. }));
        let last = self.tail.last().or_else(|| self.head.last());
        if !(is_failure && last == Some(&piece)) {
            self.place(piece);
        }
    }

    /// How many characters of text came since the last reply.
    fn length(&self) -> usize {
        self.head_length + self.tail_length + self.left_out.characters
    }

    /// Whether text goes to disk, since it is more than a reply holds.
    pub fn spills(&self) -> bool {
        self.spill.is_some()
    }

    /// Text to be written to disk since the last time.
    pub fn take_spill(&mut self) -> String {
        self.spill.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Makes the reply of what was collected, and is empty afterwards.
    ///
    /// `prompt_visible` tells whether a waiting reader shows a prompt. Where the text is that had
    /// no room is for [`Reply::set_kept_text`] to say.
    pub fn take(&mut self, status: Status, prompt_visible: bool) -> Reply {
        self.take_of(status, prompt_visible, Vec::new())
    }

    /// The same, with notices that say whose cell the status is of, and what waits for people.
    pub fn take_of(
        &mut self,
        status: Status,
        prompt_visible: bool,
        standing: Vec<Notice>,
    ) -> Reply {
        self.tell_held();
        let mut content = self.collect();
        self.echo = Echo::default();
        self.others.told();
        if matches!(status, Status::Ready { .. } | Status::Ended { .. }) {
            self.told_page = None;
        }
        let is_behind = !standing.is_empty();
        content.extend(standing.into_iter().map(Content::Notice));
        // Behind the line that names the file the prompt is not the last to be seen.
        let is_cut =
            is_behind || matches!(content.last(), Some(Content::Notice(Notice::WholeText { .. })));
        let lines = status.lines(prompt_visible && !is_cut, content.is_empty());
        content.extend(lines.into_iter().map(Content::Status));
        Reply { content, status }
    }

    /// Takes what was collected, ahead of the reply. What may be echo is left for that, and that a
    /// page has not changed is for that to say.
    pub fn take_content(&mut self) -> Vec<Content> {
        let mut content = self.collect();
        content.retain(|piece| !matches!(piece, Content::Notice(Notice::PageUnchanged)));
        content
    }

    fn collect(&mut self) -> Vec<Content> {
        if self.spills() {
            self.trim_tail(self.budget);
        }
        let Outbox {
            front: mut content,
            head,
            tail,
            left_out,
            dropped,
            starts_within_line,
            ends_within_line,
            last,
            told_page,
            echo,
            others,
            ..
        } = std::mem::replace(self, self.empty());
        self.taken_started_within_line = starts_within_line;
        self.starts_within_line = ends_within_line;
        self.ends_within_line = ends_within_line;
        (self.echo, self.others) = (echo, others);
        let LeftOut { bytes, lines, .. } = left_out;
        content.extend(head);
        if bytes > 0 {
            let kept = KeptText::Nowhere;
            content.push(Content::Notice(Notice::TextLeftOut { lines, bytes, kept }));
        }
        content.extend(tail);
        self.told_page = match (&content[..], last) {
            // Whose it is was told with it.
            (
                [Content::Text(page)]
                | [Content::Notice(Notice::MeanwhilePrinted { .. }), Content::Text(page)],
                Last::Page { .. },
            ) if told_page.as_ref() == Some(page) => {
                content = vec![Content::Notice(Notice::PageUnchanged)];
                told_page
            }
            ([.., Content::Text(text)], Last::Page { length, .. }) => {
                text.len().checked_sub(length).map(|start| text[start..].to_owned())
            }
            // Nothing else was told since.
            ([], _) => told_page,
            _ => None,
        };
        if dropped > 0 {
            content.insert(0, Content::Notice(Notice::NoticesDropped { notices: dropped }));
        }
        if bytes > 0 {
            content.push(Content::Notice(Notice::WholeText { kept: KeptText::Nowhere }));
        }
        content
    }

    /// Puts the content of a reply that did not reach its reader in front of what came since. The
    /// lines that said how things stood are not said again.
    pub fn put_back(&mut self, mut content: Vec<Content>) {
        content.retain(|piece| {
            !matches!(
                piece,
                Content::Status(_)
                    | Content::Notice(Notice::PageUnchanged | Notice::AnothersCell { .. })
            )
        });
        if content.is_empty() {
            return;
        }
        let mut whole = self.empty();
        whole.starts_within_line = self.taken_started_within_line;
        whole.ends_within_line = self.ends_within_line;
        let mut later = std::mem::replace(self, whole);
        // What is put back was shown before it was typed.
        let echo = std::mem::take(&mut later.echo);
        let mut others = std::mem::take(&mut later.others);
        if others.put_back(&content) {
            content.push(Content::Notice(Notice::OwnCell));
        }
        if later.spills() {
            self.put_back_before_spilled(content, later);
        } else {
            for piece in content.into_iter().chain(later.head).chain(later.tail) {
                match piece {
                    Content::Text(text) => self.push(&text),
                    piece => self.place(piece),
                }
            }
        }
        (self.echo, self.others) = (echo, others);
    }

    /// What came since is on disk from its first byte, so what is put back must stay out of it, and
    /// is shown whole: the reply is longer than others by as much.
    fn put_back_before_spilled(&mut self, mut content: Vec<Content>, mut later: Outbox) {
        content.append(&mut later.front);
        later.front = content;
        (later.starts_within_line, later.taken_started_within_line) =
            (self.starts_within_line, false);
        later.last = Last::Other;
        *self = later;
        let is_notice = |piece: &&Content| matches!(piece, Content::Notice(_));
        self.notices = self.pieces().filter(is_notice).count();
        self.bound_attachments();
    }

    /// Drops the text behind the last line end. Whether that was a whole line: nothing of it was
    /// taken before. On its way to the disk, text is dropped no more.
    fn drop_last_line(&mut self) -> bool {
        if !self.ends_within_line || self.spills() {
            return false;
        }
        let is_first = self.head.len() + self.tail.len() == 1;
        let start = self.cut_last(|text| text.rfind('\n').map_or(0, |end| end + 1));
        start > 0 || !is_first || !self.starts_within_line
    }

    /// Cuts the last text at a place in it; returns that.
    fn cut_last(&mut self, place: impl FnOnce(&str) -> usize) -> usize {
        let (pieces, characters) = match self.tail.is_empty() {
            true => (&mut self.head, &mut self.head_length),
            false => (&mut self.tail, &mut self.tail_length),
        };
        let Some(Content::Text(last)) = pieces.last_mut() else { return 0 };
        let place = place(last);
        *characters -= length(&last[place..]);
        last.truncate(place);
        self.ends_within_line = !last.is_empty() && !last.ends_with('\n');
        place
    }

    fn place(&mut self, piece: Content) {
        self.tell_held();
        self.last = Last::Other;
        let is_attachment = matches!(piece, Content::Attachment(_));
        self.notices += usize::from(!is_attachment);
        if self.head_full {
            self.tail.push(piece)
        } else {
            self.head.push(piece)
        }
        if is_attachment {
            self.bound_attachments();
        } else if self.notices > MOST_NOTICES {
            self.drop_first_notice();
        }
    }

    /// Drops the first notice, and counts it. The one where the client's own cell begins stays.
    fn drop_first_notice(&mut self) {
        let own = |(at, piece): (usize, &Content)| {
            matches!(piece, Content::Notice(Notice::OwnCell)).then_some(at)
        };
        let own = self.pieces().enumerate().filter_map(own).last();
        let first = self
            .pieces()
            .enumerate()
            .position(|(at, piece)| matches!(piece, Content::Notice(_)) && Some(at) != own);
        if let Some(at) = first {
            self.remove(at);
            self.notices -= 1;
            self.dropped += 1;
        }
    }

    /// All there is, in order.
    fn pieces(&self) -> impl Iterator<Item = &Content> {
        self.front.iter().chain(&self.head).chain(&self.tail)
    }

    fn pieces_mut(&mut self) -> impl Iterator<Item = &mut Content> {
        self.front.iter_mut().chain(&mut self.head).chain(&mut self.tail)
    }

    /// Removes a piece.
    fn remove(&mut self, at: usize) {
        let Some((part, at)) = self.part_of(at) else { return };
        part.remove(at);
        // What it parted is one text again.
        if let Some([Content::Text(_), Content::Text(_)]) = part.get(at.saturating_sub(1)..=at)
            && let Content::Text(text) = part.remove(at)
            && let Some(Content::Text(before)) = part.get_mut(at - 1)
        {
            before.push_str(&text);
        }
    }

    /// In which part a piece is, and where in it.
    fn part_of(&mut self, mut at: usize) -> Option<(&mut Vec<Content>, usize)> {
        for part in [&mut self.front, &mut self.head, &mut self.tail] {
            match at.checked_sub(part.len()) {
                None => return Some((part, at)),
                Some(behind) => at = behind,
            }
        }
        None
    }

    fn all_text(&self) -> String {
        let text = |piece: &Content| match piece {
            Content::Text(text) => Some(text.clone()),
            Content::Notice(_) | Content::Status(_) | Content::Attachment(_) => None,
        };
        self.pieces().filter_map(text).collect()
    }
}

/// The length of a text in characters.
fn length(text: &str) -> usize {
    text.chars().count()
}

/// The place behind so many characters, in bytes; the end when there are fewer.
fn place_of(text: &str, characters: usize) -> usize {
    if text.is_ascii() {
        return characters.min(text.len());
    }
    text.char_indices().nth(characters).map_or(text.len(), |(place, _)| place)
}

/// Appends to the last piece if it is text.
fn append(pieces: &mut Vec<Content>, text: &str) {
    match pieces.last_mut() {
        Some(Content::Text(last)) => last.push_str(text),
        _ => pieces.push(Content::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;
