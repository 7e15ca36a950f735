//! Values that can show themselves as more than text: by the methods that IPython defined
//! (`_repr_png_` and its kin), or as figures of matplotlib's.
//!
//! Nothing is imported for it, and the methods are looked up on the type: an object that answers
//! to every name has none of them.

use base64::{Engine, engine::general_purpose::STANDARD};
use pyo3::{
    exceptions::PyException,
    intern,
    prelude::*,
    types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString, PyTuple, PyType},
};

use crate::{figures, matplotlib, pictures, system::fork, worker::worker};

/// A kind of picture that is sent.
struct Kind {
    mime: &'static str,
    /// The method that gives one.
    method: Option<&'static str>,
    /// Whether bytes begin as those of such a picture do.
    is_right: fn(&[u8]) -> bool,
}

const KINDS: [Kind; 4] = [
    Kind {
        mime: "image/png",
        method: Some("_repr_png_"),
        is_right: |bytes| bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
    },
    Kind {
        mime: "image/jpeg",
        method: Some("_repr_jpeg_"),
        is_right: |bytes| bytes.starts_with(b"\xff\xd8\xff"),
    },
    Kind { mime: "image/gif", method: None, is_right: |bytes| bytes.starts_with(b"GIF8") },
    Kind {
        mime: "image/webp",
        method: None,
        is_right: |bytes| {
            bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP".as_slice())
        },
    },
];

const SVG: &str = "image/svg+xml";
const HTML: &str = "text/html";
const JAVASCRIPT: &str = "text/javascript";
/// The name of [`JAVASCRIPT`] before RFC 9239, which IPython uses.
const OLD_JAVASCRIPT: &str = "application/javascript";

/// Packages whose values have HTML for what their text says: it is not even asked for.
const WITH_GOOD_TEXT: [&str; 5] = ["pandas", "polars", "pyarrow", "sklearn", "xarray"];

/// How a value is shown.
#[derive(Debug)]
pub(crate) enum Form<'py> {
    /// As the picture that matplotlib draws of it.
    Figure(Bound<'py, PyAny>),
    /// As this picture.
    Picture { mime: &'static str, bytes: Bound<'py, PyBytes> },
    /// By its text, and behind it by what this is.
    Text(Option<More>),
}

/// What is sent behind the text of a value.
#[derive(Debug)]
pub(crate) enum More {
    /// A document.
    Document { mime: &'static str, text: String },
    /// A picture was too large, in bytes.
    TooLarge { mime: &'static str, bytes: usize },
}

impl More {
    /// Sends it.
    ///
    /// # Errors
    /// KeyboardInterrupt.
    pub(crate) fn send(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            More::Document { mime, text } => pictures::send_document(py, mime, text.as_bytes()),
            More::TooLarge { mime, bytes } => pictures::send_too_large(py, mime, *bytes),
        }
    }
}

/// Sends a picture that a value is shown as.
///
/// # Errors
/// What a figure raised as it was drawn; KeyboardInterrupt.
pub(crate) fn send_picture(py: Python<'_>, form: &Form<'_>) -> PyResult<()> {
    match form {
        Form::Figure(figure) => figures::show(figure),
        Form::Picture { mime, bytes } => pictures::send_image(py, mime, bytes.as_bytes()),
        Form::Text(_) => Ok(()),
    }
}

/// How a value is to be shown. A method that fails is told of, and counts as none.
///
/// # Errors
/// What is no `Exception` (an interrupt) from one of its methods.
pub(crate) fn form_of<'py>(value: &Bound<'py, PyAny>) -> PyResult<Form<'py>> {
    if fork::is_child() {
        return Ok(Form::Text(None));
    }
    if is_figure(value)? {
        let is_ours = figures::is_ours_to_show(value)?;
        return Ok(if is_ours { Form::Figure(value.clone()) } else { Form::Text(None) });
    }
    let value = Value::new(value);
    let bundle = value.bundle()?;
    let mut too_large = None;
    for Kind { mime, method, is_right } in KINDS {
        let found = match part(bundle.as_ref(), mime)? {
            Some(data) => Some((data, "_repr_mimebundle_")),
            None => match method {
                Some(method) => value.call(method, None)?.map(|data| (data, method)),
                None => None,
            },
        };
        let Some((data, method)) = found else { continue };
        match Data::read(&data)? {
            Data::TooLarge(bytes) => too_large = Some(More::TooLarge { mime, bytes }),
            Data::Bytes(bytes) if is_right(bytes.as_bytes()) => {
                return Ok(Form::Picture { mime, bytes });
            }
            _ => value.tell(method, &format!("gave what is no {mime}"))?,
        }
    }
    let more = match too_large {
        None if worker().is_some_and(|worker| worker.channel.server_takes_documents()) => {
            value.document(bundle.as_ref())?
        }
        too_large => too_large,
    };
    Ok(Form::Text(more))
}

