//! The files of pictures and documents, and the pictures of a reply made ready to be shown.
//!
//! A thread writes the files, others look at pixels, and nobody waits for any of them for long: a
//! disk that hangs costs a picture its file, a picture that is hard to decode its place in the
//! reply, and neither hangs the session.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use mcp_repl_sideband::PictureLimit;
use tokio::{sync::watch, time::Instant};

use super::{
    output_disk::{KeepError, OutputDisk},
    write_queue::{PATIENCE, WriteQueue},
};
use crate::{
    picture::Picture,
    reply::{
        Attachment, FilePlace, PICTURE_BUDGET, PictureKind, Reply, ShownPicture, View,
        base64_capacity, base64_length, shares,
    },
};

/// How much may wait to be written before no more should be made, in bytes of base64.
const LARGEST_BACKLOG: usize = 64 << 20;
/// How long the pictures of a reply may take to be made ready.
const SHOW_PATIENCE: Duration = Duration::from_secs(10);
/// From how many files on those are forgotten that no reply is to name.
const MANY_FILES: usize = 64;

/// Writes pictures and documents to files.
#[derive(Debug)]
pub(super) struct AttachmentFiles {
    disk: OutputDisk,
    /// What the thread that writes is given; `None` while there is none.
    jobs: Option<WriteQueue<Job>>,
    /// What became of each file that a reply may name, by its number.
    places: BTreeMap<u64, watch::Receiver<FilePlace>>,
}

/// A file to be written.
#[derive(Debug)]
struct Job {
    path: PathBuf,
    /// Its bytes in base64.
    data: Arc<str>,
    place: watch::Sender<FilePlace>,
}

/// The files that a reply names and that may not be written yet.
#[derive(Debug)]
pub(super) struct Pending(BTreeMap<u64, watch::Receiver<FilePlace>>);

impl AttachmentFiles {
    /// Writes as far as `disk` has room.
    pub(super) fn new(disk: OutputDisk) -> AttachmentFiles {
        AttachmentFiles { disk, jobs: None, places: BTreeMap::new() }
    }

    /// Writes one to its file in a directory. `is_named` tells whether a reply may still name one
    /// of the others.
    pub(super) fn keep(
        &mut self,
        directory: &Path,
        attachment: Attachment,
        is_named: impl Fn(u64) -> bool,
    ) {
        let Attachment { file, data: Some(data), .. } = attachment else { return };
        if self.places.len() >= MANY_FILES {
            let is_written = |place: &FilePlace| *place != FilePlace::Nowhere;
            self.places.retain(|&number, place| is_named(number) || !is_written(&place.borrow()));
        }
        let (place, told) = watch::channel(FilePlace::Nowhere);
        self.places.insert(file.number, told);
        let bytes = data.len();
        let job = Job { path: directory.join(file.name), data, place };
        // Without a thread nobody tells the place, which is seen where it is waited for.
        self.jobs.get_or_insert_with(|| start(self.disk.clone())).push(job, bytes);
    }

    /// Whether the disk is behind, so that no more should be made.
    pub(super) fn is_behind(&self) -> bool {
        self.jobs.as_ref().is_some_and(WriteQueue::is_behind)
    }

    /// Waits until the disk is not behind any more, or has been for too long: then what waits is
    /// given up. Cancel safe; pends for ever when it is not behind.
    pub(super) async fn catch_up(&mut self) {
        let Some(jobs) = &mut self.jobs else { return std::future::pending().await };
        if !jobs.catch_up().await {
            // The next ones get a thread of their own.
            self.jobs = None;
        }
    }

    /// The files that a reply names and does not say the place of.
    pub(super) fn pending(&self, reply: &mut Reply) -> Pending {
        let untold = reply.files_mut().filter(|file| file.place == FilePlace::Nowhere);
        let places = untold.filter_map(|file| {
            self.places.get(&file.number).map(|place| (file.number, place.clone()))
        });
        Pending(places.collect())
    }
}

impl Pending {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits until all are written, within bounds.
    pub(super) async fn written(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        for place in self.0.values_mut() {
            let told = place.wait_for(|place| *place != FilePlace::Nowhere);
            let _ = tokio::time::timeout_at(deadline, told).await;
        }
    }

    /// Says in the reply where they are, as far as that is known; where it is `over`, the others
    /// are given up.
    pub(super) fn tell(&self, reply: &mut Reply, over: bool) {
        for file in reply.files_mut() {
            let Some(place) = self.0.get(&file.number) else { continue };
            file.place = match &*place.borrow() {
                FilePlace::Nowhere if over => FilePlace::Failed(KeepError::NoAnswer.to_string()),
                place => place.clone(),
            };
        }
    }
}

