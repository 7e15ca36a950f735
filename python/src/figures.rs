//! matplotlib's figures: which of them changed, and what they look like.
//!
//! A figure has changed when it became stale or was drawn since the cell began. What makes it so
//! between cells, in a thread, is no cell's doing. One that looks as it did when it was shown last
//! is not shown again.

use std::{
    hash::{DefaultHasher, Hasher},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mcp_repl_sideband::PictureLimit;
use pyo3::{
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyWeakrefMethods, PyWeakrefReference},
};

use crate::{pictures, worker::worker};

/// The module of the backend, which has a `FigureCanvas`.
pub(crate) const BACKEND: &str = "_mcp_repl_matplotlib";

/// The canvases of figures that nobody else shows, by module and name: ours, and those of
/// matplotlib that only save figures as pictures of pixels.
const CANVASES: [(&str, &str); 3] = [
    (BACKEND, "FigureCanvas"),
    ("matplotlib.backends.backend_agg", "FigureCanvasAgg"),
    ("matplotlib.backend_bases", "FigureCanvasBase"),
];

/// How large a picture is at most if the server does not say.
const DEFAULT_LIMIT: PictureLimit = PictureLimit { edge: 1568, area: 1_150_000 };

/// The fewest dots per inch that a figure is drawn with for the limit's sake: with fewer, text of
/// usual sizes is smaller than a pixel, which FreeType refuses.
const LOWEST_RESOLUTION: f64 = 10.0;

/// What is known of a figure.
#[derive(Debug)]
struct Known {
    figure: Py<PyWeakrefReference>,
    drawn: Py<DrawListener>,
    /// A hash of the picture that was shown last.
    shown: Option<u64>,
    /// Whether it changed in a cell that was interrupted, and is to be shown at the end of another.
    pending: bool,
    released: Released,
}

/// Whether `plt.show()` has let go of the figure: pyplot does not know it any more, but the
/// program may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Released {
    No,
    InThisCell,
    Before,
}

/// Called by matplotlib when a figure was drawn.
#[pyclass(frozen, module = "_mcp_repl")]
#[derive(Debug)]
struct DrawListener(AtomicBool);

#[pymethods]
impl DrawListener {
    fn __call__(&self, _event: &Bound<'_, PyAny>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Known {
    fn is_drawn(&self) -> bool {
        self.drawn.get().0.load(Ordering::Relaxed)
    }

    /// From here on, it has not changed.
    fn settle(&mut self) {
        self.drawn.get().0.store(false, Ordering::Relaxed);
        self.pending = false;
    }
}

static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// The GIL is held, and no Python code runs under the lock: no reference is dropped there that
/// may be the last to a figure.
fn known() -> MutexGuard<'static, Vec<Known>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something with what is known of this figure, if anything is.
fn with_known<T>(figure: &Bound<'_, PyAny>, action: impl FnOnce(&mut Known) -> T) -> Option<T> {
    let is_it = |known: &&mut Known| {
        known.figure.bind(figure.py()).upgrade().is_some_and(|other| other.is(figure))
    };
    known().iter_mut().find(is_it).map(action)
}

/// The same; from here on the figure is known.
fn get_to_know<T>(figure: &Bound<'_, PyAny>, action: impl Fn(&mut Known) -> T) -> PyResult<T> {
    let py = figure.py();
    if let Some(result) = with_known(figure, &action) {
        return Ok(result);
    }
    let drawn = Bound::new(py, DrawListener(AtomicBool::new(false)))?;
    figure
        .getattr(intern!(py, "canvas"))?
        .call_method1(intern!(py, "mpl_connect"), ("draw_event", &drawn))?;
    let mut new = Known {
        figure: PyWeakrefReference::new(figure)?.unbind(),
        drawn: drawn.unbind(),
        shown: None,
        pending: false,
        released: Released::No,
    };
    let result = action(&mut new);
    known().push(new);
    Ok(result)
}

/// The figures that `plt.show()` has let go of and that may have been changed since.
fn released(py: Python<'_>) -> Vec<Bound<'_, PyAny>> {
    let known = known();
    let released = known.iter().filter(|known| known.released == Released::Before);
    released.filter_map(|known| known.figure.bind(py).upgrade()).collect()
}

/// The managers of the figures that pyplot has open, in the order of their numbers.
pub(crate) fn open_managers(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let modules = py.import("sys")?.getattr("modules")?;
    let Ok(helpers) = modules.get_item("matplotlib._pylab_helpers") else { return Ok(Vec::new()) };
    let managers = helpers.getattr("Gcf")?.call_method0("get_all_fig_managers")?;
    let managers = managers.cast_into::<PyList>()?;
    let number = |manager: &Bound<'_, PyAny>| {
        manager.getattr("num").and_then(|number| number.extract()).unwrap_or(i64::MAX)
    };
    let mut managers: Vec<_> = managers.iter().collect();
    managers.sort_by_key(number);
    Ok(managers)
}

/// The figure of a manager.
pub(crate) fn figure_of<'py>(manager: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = manager.py();
    manager.getattr(intern!(py, "canvas"))?.getattr(intern!(py, "figure"))
}

/// The open figures that are shown by nobody else.
fn open_figures(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let figures = open_managers(py)?.into_iter().filter_map(|manager| {
        // Those of another backend may be anything.
        let figure = figure_of(&manager).ok()?;
        is_ours_to_show(&figure).unwrap_or(false).then_some(figure)
    });
    Ok(figures.collect())
}

