//! Values that show themselves: which are pictures, which are documents, and which are text.

use crate::support::{
    IDLE, Lifeline, Server, assert_has, assert_has_not,
    pictures::{file_named, on_oldest_and_newest},
};

const RED: [u8; 3] = [255, 0, 0];

/// `png(color)` makes a picture of four by three pixels without any package; `Rich` is a class of
/// values with the methods it is given.
const MAKE: &str = "\
import struct, zlib
def png(r, g, b):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return (b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>2I5B', 4, 3, 8, 2, 0, 0, 0))
        + chunk(b'IDAT', zlib.compress((b'\\0' + bytes([r, g, b]) * 4) * 3)) + chunk(b'IEND', b''))
def rich(**methods):
    members = {f'_repr_{name}_': lambda self, f=f, **kwargs: f() for name, f in methods.items()}
    return type('Rich', (), {**members, '__repr__': lambda self: 'text of it'})()
red = png(255, 0, 0)";

fn with_make() -> Server {
    Server::start_with(MAKE)
}

#[track_caller]
fn is_red(repl: &Server, cell: &str) {
    let shown = repl.shows(cell);
    assert_eq!(shown.text, "<image/png>\n", "{cell}");
    assert_eq!((shown.picture().size(), shown.picture().middle()), ((4, 3), RED), "{cell}");
}

#[test]
fn a_value_with_a_picture_is_shown_as_that() {
    crate::support::on_every_python(|repl| {
        repl.gives(MAKE, IDLE);
        for cell in [
            "rich(png=lambda: red)",
            "rich(png=lambda: bytearray(red))",
            "rich(png=lambda: (red, {'width': 2}))",
            "import base64; rich(png=lambda: base64.b64encode(red).decode())",
            "rich(mimebundle=lambda: {'text/plain': 'a', 'image/png': red})",
            "rich(mimebundle=lambda: ({'image/png': base64.encodebytes(red).decode()}, {}))",
            "rich(mimebundle=lambda: {'text/plain': 'a'}, png=lambda: red, jpeg=lambda: 1 / 0)",
            "rich(mimebundle=lambda: None, png=lambda: red)",
        ] {
            is_red(repl, cell);
        }
        repl.gives("x = rich(png=lambda: red)\nx; None", IDLE);
        let shown = repl.shows("print('a')\nimport sys; sys.stdout.write('b\\n') and x");
        assert_eq!(shown.text, "a\nb\n<image/png>\n");
        repl.gives("_ is x, sys.displayhook is sys.__displayhook__", "(True, False)\n");
        repl.gives("a = sys.displayhook is sys.__displayhook__\na", "True\n");
    });
}

#[test]
fn other_values_are_text() {
    let repl = with_make();
    for (cell, text) in [
        ("rich(png=lambda: None)", "text of it\n"),
        ("rich(html=lambda: '<table><tr><td>1</td></tr></table>')", "text of it\n"),
        ("rich(markdown=lambda: '# one', latex=lambda: 'x')", "text of it\n"),
        // What answers to every name has none of the methods.
        ("from unittest.mock import Mock, MagicMock; type(Mock()).__name__", "'Mock'\n"),
        (
            "class Every:\n    def __getattr__(self, name): return lambda **kwargs: red\n    \
             def __repr__(self): return 'every'\nEvery()",
            "every\n",
        ),
        // A class is no value of its own.
        ("class Own:\n    def _repr_png_(self): 1 / 0\nOwn", "<class '__main__.Own'>\n"),
        (
            "class Off(Own):\n    _repr_png_ = None\n    def __repr__(self): return 'off'\nOff()",
            "off\n",
        ),
    ] {
        let shown = repl.shows(cell);
        assert_eq!(shown.text, text, "{cell}");
        shown.has_no_picture();
    }
    for cell in ["Mock()", "MagicMock()"] {
        assert_has(&repl.shows(cell).text, " id='");
    }
}