/// Starts a thread that writes what it is given, until nobody gives it any more.
fn start(disk: OutputDisk) -> WriteQueue<Job> {
    let (queue, mut jobs) = WriteQueue::<Job>::new(LARGEST_BACKLOG);
    let writer = std::thread::Builder::new().name("attachments".into());
    let _ = writer.spawn(move || {
        while let Some(Job { path, data, place }) = jobs.next() {
            place.send_replace(match write(&disk, &path, &data) {
                Ok(()) => FilePlace::At(path.display().to_string()),
                Err(error) => FilePlace::Failed(error.to_string()),
            });
            jobs.written(data.len());
        }
    });
    queue
}

fn write(disk: &OutputDisk, path: &Path, data: &str) -> Result<(), KeepError> {
    let bytes = BASE64_STANDARD.decode(data).map_err(|_| KeepError::NoBase64)?;
    disk.keep(path, &bytes)
}

/// Whether a reply has pictures that are to be made ready.
pub(super) fn has_pictures(reply: &mut Reply) -> bool {
    reply.attachments_mut().any(|attachment| to_show(attachment).is_some())
}

/// The bytes of a picture that is to be shown, in base64.
fn to_show(attachment: &Attachment) -> Option<(PictureKind, Arc<str>)> {
    Some((attachment.kind?, attachment.data.clone()?))
}

/// Makes the pictures of a reply ready to be shown: no larger than the limit, all together within
/// [`PICTURE_BUDGET`], and within bounds of time.
pub(super) async fn show(reply: &mut Reply, limit: PictureLimit) {
    let deadline = Instant::now() + SHOW_PATIENCE;
    let mut pictures = Vec::new();
    // One after the other: a large one takes much memory.
    for attachment in reply.attachments_mut() {
        let Some((kind, data)) = to_show(attachment) else { continue };
        match compute(deadline, move || decode(&data, kind, limit)).await {
            Ok(picture) => pictures.push((attachment, Arc::new(picture))),
            Err(why) => attachment.view = View::NotShown(why),
        }
    }
    let wanted: Vec<usize> =
        pictures.iter().map(|(_, picture)| base64_length(picture.encoded.bytes.len())).collect();
    for ((attachment, picture), share) in pictures.into_iter().zip(shares(&wanted, PICTURE_BUDGET))
    {
        let shown = compute(deadline, move || within(&picture, share)).await;
        attachment.view = shown.map_or_else(View::NotShown, View::Shown);
    }
}

/// Computes something beside the engine's loop; why not, when it takes too long.
async fn compute<T: Send + 'static>(
    deadline: Instant,
    compute: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let computed = tokio::task::spawn_blocking(compute);
    match tokio::time::timeout_at(deadline, computed).await {
        Ok(Ok(result)) => result,
        // A decoder panicked.
        Ok(Err(_)) => Err("it can't be decoded".into()),
        Err(_) => Err("it takes too long to decode".into()),
    }
}

fn decode(data: &str, kind: PictureKind, limit: PictureLimit) -> Result<Picture, String> {
    let bytes = BASE64_STANDARD.decode(data).map_err(|_| KeepError::NoBase64.to_string())?;
    Picture::decode(&bytes, kind, limit).map_err(|error| error.to_string())
}