/// Whether a value is a figure of matplotlib's.
fn is_figure(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if !matplotlib::is_imported() {
        return Ok(false);
    }
    let modules = value.py().import("sys")?.getattr("modules")?;
    let class = modules.get_item("matplotlib.figure").and_then(|module| module.getattr("Figure"));
    class.map_or(Ok(false), |class| value.is_instance(&class))
}

/// The part of a bundle that has this media type.
fn part<'py>(
    bundle: Option<&Bound<'py, PyAny>>,
    mime: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(bundle) = bundle else { return Ok(None) };
    let data = unless_failed(bundle.py(), bundle.get_item(mime))?;
    Ok(data.filter(|data| !data.is_none()))
}

/// What has failed counts as nothing.
///
/// # Errors
/// What is no `Exception`: an interrupt.
fn unless_failed<T>(py: Python<'_>, result: PyResult<T>) -> PyResult<Option<T>> {
    match result {
        Err(error) if error.is_instance_of::<PyException>(py) => Ok(None),
        result => result.map(Some),
    }
}

/// A value whose type may have the methods.
struct Value<'a, 'py> {
    value: &'a Bound<'py, PyAny>,
    class: Bound<'py, PyType>,
}

impl<'a, 'py> Value<'a, 'py> {
    fn new(value: &'a Bound<'py, PyAny>) -> Value<'a, 'py> {
        Value { value, class: value.get_type() }
    }

