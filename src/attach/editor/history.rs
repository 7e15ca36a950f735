//! The history of cells, in a file that all runs share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reedline::{
    FileBackedHistory, History, HistoryItem, HistoryItemId, HistorySessionId, Result,
    SearchDirection, SearchQuery,
};

/// How many cells are kept.
const MOST: usize = 10_000;

/// How long a cell of others may be to be kept, in bytes.
const LONGEST_OF_OTHERS: usize = 4096;

/// A history that one editor after the other uses. Clones are the same one.
#[derive(Clone)]
pub(in crate::attach) struct SharedHistory(Arc<Mutex<Cells>>);

struct Cells {
    /// All that are gone through: those of the file as it was found, this person's and others'.
    seen: FileBackedHistory,
    /// This person's, with the file; other clients write to it as well.
    own: Option<FileBackedHistory>,
}

impl SharedHistory {
    /// What is in the file, which is made where it is not there. Without one, or where it can't be
    /// used, cells are remembered as long as this lives.
    pub(in crate::attach) fn new(file: Option<PathBuf>) -> SharedHistory {
        let own = file.and_then(|file| FileBackedHistory::with_file(MOST, file).ok());
        let mut seen = FileBackedHistory::new(MOST).unwrap_or_default();
        let everything = SearchQuery::everything(SearchDirection::Forward, None);
        for item in own.as_ref().and_then(|own| own.search(everything).ok()).unwrap_or_default() {
            let _ = seen.save(HistoryItem { id: None, ..item });
        }
        SharedHistory(Arc::new(Mutex::new(Cells { seen, own })))
    }

    /// Others ran this. It can be called up, and is not written down.
    pub(in crate::attach) fn add(&self, cell: &str) {
        if cell.len() <= LONGEST_OF_OTHERS {
            let _ = self.lock().seen.save(HistoryItem::from_command_line(cell.trim_end()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cells> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History for SharedHistory {
    fn save(&mut self, item: HistoryItem) -> Result<HistoryItem> {
        let mut cells = self.lock();
        if let Some(own) = &mut cells.own {
            // Who is killed has it all the same, and so have others who attach later.
            let _ = own.save(HistoryItem::clone(&item)).and_then(|_| Ok(own.sync()?));
        }
        cells.seen.save(item)
    }

    fn load(&self, id: HistoryItemId) -> Result<HistoryItem> {
        self.lock().seen.load(id)
    }

    fn count(&self, query: SearchQuery) -> Result<i64> {
        self.lock().seen.count(query)
    }

    fn search(&self, query: SearchQuery) -> Result<Vec<HistoryItem>> {
        self.lock().seen.search(query)
    }

    fn update(
        &mut self,
        id: HistoryItemId,
        updater: &dyn Fn(HistoryItem) -> HistoryItem,
    ) -> Result<()> {
        self.lock().seen.update(id, updater)
    }

    fn clear(&mut self) -> Result<()> {
        self.lock().seen.clear()
    }

    fn delete(&mut self, id: HistoryItemId) -> Result<()> {
        self.lock().seen.delete(id)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.lock().seen.sync()
    }

    fn session(&self) -> Option<HistorySessionId> {
        self.lock().seen.session()
    }
}