fn within(picture: &Picture, share: usize) -> Result<ShownPicture, String> {
    let encoded = picture.within(base64_capacity(share));
    let encoded = encoded.ok_or_else(|| "there is no room for it in the reply".to_owned())?;
    Ok(ShownPicture {
        kind: encoded.kind,
        data: BASE64_STANDARD.encode(&encoded.bytes),
        size: encoded.size,
        original: picture.original,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{Content, Status};
    use crate::session::write_queue::WriteJobs;

    const LIMIT: PictureLimit = PictureLimit { edge: 1568, area: 1_150_000 };

    fn attachment(number: u64, mime: &str, bytes: &[u8]) -> Attachment {
        Attachment::new(number, mime, BASE64_STANDARD.encode(bytes).into())
    }

    fn reply(attachments: impl IntoIterator<Item = Attachment>) -> Reply {
        let content = attachments.into_iter().map(Content::Attachment).collect();
        Reply { content, status: Status::Ready { outcome: None } }
    }

    /// Keeps these, and tells the places in a reply.
    async fn kept(files: &mut AttachmentFiles, directory: &Path, all: &[Attachment]) -> Reply {
        let mut reply = reply(all.iter().cloned());
        for attachment in all {
            files.keep(directory, attachment.clone(), |_| true);
        }
        let mut pending = files.pending(&mut reply);
        pending.written().await;
        pending.tell(&mut reply, true);
        reply
    }

    fn places(reply: &mut Reply) -> Vec<FilePlace> {
        reply.files_mut().map(|file| file.place.clone()).collect()
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[tokio::test]
    async fn each_is_a_file_of_its_own_with_the_bytes_as_they_came() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = AttachmentFiles::new(OutputDisk::default());
        let all = [attachment(1, "image/png", b"no png"), attachment(2, "text/html", b"<p>")];
        let mut reply = kept(&mut files, directory.path(), &all).await;
        let path = |name: &str| directory.path().join(name);
        let at = |name: &str| FilePlace::At(path(name).display().to_string());
        assert_eq!(places(&mut reply), [at("picture-1.png"), at("page-2.html")]);
        assert_eq!(std::fs::read(path("picture-1.png")).unwrap(), b"no png");
        assert_eq!(std::fs::read(path("page-2.html")).unwrap(), b"<p>");
    }

    #[tokio::test]
    async fn what_cannot_be_kept_is_said_and_the_next_one_is_tried() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = AttachmentFiles::new(OutputDisk::new(20));
        let no_base64 = Attachment::new(1, "text/html", "no base64".into());
        let too_long = attachment(2, "text/html", b"longer than half of the room");
        let all = [no_base64, too_long, attachment(3, "text/html", b"short")];
        let mut reply = kept(&mut files, directory.path(), &all).await;
        let failed = |error: KeepError| FilePlace::Failed(error.to_string());
        let path = directory.path().join("page-3.html");
        let wanted = [
            failed(KeepError::NoBase64),
            failed(KeepError::TooLong { most: 10 }),
            FilePlace::At(path.display().to_string()),
        ];
        assert_eq!(places(&mut reply), wanted);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        let missing = directory.path().join("missing");
        let mut reply = kept(&mut files, &missing, &[attachment(4, "a/b", b"x")]).await;
        assert!(matches!(&places(&mut reply)[..], [FilePlace::Failed(_)]));
    }

    /// One whose thread hangs.
    fn hanging() -> (AttachmentFiles, WriteJobs<Job>) {
        let mut files = AttachmentFiles::new(OutputDisk::default());
        let (jobs, queue) = WriteQueue::new(LARGEST_BACKLOG);
        files.jobs = Some(jobs);
        (files, queue)
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let (mut files, _queue) = hanging();
        let all = [attachment(1, "text/html", b"<p>")];
        let mut reply = kept(&mut files, directory.path(), &all).await;
        assert_eq!(places(&mut reply), [FilePlace::Failed(KeepError::NoAnswer.to_string())]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_is_behind_is_waited_for_and_then_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let (mut files, _queue) = hanging();
        let large: Arc<str> = "A".repeat(LARGEST_BACKLOG / 2).into();
        for number in 1..=3 {
            assert!(!files.is_behind());
            let large = Attachment::new(number, "text/html", large.clone());
            files.keep(directory.path(), large, |_| true);
        }
        assert!(files.is_behind());
        files.catch_up().await;
        assert!(!files.is_behind());
        // What comes next is written again, which takes real time.
        tokio::time::resume();
        let all = [attachment(4, "text/html", b"<p>")];
        let mut reply = kept(&mut files, directory.path(), &all).await;
        assert!(matches!(&places(&mut reply)[..], [FilePlace::At(_)]));
    }

    #[tokio::test]
    async fn files_that_nobody_is_to_be_told_of_are_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = AttachmentFiles::new(OutputDisk::default());
        for number in 0..300 {
            let attachment = attachment(number, "text/html", b"<p>");
            files.keep(directory.path(), attachment.clone(), |number| number == 5);
            let mut reply = reply([attachment]);
            files.pending(&mut reply).written().await;
        }
        assert!(files.places.len() <= MANY_FILES + 1);
        let mut reply = reply([attachment(5, "text/html", b"<p>")]);
        let mut pending = files.pending(&mut reply);
        pending.written().await;
        pending.tell(&mut reply, true);
        assert!(matches!(&places(&mut reply)[..], [FilePlace::At(_)]));
    }

    #[tokio::test]
    async fn pictures_are_made_ready_and_those_that_cannot_be_say_why() {
        let mut damaged = png(40, 30);
        damaged.truncate(50);
        let all = [
            attachment(1, "image/png", &png(40, 30)),
            attachment(2, "image/png", &damaged),
            attachment(3, "image/png", &png(3000, 3000)),
            attachment(4, "text/html", b"<p>"),
        ];
        let mut reply = reply(all);
        assert!(has_pictures(&mut reply));
        show(&mut reply, LIMIT).await;
        let views: Vec<View> = reply.attachments_mut().map(|one| one.view.clone()).collect();
        let [View::Shown(first), View::NotShown(why), View::Shown(third), View::Named] = &views[..]
        else {
            panic!("{views:?}")
        };
        assert_eq!(BASE64_STANDARD.decode(&first.data).unwrap(), png(40, 30));
        assert!(why.starts_with("it can't be decoded: "), "{why}");
        assert_eq!((third.size.width, third.size.height), (1072, 1072));
    }
}