/// Whether nobody else shows the figure: a backend that the user chose may.
pub(crate) fn is_ours_to_show(figure: &Bound<'_, PyAny>) -> PyResult<bool> {
    let canvas = figure.getattr(intern!(figure.py(), "canvas"))?.get_type();
    let (module, name) = (canvas.module()?, canvas.name()?);
    for (module_of, name_of) in CANVASES {
        if module == module_of && name == name_of {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether nothing is on the figure but its background.
pub(crate) fn is_empty(figure: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(figure.call_method0(intern!(figure.py(), "get_children"))?.len()? <= 1)
}

fn is_stale(figure: &Bound<'_, PyAny>) -> PyResult<bool> {
    figure.getattr(intern!(figure.py(), "stale"))?.is_truthy()
}

fn set_fresh(figure: &Bound<'_, PyAny>) -> PyResult<()> {
    figure.setattr(intern!(figure.py(), "stale"), false)
}

/// A cell begins: what was done to figures until now is not its doing.
pub(crate) fn begin_cell(py: Python<'_>) -> PyResult<()> {
    known().retain(|known| known.figure.bind(py).upgrade().is_some());
    for known in known().iter_mut().filter(|known| known.released == Released::InThisCell) {
        known.released = Released::Before;
    }
    let open = open_figures(py)?;
    for figure in &open {
        // The program may have given one back to pyplot.
        get_to_know(figure, |known| known.released = Released::No)?;
    }
    for figure in open.into_iter().chain(released(py)) {
        if is_stale(&figure)? {
            set_fresh(&figure)?;
        }
        with_known(&figure, |known| known.drawn.get().0.store(false, Ordering::Relaxed));
    }
    Ok(())
}

/// The figures that changed in this cell, were not shown since, and have something on them.
pub(crate) fn changed(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let mut changed = Vec::new();
    let open = open_figures(py)?;
    let released = released(py).into_iter().filter(|one| !open.iter().any(|other| other.is(one)));
    for figure in released.chain(open.iter().cloned()) {
        let marked = with_known(&figure, |known| known.pending || known.is_drawn());
        if (marked.unwrap_or(true) || is_stale(&figure)?) && !is_empty(&figure)? {
            changed.push(figure);
        }
    }
    Ok(changed)
}

/// Has what changed in this cell shown at the end of the next one.
pub(crate) fn keep_changed(py: Python<'_>) -> PyResult<()> {
    for figure in changed(py)? {
        get_to_know(&figure, |known| known.pending = true)?;
    }
    Ok(())
}

/// Says that pyplot does not know the figure any more since it was shown.
pub(crate) fn release(figure: &Bound<'_, PyAny>) {
    with_known(figure, |known| known.released = Released::InThisCell);
}

/// Shows a figure, if it does not look as it did when it was shown last.
///
/// # Errors
/// What drawing it raised. It counts as shown all the same, until it is changed.
pub(crate) fn show_if_new(figure: &Bound<'_, PyAny>) -> PyResult<()> {
    show_with(figure, false)
}

/// Shows a figure.
///
/// # Errors
/// As [`show_if_new`].
pub(crate) fn show(figure: &Bound<'_, PyAny>) -> PyResult<()> {
    show_with(figure, true)
}

fn show_with(figure: &Bound<'_, PyAny>, again: bool) -> PyResult<()> {
    let drawn = draw(figure);
    // Drawing it at another resolution made it stale.
    set_fresh(figure)?;
    get_to_know(figure, Known::settle)?;
    let png = drawn?;
    let mut hasher = DefaultHasher::new();
    hasher.write(png.as_bytes());
    let hash = hasher.finish();
    let before = with_known(figure, |known| known.shown.replace(hash)).flatten();
    if again || before != Some(hash) {
        pictures::send_image(figure.py(), "image/png", png.as_bytes())?;
    }
    Ok(())
}

/// Draws the whole figure in its own size and colours, as a window shows it: how the user has
/// figures saved (`rcParams["savefig.…"]`) has no part in it.
fn draw<'py>(figure: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = figure.py();
    let file = py.import("io")?.getattr("BytesIO")?.call0()?;
    let arguments = PyDict::new(py);
    arguments.set_item("format", "png")?;
    arguments.set_item("dpi", resolution(figure)?)?;
    arguments.set_item("facecolor", figure.call_method0("get_facecolor")?)?;
    arguments.set_item("edgecolor", figure.call_method0("get_edgecolor")?)?;
    // With None it would be the user's setting.
    arguments.set_item("bbox_inches", false)?;
    figure.getattr(intern!(py, "canvas"))?.call_method(
        "print_figure",
        (&file,),
        Some(&arguments),
    )?;
    Ok(file.call_method0("getvalue")?.cast_into()?)
}

/// The figure's own dots per inch, or the most with which the picture is as large as it may be;
/// no fewer than text can be drawn with.
fn resolution(figure: &Bound<'_, PyAny>) -> PyResult<f64> {
    let limit = worker().and_then(|worker| worker.channel.picture_limit());
    let PictureLimit { edge, area } = limit.unwrap_or(DEFAULT_LIMIT);
    let inches: Vec<f64> = figure.call_method0("get_size_inches")?.extract()?;
    let own: f64 = figure.getattr("dpi")?.extract()?;
    let [width, height] = inches[..] else { return Ok(own) };
    let by_edge = f64::from(edge) / width.max(height);
    let by_area = (f64::from(area) / (width * height)).sqrt();
    let most = [own, by_edge, by_area].into_iter().filter(|dpi| *dpi > 0.0).fold(own, f64::min);
    Ok(most.max(own.min(LOWEST_RESOLUTION)))
}
