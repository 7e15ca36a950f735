//! What waits for the next reply: text, pictures and notices, cut to the reply's budget.
//!
//! Text that fits is kept in memory. Of more, a head and a tail are kept, and all of it is
//! handed out to be written to disk, piece by piece as it comes.

use super::{Content, KeptText, Notice, Reply, Status};

/// How much text a reply holds for an agent, in bytes: about 5,000 tokens.
pub const BUDGET: usize = 20_000;

/// What is collected for the next reply.
#[derive(Debug)]
pub struct Outbox {
    /// How much text a reply holds, in bytes: half of it for the head, half for the tail.
    budget: usize,
    /// The text up to the head's part of the budget, and what stands between.
    head: Vec<Content>,
    /// What comes behind; text is cut off its front.
    tail: Vec<Content>,
    head_bytes: usize,
    tail_bytes: usize,
    /// Whether the head is full, so that all text goes to the tail.
    head_full: bool,
    left_out: LeftOut,
    /// Whether the text that was taken before this ended within a line.
    starts_within_line: bool,
    /// Whether the text so far ends within a line.
    ends_within_line: bool,
    /// Text for the disk that was not handed out yet; `None` while all is in memory.
    spill: Option<String>,
}

/// What was cut out between the head and the tail.
#[derive(Debug, Default, Clone, Copy)]
struct LeftOut {
    bytes: usize,
    lines: usize,
}

impl Outbox {
    /// An empty one, for replies of at most `budget` bytes of text.
    pub fn new(budget: usize) -> Outbox {
        Outbox {
            budget,
            head: Vec::new(),
            tail: Vec::new(),
            head_bytes: 0,
            tail_bytes: 0,
            head_full: false,
            left_out: LeftOut::default(),
            starts_within_line: false,
            ends_within_line: false,
            spill: None,
        }
    }