#[test]
fn a_method_that_fails_is_told_in_a_line_and_the_text_is_shown() {
    let repl = with_make();
    for (cell, told) in [
        (
            "rich(png=lambda: 1 / 0)",
            "Rich._repr_png_() raised ZeroDivisionError: division by zero\n",
        ),
        ("rich(mimebundle=lambda: {}['a'])", "Rich._repr_mimebundle_() raised KeyError: 'a'\n"),
        ("rich(png=lambda: b'no picture')", "Rich._repr_png_() gave what is no image/png\n"),
        ("rich(jpeg=lambda: red)", "Rich._repr_jpeg_() gave what is no image/jpeg\n"),
        ("rich(png=lambda: 'no base64!')", "Rich._repr_png_() gave what is no image/png\n"),
        ("rich(png=lambda: 5)", "Rich._repr_png_() gave what is no image/png\n"),
        (
            "rich(mimebundle=lambda: {'image/webp': red})",
            "Rich._repr_mimebundle_() gave what is no image/webp\n",
        ),
    ] {
        let shown = repl.shows(cell);
        assert_eq!(shown.text, format!("{told}text of it\n"), "{cell}");
        shown.has_no_picture();
    }
    // Wrong in one form, and right in another.
    let shown = repl.shows("rich(mimebundle=lambda: 1 / 0, png=lambda: red)");
    assert_eq!(shown.picture().middle(), RED);
    repl.still_works();
}

#[test]
fn a_method_that_never_ends_is_interrupted() {
    let repl = with_make();
    let mut line = Lifeline::lay(&repl);
    let cell = "def forever():\n    line.send(b'x')\n    while True: pass\nrich(png=forever)";
    let reply = repl.repl_with(cell, 1);
    assert_has(&reply, "busy");
    line.hears("x");
    let reply = repl.repl("\u{3}");
    assert_has(&reply, "KeyboardInterrupt");
    assert_has_not(&reply, "text of it");
    repl.still_works();
    is_red(&repl, "rich(png=lambda: red)");
}

#[test]
fn an_interrupt_is_lost_nowhere_while_a_value_is_looked_at() {
    crate::support::on_every_python(|repl| {
        repl.gives(MAKE, IDLE);
        repl.gives(
            "\
import _thread
class Struck:
    # An interrupt is pending behind it, and nothing of Python's has run.
    _repr_png_ = staticmethod(_thread.interrupt_main)
class Fails(Exception):
    def __str__(self): raise KeyboardInterrupt
class Parts(dict):
    def __getitem__(self, key): raise KeyboardInterrupt
def fail(): raise Fails",
            IDLE,
        );
        for cell in ["Struck()", "rich(png=fail)", "rich(mimebundle=Parts)"] {
            let reply = repl.repl(cell);
            let strikes = reply.lines().filter(|line| line.starts_with("KeyboardInterrupt"));
            assert_eq!(strikes.count(), 1, "{cell}: {reply}");
            assert_has_not(&reply, "ignored");
            assert_has_not(&reply, "text of it");
            repl.still_works();
        }
    });
}

#[test]
fn a_huge_picture_is_not_sent() {
    let repl = with_make();
    for cell in [
        "rich(png=lambda: red + bytes(500 << 20))",
        "rich(mimebundle=lambda: {'image/png': 'A' * (100 << 20)})",
    ] {
        let shown = repl.shows(cell);
        assert_eq!(shown.text, "text of it\n");
        shown.has_no_picture();
    }
    repl.still_works();
}

#[test]
fn a_display_hook_of_the_users_is_called_as_ever() {
    let repl = with_make();
    repl.gives("import sys\nsys.displayhook = lambda value: print('mine', value)", IDLE);
    repl.gives("rich(png=lambda: red)", "mine text of it\n");
    repl.gives("sys.displayhook = sys.__displayhook__", IDLE);
    is_red(&repl, "rich(png=lambda: red)");
    // Set by the expression whose value is shown.
    repl.gives("setattr(sys, 'displayhook', lambda value: print('mine'))", "mine\n");
    repl.gives("1", "mine\n");
    repl.gives("del sys.displayhook", IDLE);
    repl.gives_part("1", "RuntimeError: lost sys.displayhook");
    repl.gives("sys.displayhook = sys.__displayhook__", IDLE);
    repl.gives("1", "1\n");
}

#[test]
fn a_traceback_of_a_values_text_is_as_ever() {
    let repl = with_make();
    let cell = "class Bad:\n    def __repr__(self): return 1 / 0\nBad()";
    let reply = repl.repl(cell);
    assert!(
        reply.starts_with(
            "Traceback (most recent call last):\n  File \"<cell 2>\", line 3, in <module>\n    Bad()\n"
        ),
        "{reply}"
    );
    assert_eq!(reply.matches("  File ").count(), 2, "{reply}");
}

