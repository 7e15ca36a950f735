//! The history of cells, in a file that all runs share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reedline::{
    FileBackedHistory, History, HistoryItem, HistoryItemId, HistorySessionId, Result, SearchQuery,
};

/// How many cells are kept.
const MOST: usize = 10_000;

/// A history that one editor after the other uses. Clones are the same one.
#[derive(Clone)]
pub(in crate::attach) struct SharedHistory(Arc<Mutex<FileBackedHistory>>);

impl SharedHistory {
    /// What is in the file, which is made where it is not there. Without one, or where it can't be
    /// used, cells are remembered as long as this lives.
    pub(in crate::attach) fn new(file: Option<PathBuf>) -> SharedHistory {
        let of_file = file.and_then(|file| FileBackedHistory::with_file(MOST, file).ok());
        SharedHistory(Arc::new(Mutex::new(of_file.unwrap_or_default())))
    }

    fn lock(&self) -> MutexGuard<'_, FileBackedHistory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History for SharedHistory {
    fn save(&mut self, item: HistoryItem) -> Result<HistoryItem> {
        let mut history = self.lock();
        let saved = history.save(item)?;
        // Who is killed has it all the same, and so have others who attach.
        let _ = history.sync();
        Ok(saved)
    }

    fn load(&self, id: HistoryItemId) -> Result<HistoryItem> {
        self.lock().load(id)
    }

    fn count(&self, query: SearchQuery) -> Result<i64> {
        self.lock().count(query)
    }

    fn search(&self, query: SearchQuery) -> Result<Vec<HistoryItem>> {
        self.lock().search(query)
    }

    fn update(
        &mut self,
        id: HistoryItemId,
        updater: &dyn Fn(HistoryItem) -> HistoryItem,
    ) -> Result<()> {
        self.lock().update(id, updater)
    }

    fn clear(&mut self) -> Result<()> {
        self.lock().clear()
    }

    fn delete(&mut self, id: HistoryItemId) -> Result<()> {
        self.lock().delete(id)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.lock().sync()
    }

    fn session(&self) -> Option<HistorySessionId> {
        self.lock().session()
    }
}