    fn py(&self) -> Python<'py> {
        self.value.py()
    }

    /// Whether the type, or one it comes from, defines this.
    fn defines(&self, method: &str) -> bool {
        let defines = |class: Bound<'py, PyAny>| {
            let members = class.getattr(intern!(class.py(), "__dict__"));
            members.and_then(|members| members.contains(method)).unwrap_or(false)
        };
        self.class.mro().iter().any(defines)
    }

    /// What a method of the value gives; `None` also if there is none.
    fn call(
        &self,
        method: &str,
        arguments: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !self.defines(method) {
            return Ok(None);
        }
        let found = match self.value.getattr(method) {
            Ok(found) if !found.is_none() => found.call((), arguments),
            other => other,
        };
        let Some(result) = self.given(method, found)? else { return Ok(None) };
        // With metadata.
        let data = match result.cast::<PyTuple>() {
            Ok(pair) if pair.len() == 2 => pair.get_item(0)?,
            _ => result,
        };
        Ok(Some(data).filter(|data| !data.is_none()))
    }

    /// What something gave that `name` names. That it failed is told, and counts as nothing.
    fn given(
        &self,
        name: &str,
        result: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py();
        match result {
            Ok(result) => Ok(Some(result)),
            Err(error) if error.is_instance_of::<PyException>(py) => {
                let kind = error.get_type(py).name()?;
                let kind = kind.to_string_lossy();
                let said = unless_failed(py, error.value(py).str())?;
                let said = said.as_ref().map(|said| said.to_string_lossy()).unwrap_or_default();
                let colon = if said.is_empty() { "" } else { ": " };
                self.tell(name, &format!("raised {kind}{colon}{said}"))?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Says on the standard error that a method failed.
    fn tell(&self, method: &str, what: &str) -> PyResult<()> {
        let name = self.class.name()?;
        let line = what.lines().next().unwrap_or_default();
        let line = format!("{}.{method}() {line}\n", name.to_string_lossy());
        let stderr = self.py().import("sys").and_then(|sys| sys.getattr("stderr"));
        let told = stderr.and_then(|stderr| stderr.call_method1("write", (line,)));
        unless_failed(self.py(), told).map(drop)
    }

    fn bundle(&self) -> PyResult<Option<Bound<'py, PyAny>>> {
        let arguments = PyDict::new(self.py());
        arguments.set_item("include", self.py().None())?;
        arguments.set_item("exclude", self.py().None())?;
        self.call("_repr_mimebundle_", Some(&arguments))
    }

    /// The document for a value without a picture, if it has one that says more than its text.
    fn document(&self, bundle: Option<&Bound<'py, PyAny>>) -> PyResult<Option<More>> {
        let module = self.class.module()?;
        let module = module.to_string_lossy();
        let package = module.split('.').next().unwrap_or_default();
        if WITH_GOOD_TEXT.contains(&package) {
            return Ok(None);
        }
        if package == "bokeh" {
            let page = self.bokeh_page()?;
            return Ok(page.map(|text| More::Document { mime: HTML, text }));
        }
        let text = |mime: &str, method: &str| {
            let data = match part(bundle, mime)? {
                Some(data) => Some(data),
                None => self.call(method, None)?,
            };
            Ok::<_, PyErr>(data.and_then(|data| data.extract::<String>().ok()))
        };
        if let Some(text) = text(SVG, "_repr_svg_")?.filter(|text| text.contains("<svg")) {
            return Ok(Some(More::Document { mime: SVG, text }));
        }
        let needs_script = bundle.map_or(Ok(false), has_script)?;
        let page = text(HTML, "_repr_html_")?;
        let page = page.filter(|page| needs_script || is_made_by_script(page));
        if let Some(text) = page {
            return Ok(Some(More::Document { mime: HTML, text }));
        }
        let script = text(OLD_JAVASCRIPT, "_repr_javascript_")?;
        Ok(script.map(|text| More::Document { mime: JAVASCRIPT, text }))
    }

    /// The page of a plot or layout of bokeh's, whose own HTML is a table of its properties.
    fn bokeh_page(&self) -> PyResult<Option<String>> {
        let modules = self.py().import("sys")?.getattr("modules")?;
        let of = |module: &str, name: &str| modules.get_item(module)?.getattr(name);
        let is_plot =
            of("bokeh.models", "LayoutDOM").and_then(|plot| self.value.is_instance(&plot));
        if unless_failed(self.py(), is_plot)? != Some(true) {
            return Ok(None);
        }
        let page = of("bokeh.embed", "file_html")
            .and_then(|embed| embed.call1((self.value, of("bokeh.resources", "CDN")?)));
        Ok(self.given("file_html", page)?.and_then(|page| page.extract().ok()))
    }
}

/// Whether one of the media types of a bundle is one that a script draws.
fn has_script(bundle: &Bound<'_, PyAny>) -> PyResult<bool> {
    let types = bundle.call_method0("keys").and_then(|types| types.try_iter()?.collect());
    let types: Vec<_> = unless_failed(bundle.py(), types)?.unwrap_or_default();
    Ok(types.iter().any(is_script))
}

/// Whether a media type is one that a script draws: `application/vnd.plotly.v1+json`.
fn is_script(mime: &Bound<'_, PyAny>) -> bool {
    let mime = mime.extract::<String>().unwrap_or_default();
    mime == OLD_JAVASCRIPT || mime.starts_with("application/vnd.")
}

/// Whether there is nothing to read on a page before its scripts have run, or it frames another.
fn is_made_by_script(html: &str) -> bool {
    let html = html.to_ascii_lowercase();
    html.contains("<iframe") || (html.contains("<script") && !has_text(&html))
}

/// Whether a page in lower case has text beside its tags, scripts and styles.
fn has_text(mut html: &str) -> bool {
    while let Some((text, rest)) = html.split_once('<') {
        if !text.trim().is_empty() {
            return true;
        }
        let end = ["script", "style", "title"].into_iter().find(|tag| rest.starts_with(tag));
        let end = end.map_or(">".to_owned(), |tag| format!("</{tag}"));
        html = rest.split_once(&end).map_or("", |(_, rest)| rest);
        if end != ">" {
            html = html.split_once('>').map_or("", |(_, rest)| rest);
        }
    }
    !html.trim().is_empty()
}

/// What a method gave for a picture.
enum Data<'py> {
    Bytes(Bound<'py, PyBytes>),
    TooLarge(usize),
    Other,
}

impl<'py> Data<'py> {
    /// Reads bytes, or text that is base64, as IPython does.
    fn read(data: &Bound<'py, PyAny>) -> PyResult<Data<'py>> {
        let py = data.py();
        if let Ok(text) = data.cast::<PyString>() {
            let length = text.len()? / 4 * 3;
            if length > pictures::LARGEST {
                return Ok(Data::TooLarge(length));
            }
            let text: String = text.extract().unwrap_or_default();
            let decoded = STANDARD.decode(text.split_whitespace().collect::<String>());
            return Ok(decoded.map_or(Data::Other, |bytes| Data::Bytes(PyBytes::new(py, &bytes))));
        }
        if let Ok(bytes) = data.cast::<PyBytes>() {
            let bytes = bytes.clone();
            let length = bytes.as_bytes().len();
            let is_too_large = length > pictures::LARGEST;
            return Ok(if is_too_large { Data::TooLarge(length) } else { Data::Bytes(bytes) });
        }
        if data.is_instance_of::<PyByteArray>() || data.is_instance_of::<PyMemoryView>() {
            let bytes = py.get_type::<PyBytes>().call1((data,))?.cast_into::<PyBytes>()?;
            return Data::read(bytes.as_any());
        }
        Ok(Data::Other)
    }
}