#[test]
fn pil_images_and_tables() {
    on_oldest_and_newest(|repl| {
        repl.gives("from PIL import Image", IDLE);
        for mode in ["RGB", "RGBA", "P"] {
            let shown = repl.shows(&format!("Image.new('RGB', (30, 20), 'red').convert('{mode}')"));
            assert_eq!(shown.text, "<image/png>\n");
            assert_eq!(shown.picture().size(), (30, 20));
            assert_eq!(shown.picture().middle(), RED);
        }
        let table = repl.shows("import pandas\npandas.DataFrame({'a': [1, 2]})");
        assert_eq!(table.text, "   a\n0  1\n1  2\n");
    });
}

#[test]
fn display_shows_pictures_where_ipython_is_a_library() {
    on_oldest_and_newest(|repl| {
        repl.gives(MAKE, IDLE);
        repl.gives("from IPython.display import display, Image, HTML", IDLE);
        let cell = "display('text', rich(png=lambda: red), 'more', 5)\nprint('behind')";
        let shown = repl.shows(cell);
        assert_eq!(shown.text, "text\n<image/png>\nmore 5\nbehind\n");
        assert_eq!(shown.picture().middle(), RED);
        is_red(repl, "display(Image(red))");
        is_red(repl, "Image(red)");
        repl.gives("display(HTML('<b>bold</b>'))", "<IPython.core.display.HTML object>\n");
        let shown =
            repl.shows("import matplotlib.pyplot as plt\ndisplay(plt.figure())\nplt.close()");
        assert_eq!(shown.picture().size(), (640, 480));
        // It is what it was.
        repl.gives("display.__module__", "'IPython.core.display_functions'\n");
        repl.gives("print.__self__ is __import__('builtins')", "True\n");
    });
}

#[test]
fn pages_that_scripts_draw_are_text_and_a_file() {
    on_oldest_and_newest(|repl| {
        let reply = repl.repl("import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[2, 1]))");
        assert!(reply.starts_with("Figure({\n"), "{reply}");
        assert_has(&file_named(&reply, "[repl] HTML page: "), "Plotly.newPlot");
        let reply = repl.repl(
            "import altair, pandas\nchart = altair.Chart(pandas.DataFrame({'a': [1]}))\n\
             chart.mark_bar().encode(x='a')",
        );
        assert!(reply.starts_with("alt.Chart(...)\n"), "{reply}");
        assert_has(&file_named(&reply, "[repl] HTML page: "), "vegaEmbed");
        let reply = repl.repl("from bokeh.plotting import figure\nplot = figure(title='b')\nplot");
        assert_has(&reply, "figure(id=");
        assert_has(&file_named(&reply, "[repl] HTML page: "), "<title>Bokeh");
        // What is no plot has no page.
        assert_has_not(&repl.repl("plot.title"), "[repl]");
    });
}

#[test]
fn what_is_worth_a_page_is_told_by_what_is_on_it() {
    let repl = with_make();
    for page in [
        "<div id=\"a\"></div>\n<script>draw()</script>",
        "<!DOCTYPE html><title>A</title><STYLE>p { }</STYLE><Script src=\"a\"></Script >",
        "<p>Trust me</p><iframe src=\"b\"></iframe>",
    ] {
        let reply = repl.repl(&format!("rich(html=lambda: {page:?})"));
        assert!(reply.starts_with("text of it\n"), "{reply}");
        assert_eq!(file_named(&reply, "[repl] HTML page: "), page);
    }
    // To be read as it is, a script or none.
    for page in
        ["<b>bold</b>", "<p>A<script>copy()</script>", "", "<", "<p>A<script", "a < b <!-- c -->"]
    {
        repl.gives(&format!("rich(html=lambda: {page:?})"), "text of it\n");
    }
    let bundle = "{'application/vnd.vega.v5+json': {}, 'text/html': '<b>bold</b>'}";
    let reply = repl.repl(&format!("rich(mimebundle=lambda: {bundle})"));
    assert_eq!(file_named(&reply, "[repl] HTML page: "), "<b>bold</b>");
    let reply = repl.repl("rich(svg=lambda: '<svg/>', html=lambda: '<iframe>')");
    assert_eq!(file_named(&reply, "[repl] SVG drawing: "), "<svg/>");
    let reply = repl.repl("rich(javascript=lambda: 'draw()')");
    assert_eq!(file_named(&reply, "[repl] script: "), "draw()");
}
