//! matplotlib's backend: `plt.show()` and `fig.show()` show figures in the reply.
//!
//! Nothing of matplotlib's is replaced. Its setting for the backend is made ours if it is still
//! the automatic choice once matplotlib was imported, so that whatever the user says counts. The
//! backend is a module of ours, made when matplotlib first asks for it.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple, PyType},
};

use crate::{
    figures::{self, BACKEND},
    system::fork,
};

/// Whether there may be figures.
static IS_IMPORTED: AtomicBool = AtomicBool::new(false);

/// Whether matplotlib was imported.
pub(crate) fn is_imported() -> bool {
    IS_IMPORTED.load(Ordering::Relaxed)
}

/// Makes our backend the automatic choice. Called when `matplotlib` was imported.
pub(crate) fn choose_backend(matplotlib: &Bound<'_, PyModule>) -> PyResult<()> {
    IS_IMPORTED.store(true, Ordering::Relaxed);
    // As a plain dictionary: asking `rcParams` itself makes matplotlib choose.
    let parameters = matplotlib.getattr("rcParams")?.cast_into::<PyDict>()?;
    let automatic = matplotlib.getattr("rcsetup")?.getattr("_auto_backend_sentinel")?;
    if parameters.get_item("backend")?.is_some_and(|backend| backend.is(&automatic)) {
        parameters.set_item("backend", format!("module://{BACKEND}"))?;
    }
    Ok(())
}

/// Fills the module of the backend with what matplotlib looks for in one.
pub(crate) fn fill_backend(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let manager_base = py.import("matplotlib.backend_bases")?.getattr("FigureManagerBase")?;
    let canvas_base = py.import("matplotlib.backends.backend_agg")?.getattr("FigureCanvasAgg")?;
    let manager =
        subclass("FigureManager", &py.get_type::<FigureManager>(), &manager_base, PyDict::new(py))?;
    let members = PyDict::new(py);
    members.set_item("manager_class", &manager)?;
    let canvas = subclass("FigureCanvas", &py.get_type::<FigureCanvas>(), &canvas_base, members)?;
    module.add("FigureManager", manager)?;
    module.add("FigureCanvas", canvas)?;
    module.add("show", wrap_pyfunction!(show, py)?)
}

fn subclass<'py>(
    name: &str,
    own: &Bound<'py, PyType>,
    base: &Bound<'py, PyAny>,
    members: Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = own.py();
    members.set_item("__module__", BACKEND)?;
    let bases = PyTuple::new(py, [own.as_any(), base])?;
    py.get_type::<PyType>().call1((name, bases, members))
}

/// `plt.show()`: shows the open figures that were not shown as they are now, and takes all of them
/// out of pyplot's hands, as at a prompt where their windows were closed. In interactive mode, or
/// with `block=False`, they stay, and are shown at the end of the cell.
#[pyfunction]
#[pyo3(signature = (*args, block = None))]
fn show(
    py: Python<'_>,
    args: &Bound<'_, PyTuple>,
    block: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let waits = match block.or_else(|| args.get_item(0).ok()).filter(|block| !block.is_none()) {
        Some(block) => block.is_truthy()?,
        None => !py.import("matplotlib")?.call_method0("is_interactive")?.is_truthy()?,
    };
    if !waits || fork::is_child() {
        return Ok(());
    }
    let pyplot_figures = py.import("matplotlib._pylab_helpers")?.getattr("Gcf")?;
    for manager in figures::open_managers(py)? {
        let figure = figures::figure_of(&manager)?;
        let shown = match figures::is_empty(&figure) {
            Ok(false) => figures::show_if_new(&figure),
            is_empty => is_empty.map(drop),
        };
        pyplot_figures.call_method1("destroy", (&manager,))?;
        figures::release(&figure);
        shown?;
    }
    Ok(())
}

/// What the backend's `FigureCanvas` has beyond matplotlib's for Agg.
#[pyclass(subclass, frozen, module = "_mcp_repl")]
struct FigureCanvas;

#[pymethods]
impl FigureCanvas {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> FigureCanvas {
        FigureCanvas
    }

    /// Draws when there is time, which is at the end of the cell: in interactive mode matplotlib
    /// asks for it at each change.
    #[pyo3(signature = (*_args, **_kwargs))]
    fn draw_idle(&self, _args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) {}
}

/// What the backend's `FigureManager` has beyond matplotlib's own.
#[pyclass(subclass, frozen, module = "_mcp_repl")]
struct FigureManager;

#[pymethods]
impl FigureManager {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> FigureManager {
        FigureManager
    }

    /// `fig.show()`: shows the figure at once.
    fn show(slf: &Bound<'_, Self>) -> PyResult<()> {
        if fork::is_child() {
            return Ok(());
        }
        figures::show(&figures::figure_of(slf.as_any())?)
    }
}
