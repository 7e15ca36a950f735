//! Job control: this process is stopped with its terminal put back, and takes it again when it is
//! continued.

use std::{io, time::Duration};

use tokio::sync::mpsc;

use super::{Draft, Edited, Feed, Keyboard, Left, MOST_TYPED, PATIENCE, Visit};
use crate::{
    attach::external,
    pty::{self, Request, Requests, Stopping},
    terminal,
};

/// How long after it was continued a process is told so. Where nobody could stop it, nothing comes.
const CONTINUED: Duration = Duration::from_millis(200);

impl Visit {
    /// Stops this process if that is due, and takes the terminal again if it was stopped.
    pub(super) async fn stop_or_go_on(
        &mut self,
        requests: &mut Requests,
    ) -> io::Result<Option<Left>> {
        if self.wants_stop {
            if let Some(ended) = self.end_editor().await?
                && let Some(left) = self.edited(ended)?
            {
                return Ok(Some(left));
            }
            self.put_back().await;
            terminal::leave_raw();
            // Keys behind it may have asked for the same.
            (self.wants_stop, self.was_stopped) = (false, true);
            pty::stop_group(Stopping::Asked);
            if let Some(left) = continued(requests).await.1 {
                return Ok(Some(left));
            }
        }
        if std::mem::take(&mut self.was_stopped) {
            return self.go_on(requests).await;
        }
        Ok(None)
    }

    /// Has the person edit the draft in an editor of theirs, if that is due. What others ask of this
    /// process is heeded meanwhile.
    pub(super) async fn edit_elsewhere(
        &mut self,
        requests: &mut Requests,
    ) -> io::Result<Option<Left>> {
        if !std::mem::take(&mut self.edits_elsewhere) {
            return Ok(None);
        }
        self.put_back().await;
        terminal::leave_raw();
        let text = self.draft.text.clone();
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut editing = tokio::task::spawn_blocking(move || {
            external::edit(&text, |process| {
                // Where nobody listens, this process is on its way out.
                let _ = tell.send(process);
            })
        });
        let (mut editor, mut resized) = (None, false);
        let edited = loop {
            tokio::select! {
                edited = &mut editing => break edited,
                Some(process) = told.recv() => editor = Some(process),
                asked = requests.next() => match asked {
                    Request::End { signal } => {
                        editor.into_iter().for_each(pty::hang_up_child);
                        // It puts the terminal back, too.
                        let _ = tokio::time::timeout(PATIENCE, &mut editing).await;
                        return Ok(Some(Left::Asked { signal }));
                    }
                    // The editor is in the same process group, and was sent it as well.
                    Request::Interrupt | Request::Continue => {}
                    Request::Stop => pty::stop_group(Stopping::Asked),
                    Request::Resize => resized = true,
                },
            }
        };
        terminal::make_raw_again();
        if resized && let Some(left) = self.heed(Request::Resize) {
            return Ok(Some(left));
        }
        match edited.map_err(io::Error::other)? {
            Ok(text) => self.draft = Draft { cursor: text.len(), text },
            Err(error) => self.outer.line(&format!("[repl] {error}")),
        }
        self.is_prepared = false;
        Ok(None)
    }

    /// Puts the terminal back, below what stands there. One that is gone, or takes nothing, stays as it
    /// is.
    pub(super) async fn put_back(&mut self) {
        self.stop_asking();
        self.outer.restore();
        self.outer.fresh_row();
        self.outer.restore_title();
        let writing = async {
            while !self.outer.is_done() {
                self.outer.write().await?;
            }
            io::Result::Ok(())
        };
        let _ = tokio::time::timeout(PATIENCE, writing).await;
        let _ = tokio::time::timeout(PATIENCE, self.hear_out()).await;
    }

    /// Waits for what the terminal still has to say of its cursor: it would be typed to whoever has the
    /// terminal next.
    async fn hear_out(&mut self) -> io::Result<()> {
        let mut buffer = [0; MOST_TYPED];
        while self.feed.as_ref().is_some_and(Feed::is_owed) {
            match self.input.read(&mut buffer).await? {
                0 => break,
                length => self.typed(&buffer[..length])?,
            }
        }
        Ok(())
    }

    /// Takes the terminal again, on which others may have printed.
    async fn go_on(&mut self, requests: &mut Requests) -> io::Result<Option<Left>> {
        while !pty::has_the_terminal() {
            pty::stop_group(Stopping::InBackground);
            match continued(requests).await {
                (_, Some(left)) => return Ok(Some(left)),
                (true, None) => {}
                // Nobody can give it the terminal any more.
                (false, None) => return Ok(Some(Left::Asked { signal: "SIGHUP" })),
            }
        }
        if let Some(ended) = self.end_editor().await? {
            match ended {
                // The line stands there no more.
                Ok((editor, Ok(Edited::Stopped(draft)))) => {
                    (self.keyboard, self.editor) = (Keyboard::Loop, Some(editor));
                    (self.draft, self.is_above) = (draft, false);
                    self.outer.is_not_edited();
                    for told in std::mem::take(&mut self.waiting) {
                        self.show_one(told);
                    }
                }
                ended => {
                    if let Some(left) = self.edited(ended)? {
                        return Ok(Some(left));
                    }
                }
            }
        }
        terminal::make_raw_again();
        if let Some(size) = terminal::size() {
            self.size = size;
            self.outer.resize(size);
            self.lead();
        }
        self.outer.restore();
        self.outer.fresh_row();
        self.cropped = None;
        (self.is_prepared, self.question) = (false, None);
        if !self.is_at_prompt()
            && let Some(inner) = &self.inner
        {
            let page =
                if inner.is_alternate() { inner.dump_alternate() } else { inner.dump_in_line() };
            self.outer.print(&page);
            self.crop();
        }
        self.bar_changes();
        Ok(None)
    }
}

/// Waits until this process was told that it was continued; whether it was, and whether it is to end.
async fn continued(requests: &mut Requests) -> (bool, Option<Left>) {
    loop {
        match tokio::time::timeout(CONTINUED, requests.next()).await {
            Ok(Request::Continue) => return (true, None),
            Ok(Request::End { signal }) => return (true, Some(Left::Asked { signal })),
            Ok(Request::Interrupt) => return (true, Some(Left::Asked { signal: "SIGINT" })),
            Ok(Request::Resize | Request::Stop) => {}
            Err(_) => return (false, None),
        }
    }
}
