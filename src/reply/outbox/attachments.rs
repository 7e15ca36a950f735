//! The pictures and documents that wait for the next reply: which ones are shown, named, counted.

use super::Outbox;
use crate::reply::{
    Attachment, AttachmentFile, AttachmentRoom, Content, Notice, View, attachment::files_of,
};

/// How much a picture that waits to be shown may take, in bytes of base64.
pub(super) const MOST_PICTURE_BYTES: usize = 32 << 20;

impl Outbox {
    /// Adds a picture or document at this place.
    pub fn attach(&mut self, attachment: Attachment) {
        self.place(Content::Attachment(attachment));
    }

    /// The files that it names.
    pub fn files(&self) -> impl Iterator<Item = &AttachmentFile> {
        self.pieces().flat_map(files_of)
    }

    /// Leaves out pictures and documents where there are too many, and the data of those that are
    /// not to be shown: each time of those in the middle.
    pub(super) fn bound_attachments(&mut self) {
        let AttachmentRoom::Some { shown, named } = self.attachment_room else { return };
        while let Some(middle) = self.first_of_too_many(named) {
            self.leave_out(middle);
        }
        let mut pictures = Vec::new();
        for piece in self.pieces_mut() {
            let Content::Attachment(attachment) = piece else { continue };
            match attachment.kind {
                Some(_) => pictures.push(attachment),
                None => attachment.data = None,
            }
        }
        let behind = pictures.len().saturating_sub(shown / 2);
        for (place, picture) in pictures.into_iter().enumerate() {
            let is_in_the_middle = place >= shown.div_ceil(2) && place < behind;
            bound_picture(picture, (shown > 0 && is_in_the_middle).then_some(shown));
            if shown == 0 {
                picture.data = None;
            }
        }
    }

    /// The place of the first in the middle, where there are more than this.
    fn first_of_too_many(&self, named: usize) -> Option<usize> {
        let is_attachment =
            |(_, piece): &(usize, &Content)| matches!(piece, Content::Attachment(_));
        let places = self.pieces().enumerate().filter(is_attachment).map(|(place, _)| place);
        let places: Vec<usize> = places.collect();
        if places.len() > named { places.get(named.div_ceil(2)).copied() } else { None }
    }

    /// Counts the attachment at this place among those that are left out.
    fn leave_out(&mut self, at: usize) {
        let pieces: Vec<&mut Content> = self.pieces_mut().take(at + 1).collect();
        let mut before = pieces.into_iter().rev();
        let Some(piece) = before.next() else { return };
        let Content::Attachment(attachment) = &*piece else { return };
        let file = attachment.file.clone();
        let between = before.take_while(|piece| !matches!(piece, Content::Attachment(_)));
        for piece in between {
            if let Content::Notice(Notice::AttachmentsLeftOut { count, last, .. }) = piece {
                (*count, *last) = (*count + 1, file);
                return self.remove(at);
            }
        }
        let (first, last) = (file.clone(), file);
        *piece = Content::Notice(Notice::AttachmentsLeftOut { count: 1, first, last });
        self.notices += 1;
    }
}

