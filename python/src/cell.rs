//! Cells: compiled whole before anything runs, evaluated with no frame of ours below.

use pyo3::{
    exceptions::{PySyntaxError, PyValueError},
    ffi,
    prelude::*,
    types::{PyDict, PyList},
};

/// `PyCF_ONLY_AST` (Include/cpython/compile.h).
pub(crate) const ONLY_AST: i32 = 0x400;
/// `PyCF_ALLOW_INCOMPLETE_INPUT` (the same; from 3.11 on).
const ALLOW_INCOMPLETE_INPUT: i32 = 0x4000;
/// The `CO_FUTURE_*` flags (Include/cpython/code.h) from `division` to `annotations`.
const FUTURE_FLAGS: i32 = 0x1FE_0000;

/// What compiling needs, captured before the program could change it.
#[derive(Debug)]
pub(crate) struct Compiler {
    compile: Py<PyAny>,
    /// `ast.Interactive`: its expression statements show their value.
    interactive: Py<PyAny>,
    /// `ast.Expr`.
    expression: Py<PyAny>,
    /// `ast.Constant`.
    constant: Py<PyAny>,
    /// The future flags of the cells so far.
    flags: i32,
}

/// The code objects of a cell, which are to run one after the other.
#[derive(Debug)]
pub(crate) struct Codes<'py> {
    /// All but the last statement as a module, and that too if it is no expression.
    pub(crate) body: Option<Bound<'py, PyAny>>,
    /// The last statement if it is an expression, as at a prompt: it shows its value.
    pub(crate) value: Option<Bound<'py, PyAny>>,
}

impl Compiler {
    /// Captures `compile` and the node types. `_ast` is built into the interpreter; `ast` is a
    /// file, which the program could shadow and which is slow to load.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Compiler> {
        let nodes = py.import("_ast")?;
        Ok(Compiler {
            compile: py.import("builtins")?.getattr("compile")?.unbind(),
            interactive: nodes.getattr("Interactive")?.unbind(),
            expression: nodes.getattr("Expr")?.unbind(),
            constant: nodes.getattr("Constant")?.unbind(),
            flags: 0,
        })
    }

    /// Compiles a cell.
    ///
    /// The future flags are kept only if everything compiles.
    pub(crate) fn compile<'py>(
        &mut self,
        py: Python<'py>,
        source: &str,
        name: &str,
    ) -> PyResult<Codes<'py>> {
        let compiled = self.compile_parts(py, source, name);
        match compiled {
            Ok((codes, flags)) => {
                self.flags = flags;
                Ok(codes)
            }
            Err(error) => {
                add_source_line(py, &error, source);
                Err(error)
            }
        }
    }

    /// Compiles a source as a module with these flags and those of the cells so far.
    pub(crate) fn compile_as(&self, py: Python<'_>, source: &str, flags: i32) -> PyResult<()> {
        let arguments = (source, "<hint>", "exec", self.flags | flags, true);
        self.compile.bind(py).call1(arguments).map(drop)
    }

    /// Whether a source has no end yet, so that Python's own prompt would go on with it.
    pub(crate) fn is_incomplete(&self, py: Python<'_>, source: &str) -> bool {
        let source = source.trim_end().to_owned() + "\n";
        let parse = |source: &str, flags: i32| {
            let flags = self.flags | ONLY_AST | flags;
            self.compile.bind(py).call1((source, "<cell>", "exec", flags, true))
        };
        match parse(&source, ALLOW_INCOMPLETE_INPUT) {
            Ok(_) => false,
            Err(error) if error.is_instance_of::<PySyntaxError>(py) => {
                let said = error.value(py).getattr("msg").and_then(|said| said.extract::<String>());
                said.is_ok_and(|said| said == "incomplete input")
            }
            // Before 3.11 there is no such flag. What has no end gives another error with one line
            // end more, as `codeop` had it there.
            Err(error) if error.is_instance_of::<PyValueError>(py) => {
                let errors = [parse(&source, 0), parse(&(source + "\n"), 0)].map(Result::err);
                let told = |error: PyErr| error.value(py).repr().ok();
                let [Some(one), Some(other)] = errors.map(|error| error.and_then(told)) else {
                    return false;
                };
                let (one, other) = (one.to_string_lossy(), other.to_string_lossy());
                one != other || one.contains("was never closed")
            }
            Err(_) => false,
        }
    }

    fn compile_parts<'py>(
        &self,
        py: Python<'py>,
        source: &str,
        name: &str,
    ) -> PyResult<(Codes<'py>, i32)> {
        let compile = self.compile.bind(py);
        let mut flags = self.flags;
        let tree = compile.call1((source, name, "exec", flags | ONLY_AST, true))?;
        let body = tree.getattr("body")?.cast_into::<PyList>()?;
        let last = match body.len().checked_sub(1).map(|at| body.get_item(at)).transpose()? {
            Some(node) if node.get_type().is(self.expression.bind(py)) => {
                body.del_item(body.len() - 1)?;
                Some(node)
            }
            _ => None,
        };
        // The first string of a module is its docstring; at a prompt it is nothing.
        if !body.is_empty() && self.is_string(&body.get_item(0)?)? {
            body.del_item(0)?;
        }
        let mut codes = Codes { body: None, value: None };
        if !body.is_empty() {
            let code = compile.call1((&tree, name, "exec", flags, true))?;
            flags |= code.getattr("co_flags")?.extract::<i32>()? & FUTURE_FLAGS;
            codes.body = Some(code);
        }
        if let Some(last) = last {
            let shown = self.interactive.bind(py).call1((PyList::new(py, [last])?,))?;
            codes.value = Some(compile.call1((shown, name, "single", flags, true))?);
        }
        Ok((codes, flags))
    }

    fn is_string(&self, statement: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = statement.py();
        if !statement.get_type().is(self.expression.bind(py)) {
            return Ok(false);
        }
        let value = statement.getattr("value")?;
        Ok(value.get_type().is(self.constant.bind(py))
            && value.getattr("value")?.is_instance_of::<pyo3::types::PyString>())
    }
}

/// Errors found after parsing have no source line, since the compiler looks for it in a file.
fn add_source_line(py: Python<'_>, error: &PyErr, source: &str) {
    if !error.is_instance_of::<PySyntaxError>(py) {
        return;
    }
    let value = error.value(py);
    let missing = value.getattr("text").is_ok_and(|text| text.is_none());
    let line = value.getattr("lineno").and_then(|line| line.extract::<usize>());
    if let (true, Ok(line)) = (missing, line)
        && let Some(text) = source.split('\n').nth(line.wrapping_sub(1))
    {
        let _ = value.setattr("text", text);
    }
}

/// Evaluates a code object in the user's namespace.
///
/// PyO3's `PyCode` will not do: it looks up `types` and `__main__`, which the program may replace.
pub(crate) fn evaluate(code: &Bound<'_, PyAny>, globals: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = code.py();
    // SAFETY: the GIL is held, `code` is a code object that `compile` made and `globals` a
    // dictionary; the result is a new reference or null with an exception set.
    let result = unsafe {
        let result = ffi::PyEval_EvalCode(code.as_ptr(), globals.as_ptr(), globals.as_ptr());
        Bound::from_owned_ptr_or_err(py, result)
    };
    result.map(drop)
}