    /// Adds text.
    pub fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.ends_within_line = !text.ends_with('\n');
        if let Some(spill) = &mut self.spill {
            spill.push_str(text);
        } else if self.head_bytes + self.tail_bytes + text.len() > self.budget {
            let mut all = self.all_text();
            all.push_str(text);
            self.spill = Some(all);
        }
        let rest = if self.head_full { text } else { self.push_head(text) };
        if !rest.is_empty() {
            append(&mut self.tail, rest);
            self.tail_bytes += rest.len();
            // Cut back now and then, not for every line.
            if self.tail_bytes / 4 > self.budget {
                self.trim_tail();
            }
        }
    }

    /// Adds text that begins with `\n` and a newer text of the line that the text so far ends in:
    /// what was not taken of that line is dropped.
    pub fn push_replacing(&mut self, text: &str) {
        let is_whole = self.drop_last_line();
        let line = text.strip_prefix('\n').filter(|_| is_whole);
        self.push(line.unwrap_or(text));
    }

    /// Adds a line of the bridge's own at this place.
    pub fn notice(&mut self, notice: Notice) {
        self.place(Content::Notice(notice));
    }

    /// Adds a picture at this place.
    pub fn image(&mut self, mime: String, data: String) {
        self.place(Content::Image { mime, data });
    }

    /// How many bytes of text have room before something has to be left out.
    pub fn room(&self) -> usize {
        self.budget.saturating_sub(self.head_bytes + self.tail_bytes + self.left_out.bytes)
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
        if self.spills() {
            self.trim_tail();
        }
        let Outbox { head: mut content, tail, left_out, ends_within_line, .. } =
            std::mem::replace(self, Outbox::new(self.budget));
        self.starts_within_line = ends_within_line;
        self.ends_within_line = ends_within_line;
        let LeftOut { bytes, lines } = left_out;
        if bytes > 0 {
            let kept = KeptText::Nowhere;
            content.push(Content::Notice(Notice::TextLeftOut { lines, bytes, kept }));
        }
        content.extend(tail);
        let lines = status.lines(prompt_visible, content.is_empty());
        content.extend(lines.into_iter().map(Content::Status));
        Reply { content, status }
    }

    /// Drops the text behind the last line end. Whether that was a whole line: nothing of it was
    /// taken before. On its way to the disk, text is dropped no more.
    fn drop_last_line(&mut self) -> bool {
        if !self.ends_within_line || self.spills() {
            return false;
        }
        let (pieces, bytes) = match self.tail.is_empty() {
            true => (&mut self.head, &mut self.head_bytes),
            false => (&mut self.tail, &mut self.tail_bytes),
        };
        let is_first = pieces.len() == 1;
        let Some(Content::Text(last)) = pieces.last_mut() else { return false };
        let start = last.rfind('\n').map(|end| end + 1);
        *bytes -= last.len() - start.unwrap_or(0);
        last.truncate(start.unwrap_or(0));
        start.is_some() || !is_first || !self.starts_within_line
    }

    /// Fills the head; returns the text that has no room in it.
    fn push_head<'a>(&mut self, text: &'a str) -> &'a str {
        let room = self.budget / 2 - self.head_bytes;
        if text.len() <= room {
            append(&mut self.head, text);
            self.head_bytes += text.len();
            return "";
        }
        self.head_full = true;
        let most = text.floor_char_boundary(room);
        let end = text[..most].rfind('\n').map_or(most, |newline| newline + 1);
        let (fits, rest) = text.split_at(end);
        append(&mut self.head, fits);
        self.head_bytes += fits.len();
        rest
    }

    fn place(&mut self, piece: Content) {
        if self.head_full { self.tail.push(piece) } else { self.head.push(piece) }
    }

    fn all_text(&self) -> String {
        let text = |piece: &Content| match piece {
            Content::Text(text) => Some(text.clone()),
            Content::Notice(_) | Content::Status(_) | Content::Image { .. } => None,
        };
        self.head.iter().chain(&self.tail).filter_map(text).collect()
    }

    /// Cuts the tail's text to its part of the budget, at the start of a line where there is
    /// one.
    fn trim_tail(&mut self) {
        let mut over = self.tail_bytes.saturating_sub(self.budget - self.budget / 2);
        for piece in &mut self.tail {
            let Content::Text(text) = piece else { continue };
            if over == 0 {
                break;
            }
            let least = text.ceil_char_boundary(over);
            let line = text[least..].find('\n').map(|newline| least + newline + 1);
            // The only line is cut where it must be.
            let end = line.filter(|&end| end < text.len()).unwrap_or(least);
            self.left_out.bytes += end;
            self.left_out.lines += text[..end].matches('\n').count();
            self.tail_bytes -= end;
            text.drain(..end);
            over = over.saturating_sub(end);
        }
    }
}