/// Drops the data of a picture that is not to be shown, and says why; `most` are shown of which it
/// is none.
fn bound_picture(picture: &mut Attachment, most: Option<usize>) {
    let Some(data) = &picture.data else { return };
    let why = match most {
        Some(most) => format!("a reply shows {most} pictures"),
        None if data.len() > MOST_PICTURE_BYTES => "it is too large".to_owned(),
        None => {
            // One that comes again is looked at again.
            picture.view = View::Named;
            return;
        }
    };
    (picture.data, picture.view) = (None, View::NotShown(why));
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    use super::*;
    use crate::reply::{BUDGET, Budget, FilePlace, Reply, Status};

    const READY: Status = Status::Ready { outcome: None };

    fn picture(number: u64) -> Attachment {
        let data = BASE64_STANDARD.encode(b"\x89PNG\r\n\x1a\n and more");
        Attachment::new(number, "image/png", data.into())
    }

    /// One that has come so many pictures and documents, with text in front of each.
    fn filled(outbox: &mut Outbox, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            outbox.push(&format!("text {number}\n"));
            outbox.attach(picture(number));
        }
    }

    /// The numbers of the attachments with data, without data, and how many are counted.
    fn numbers(reply: &mut Reply) -> (Vec<u64>, Vec<u64>, usize) {
        let (mut shown, mut named) = (Vec::new(), Vec::new());
        for attachment in reply.attachments_mut() {
            let of = if attachment.data.is_some() { &mut shown } else { &mut named };
            of.push(attachment.file.number);
        }
        let count = |part: &Content| match part {
            Content::Notice(Notice::AttachmentsLeftOut { count, .. }) => *count,
            _ => 0,
        };
        (shown, named, reply.content.iter().map(count).sum())
    }

    fn text_of(reply: Reply) -> String {
        let text = |block| match block {
            crate::reply::Block::Text(text) => text,
            crate::reply::Block::Image { mime, .. } => format!("({mime})\n"),
        };
        reply.merged().into_iter().map(text).collect()
    }

    #[test]
    fn the_first_and_the_last_pictures_are_shown_the_others_named_and_more_are_counted() {
        for (count, shown, named, left_out) in [
            (1, vec![1], vec![], 0),
            (4, vec![1, 2, 3, 4], vec![], 0),
            (6, vec![1, 2, 5, 6], vec![3, 4], 0),
            (20, vec![1, 2, 19, 20], (3..=18).collect(), 0),
            (1000, vec![1, 2, 999, 1000], (3..=10).chain(991..=998).collect(), 980),
        ] {
            let mut outbox = Outbox::new(BUDGET);
            filled(&mut outbox, 1..=count);
            assert!(outbox.files().all(|file| file.number <= count));
            let mut reply = outbox.take(READY, false);
            assert_eq!(numbers(&mut reply), (shown, named, left_out));
        }
    }

    #[test]
    fn what_is_counted_is_said_at_its_place_with_its_files() {
        let mut outbox = Outbox::new(BUDGET);
        filled(&mut outbox, 1..=30);
        let mut reply = outbox.take(READY, false);
        for file in reply.files_mut() {
            file.place = FilePlace::At(format!("/d/{}", file.name));
        }
        let text = text_of(reply);
        let told = "text 11\n[repl] … 10 pictures and documents left out here; they are \
                    /d/picture-11.png to /d/picture-20.png\ntext 12\ntext 13\n";
        assert!(text.contains(told), "{text}");
        assert!(
            text.contains(
                "text 3\n[repl] picture: /d/picture-3.png (not shown here: a reply \
                               shows 4 pictures)\n"
            ),
            "{text}"
        );
        let mut outbox = Outbox::new(BUDGET);
        filled(&mut outbox, 1..=21);
        let text = text_of(outbox.take(READY, false));
        assert!(
            text.contains("[repl] … 1 picture or document left out here: picture-11.png\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_put_back_counts_with_what_came_since() {
        let mut outbox = Outbox::new(BUDGET);
        filled(&mut outbox, 1..=3);
        let mut reply = outbox.take(READY, false);
        for (number, attachment) in (1..).zip(reply.attachments_mut()) {
            attachment.file.place = FilePlace::At(format!("/d/{number}"));
            attachment.view = View::NotShown("it takes too long to decode".into());
        }
        filled(&mut outbox, 4..=6);
        outbox.put_back(reply.content);
        let mut reply = outbox.take(READY, false);
        assert_eq!(numbers(&mut reply), (vec![1, 2, 5, 6], vec![3, 4], 0));
        let views: Vec<bool> = reply.attachments_mut().map(|one| one.view == View::Named).collect();
        assert_eq!(views, [true, true, false, false, true, true]);
        // Also where the text that came since is too long.
        filled(&mut outbox, 7..=7);
        outbox.push(&"x".repeat(BUDGET));
        outbox.put_back(reply.content);
        let mut reply = outbox.take(READY, false);
        assert_eq!(numbers(&mut reply), (vec![1, 2, 6, 7], vec![3, 4, 5], 0));
    }

    #[test]
    fn documents_are_named_and_take_no_pictures_place() {
        let mut outbox = Outbox::new(BUDGET);
        for number in 1..=6 {
            outbox.attach(Attachment::new(number, "text/html", "AAAA".into()));
        }
        filled(&mut outbox, 7..=9);
        let mut reply = outbox.take(READY, false);
        assert_eq!(numbers(&mut reply), (vec![7, 8, 9], (1..=6).collect(), 0));
    }

    #[test]
    fn where_none_are_shown_they_are_named_without_a_reason() {
        let budget = Budget { text: BUDGET, attachments: AttachmentRoom::NAMES };
        let mut outbox = Outbox::new(budget);
        filled(&mut outbox, 1..=3);
        let mut reply = outbox.take(READY, false);
        assert_eq!(numbers(&mut reply), (vec![], vec![1, 2, 3], 0));
        assert!(reply.attachments_mut().all(|picture| picture.view == View::Named));
    }

    #[test]
    fn where_there_is_room_for_all_each_has_its_data() {
        let budget = Budget { text: usize::MAX, attachments: AttachmentRoom::All };
        let mut outbox = Outbox::new(budget);
        filled(&mut outbox, 1..=300);
        outbox.attach(Attachment::new(301, "text/html", "AAAA".into()));
        let mut reply = outbox.take(READY, false);
        assert_eq!(numbers(&mut reply), ((1..=301).collect(), vec![], 0));
    }

    #[test]
    fn a_picture_that_takes_too_much_memory_is_named() {
        let mut data = picture(1).data.unwrap().to_string();
        data.push_str(&"A".repeat(MOST_PICTURE_BYTES));
        let mut outbox = Outbox::new(BUDGET);
        outbox.attach(Attachment::new(1, "image/png", data.into()));
        let text = text_of(outbox.take(READY, false));
        assert_eq!(text, "[repl] picture (not shown here: it is too large; not kept)\n");
    }
}