/// Appends to the last piece if it is text.
fn append(pieces: &mut Vec<Content>, text: &str) {
    match pieces.last_mut() {
        Some(Content::Text(last)) => last.push_str(text),
        _ => pieces.push(Content::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::reply::Block;

    const READY: Status = Status::Ready { outcome: None };

    fn text_of(reply: &Reply) -> String {
        let text = |block: Block| match block {
            Block::Text(text) => text,
            Block::Image { mime, .. } => format!("({mime})\n"),
        };
        reply.clone().merged().into_iter().map(text).collect()
    }

    #[test]
    fn text_alone_is_given_as_it_is() {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push("2\n");
        assert_eq!(text_of(&outbox.take(READY, false)), "2\n");
    }

    #[test]
    fn nothing_to_report_is_idle() {
        let reply = Outbox::new(BUDGET).take(READY, false);
        assert_eq!(text_of(&reply), "<<repl status: idle>>\n");
    }

    #[test]
    fn a_visible_prompt_ends_the_text() {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push("name? ");
        let reply = outbox.take(Status::Waiting { echo: true }, true);
        assert_eq!(text_of(&reply), "name? ");
    }

    #[test]
    fn a_wait_without_a_prompt_is_said() {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push("half");
        let reply = outbox.take(Status::Waiting { echo: true }, false);
        assert_eq!(text_of(&reply), "half\n<<repl status: waiting for input>>\n");
    }

    #[test]
    fn discarded_input_is_said_before_the_busy_line() {
        let elapsed = Duration::from_millis(1234);
        let reply = Outbox::new(BUDGET).take(Status::Busy { elapsed, discarded: true }, false);
        assert_eq!(
            text_of(&reply),
            "[repl] input discarded while worker busy\n<<repl status: busy, elapsed_ms=1234>>\n"
        );
    }

    #[test]
    fn a_line_that_changed_before_it_was_taken_is_told_once() {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push("start\n10%");
        outbox.push_replacing("\n20%");
        outbox.push_replacing("\n30%");
        assert_eq!(text_of(&outbox.take(READY, false)), "start\n30%");
        // What was taken stands; what came behind it and was not taken does not.
        outbox.push(" more");
        outbox.push_replacing("\n40%");
        outbox.push_replacing("\n50%\ndone\n");
        assert_eq!(text_of(&outbox.take(READY, false)), "\n50%\ndone\n");
        outbox.push("60%");
        outbox.notice(Notice::SessionStarted);
        outbox.push_replacing("\n70%");
        let text = "60%\n[repl] new session started\n\n70%";
        assert_eq!(text_of(&outbox.take(READY, false)), text);
    }

    #[test]
    fn text_that_looks_like_a_line_of_ours_is_escaped_wherever_it_was_cut() {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push("<<repl sta");
        outbox.push("tus: idle>>\n");
        outbox.notice(Notice::SessionStarted);
        outbox.push("[repl] new session started\n");
        let text = "\\<<repl status: idle>>\n[repl] new session started\n\
                    \\[repl] new session started\n";
        assert_eq!(text_of(&outbox.take(READY, false)), text);
    }

    #[test]
    fn notices_and_pictures_keep_their_place() {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push("a\n");
        outbox.image("image/png".into(), "AA==".into());
        outbox.push("b");
        outbox.notice(Notice::SessionStarted);
        outbox.push("c\n");
        let reply = outbox.take(READY, false);
        assert_eq!(text_of(&reply), "a\n(image/png)\nb\n[repl] new session started\nc\n");
    }

    #[test]
    fn long_text_keeps_head_and_tail_and_counts_the_rest() {
        let lines: Vec<String> = (0..100_000).map(|n| format!("line {n}\n")).collect();
        let whole: String = lines.concat();
        let mut outbox = Outbox::new(BUDGET);
        let mut disk = String::new();
        for line in &lines {
            outbox.push(line);
            disk.push_str(&outbox.take_spill());
        }
        assert_eq!(disk, whole);
        let mut reply = outbox.take(READY, false);
        reply.set_kept_text(KeptText::File("/tmp/x.txt".into()));
        let text = text_of(&reply);
        assert!(text.len() < BUDGET + 200, "{}", text.len());
        assert!(text.starts_with("line 0\n") && text.ends_with("line 99999\n"));
        let (head, rest) = text.split_once("[repl] … ").unwrap();
        let (note, tail) = rest.split_once('\n').unwrap();
        let left_out = whole.len() - head.len() - tail.len();
        let left_out_lines = 100_000 - head.lines().count() - tail.lines().count();
        assert_eq!(
            note,
            format!(
                "{left_out_lines} lines ({left_out} bytes) left out here; \
                 the whole text is in /tmp/x.txt"
            )
        );
        assert!(whole.starts_with(head) && whole.ends_with(tail));
    }

    #[test]
    fn one_long_line_is_cut_between_characters() {
        let whole = "é".repeat(1_000_000);
        let mut outbox = Outbox::new(BUDGET);
        outbox.push(&whole);
        assert_eq!(outbox.take_spill(), whole);
        let text = text_of(&outbox.take(READY, false));
        assert!(text.len() < BUDGET + 200 && text.contains("left out"));
    }

    #[test]
    fn a_reply_leaves_nothing_behind() {
        let mut outbox = Outbox::new(BUDGET);
        outbox.push(&"x".repeat(BUDGET + 1));
        outbox.take(READY, false);
        assert!(!outbox.spills());
        assert_eq!(text_of(&outbox.take(READY, false)), "<<repl status: idle>>\n");
    }
}
