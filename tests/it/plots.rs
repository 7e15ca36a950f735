//! matplotlib's figures: which are shown, where in the reply, when again, and what they look like.

use crate::support::{
    IDLE, assert_has, assert_has_not,
    pictures::{Shown, on_oldest_and_newest, plain, session},
    text_of,
};

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// Functions that fill the current figure with a colour, and make one so filled.
const FILL: &str = "\
import matplotlib.pyplot as plt
def fill(color, figure=None):
    figure = figure or plt.gcf()
    figure.clear()
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set_facecolor(color)
    return figure
def lime(): fill('lime')";

#[test]
fn a_picture_stands_where_it_was_shown() {
    on_oldest_and_newest(|repl| {
        let cell = "import matplotlib.pyplot as plt\nprint('a')\nplt.axes([0, 0, 1, 1]).set_facecolor('red')\n\
                    plt.show()\nprint('b')";
        let shown = repl.shows(cell);
        assert_eq!(shown.text, "a\n<image/png>\nb\n");
        assert_eq!(shown.picture().size(), (640, 480));
        assert_eq!(shown.picture().middle(), RED);
        // It has gone from pyplot's hands, and the next plot is another.
        repl.gives("plt.get_fignums()", "[]\n");
    });
}

#[test]
fn a_figure_is_shown_at_the_end_of_the_cells_that_change_it() {
    on_oldest_and_newest(|repl| {
        repl.gives(FILL, IDLE);
        let shown = repl.shows("fill('red'); print('drawn')");
        assert_eq!(shown.text, "drawn\n<image/png>\n");
        assert_eq!(shown.picture().middle(), RED);
        // Not changed: looked at, drawn, saved.
        for cell in ["1 + 1", "plt.gcf().canvas.draw()", "plt.savefig('a.png')", "plt.gca(); None"]
        {
            repl.shows(cell).has_no_picture();
        }
        repl.gives("plt.get_fignums()", "[1]\n");
        let shown = repl.shows("plt.gca().set_facecolor('blue')");
        assert_eq!(shown.picture().middle(), BLUE);
        // Changed and saved: matplotlib drew it, and holds it to be as it was drawn.
        let shown = repl.shows("plt.gca().set_facecolor('lime'); plt.savefig('a.png')");
        assert_eq!(shown.picture().middle(), GREEN);
        // As it was when it was shown last.
        let cell = "plt.gca().set_facecolor('red'); plt.gca().set_facecolor('lime')";
        repl.shows(cell).has_no_picture();
        repl.shows("plt.show()").has_no_picture();
        repl.gives("plt.get_fignums()", "[]\n");
    });
}

#[test]
fn a_figure_that_was_shown_and_is_changed_in_a_later_cell_comes_again() {
    on_oldest_and_newest(|repl| {
        repl.gives(FILL, IDLE);
        let shown = repl.shows("figure = fill('red'); plt.show(); _ = fill('blue', figure)");
        assert_eq!(shown.picture().middle(), RED);
        repl.shows("3").has_no_picture();
        for (color, seen) in [("lime", GREEN), ("blue", BLUE), ("red", RED)] {
            let cell = format!("_ = fill('{color}', figure)");
            assert_eq!(repl.shows(&cell).picture().middle(), seen);
        }
        // Given back to pyplot, it is as any other.
        repl.gives("plt.figure(figure); plt.get_fignums()", "[1]\n");
        assert_eq!(repl.shows("_ = fill('blue', figure)").picture().middle(), BLUE);
        repl.shows("_ = fill('red', figure); plt.close()").has_no_picture();
        // Unless the program holds it no more.
        repl.shows("del figure, _").has_no_picture();
    });
}

#[test]
fn each_show_has_a_figure_of_its_own() {
    let repl = session();
    repl.gives(FILL, IDLE);
    let cell = "for color in 'red', 'lime', 'blue': fill(color); plt.show(); print(color)";
    let shown = repl.shows(cell);
    assert_eq!(shown.text, "<image/png>\nred\n<image/png>\nlime\n<image/png>\nblue\n",);
    let colors: Vec<_> = shown.pictures.iter().map(|picture| picture.middle()).collect();
    assert_eq!(colors, [RED, GREEN, BLUE]);
    // Several at once, in the order of their numbers.
    let cell =
        "for number in 3, 1: plt.figure(number); fill({3: 'red', 1: 'blue'}[number])\nplt.show()";
    let shown = repl.shows(cell);
    let colors: Vec<_> = shown.pictures.iter().map(|picture| picture.middle()).collect();
    assert_eq!(colors, [BLUE, RED]);
}

#[test]
fn what_is_closed_or_empty_is_not_shown() {
    let repl = session();
    repl.gives(FILL, IDLE);
    for cell in [
        "_ = fill('red'); plt.close()",
        "_ = plt.figure()",
        "plt.show()",
        "figure = fill('red'); figure.clear(); plt.close(figure)",
    ] {
        repl.gives(cell, IDLE);
    }
    repl.gives("plt.get_fignums()", "[]\n");
    // A figure is shown and then cleared, as loops do that draw many.
    let cell = "figure = fill('red'); plt.show(); figure.clear(); plt.close(figure)";
    assert_eq!(repl.shows(cell).picture().middle(), RED);
}

#[test]
fn an_animation_is_its_last_state() {
    on_oldest_and_newest(|repl| {
        repl.gives(FILL, IDLE);
        let colors = "for color in ['red', 'lime'] * 5 + ['blue']: fill(color)";
        for (prepare, step) in [
            ("", "plt.pause(0.001)"),
            ("", "plt.gcf().canvas.draw()"),
            ("", "plt.gcf().canvas.draw_idle()"),
            ("", "plt.show(block=False)"),
            ("plt.ion()", "plt.draw()"),
            ("plt.ion()", "plt.show()"),
        ] {
            let cell = format!("{prepare}\n{colors}; {step}");
            assert_eq!(repl.shows(&cell).picture().middle(), BLUE, "{cell}");
            repl.gives("plt.get_fignums()", "[1]\n");
            repl.gives("plt.close(); plt.ioff(); None", IDLE);
        }
    });
}

#[test]
fn fig_show_shows_at_once_and_keeps_the_figure() {
    on_oldest_and_newest(|repl| {
        repl.gives(FILL, IDLE);
        let shown = repl.shows("figure = fill('red')\nfigure.show()\nprint('behind')");
        assert_eq!(shown.text, "<image/png>\nbehind\n");
        assert_eq!(shown.picture().middle(), RED);
        repl.gives("plt.get_fignums()", "[1]\n");
        // A figure that pyplot never knew has no manager to show it, as ever.
        repl.gives_part(
            "from matplotlib.figure import Figure; Figure().show()",
            "AttributeError: ",
        );
    });
}

#[test]
fn under_agg_figures_are_shown_at_the_end_and_once() {
    on_oldest_and_newest(|repl| {
        repl.gives("import matplotlib; matplotlib.use('Agg')", IDLE);
        repl.gives(FILL, IDLE);
        let shown = repl.shows("figure = fill('red'); plt.show(); print('behind')");
        assert!(shown.text.ends_with("behind\n<image/png>\n"), "{}", shown.text);
        assert_eq!(shown.picture().middle(), RED);
        repl.shows("plt.savefig('a.png')").has_no_picture();
        assert_eq!(repl.shows("lime()").picture().middle(), GREEN);
        repl.gives("matplotlib.get_backend().lower()", "'agg'\n");
    });
    // Chosen in the environment.
    let repl = plain().env("MPLBACKEND", "agg").start();
    repl.gives(FILL, IDLE);
    assert_eq!(repl.shows("_ = fill('red')").picture().middle(), RED);
    repl.gives("plt.get_backend().lower()", "'agg'\n");
}

#[test]
fn other_backends_that_the_user_chose_are_left_alone() {
    let repl = session();
    repl.gives("import matplotlib; matplotlib.use('svg')", IDLE);
    repl.gives(FILL, IDLE);
    repl.shows("fill('red'); plt.show()").has_no_picture();
    repl.gives("plt.get_fignums(), plt.get_backend()", "([1], 'svg')\n");
    repl.shows("plt.gcf()").has_no_picture();
    for (name, text) in [("MPLBACKEND", "pdf"), ("MATPLOTLIBRC", "backend: ps")] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let value = if name == "MPLBACKEND" { text.into() } else { file.path().to_owned() };
        let repl = plain().env(name, value).start();
        repl.gives(FILL, IDLE);
        repl.shows("fill('red'); plt.show()").has_no_picture();
        let said = repl.repl("plt.get_backend()");
        assert!(text.ends_with(said.trim().trim_matches('\'')), "{said}");
    }
    // One of a package, which shows figures in its own way.
    let repl = session();
    repl.write_file(
        "own.py",
        "from matplotlib.backends.backend_svg import FigureCanvasSVG\n\
        class FigureCanvas(FigureCanvasSVG): pass\ndef show(*args, **kwargs): print('own')\n",
    );
    repl.gives("import matplotlib; matplotlib.use('module://own')", IDLE);
    repl.gives("import matplotlib.pyplot as plt; plt.plot([1]); plt.show()", "own\n");
}

#[test]
fn sizes_are_the_figures_own_within_the_limit() {
    on_oldest_and_newest(|repl| {
        repl.gives(FILL, IDLE);
        for (arguments, size) in [
            ("figsize=(3, 2)", (300, 200)),
            ("figsize=(4, 2), dpi=150", (600, 300)),
            ("figsize=(156.8, 10), dpi=10", (1568, 100)),
        ] {
            let cell = format!("figure = plt.figure({arguments}); fill('red'); plt.show()");
            assert_eq!(repl.shows(&cell).picture().size(), size, "{arguments}");
        }
        for (arguments, ratio) in [
            ("figsize=(30, 10)", 3.0),
            ("figsize=(10, 10), dpi=300", 1.0),
            ("figsize=(3, 90)", 1.0 / 30.0),
            ("figsize=(100, 100), dpi=600", 1.0),
        ] {
            let cell = format!("figure = plt.figure({arguments}); fill('red'); plt.show()");
            let shown = repl.shows(&cell);
            let (width, height) = shown.picture().size();
            assert!(width.max(height) <= 1568 && width * height <= 1_150_000, "{width}×{height}");
            assert!(width * height > 1_100_000 || width.max(height) > 1560, "{width}×{height}");
            let off = f64::from(width) / f64::from(height) / ratio;
            assert!((0.97..1.03).contains(&off), "{width}×{height}");
            assert_eq!(shown.picture().middle(), RED);
        }
        repl.gives("figure.dpi, figure.get_size_inches().tolist()", "(600, [100.0, 100.0])\n");
    });
}

#[test]
fn a_lower_limit_is_kept_by_drawing() {
    let repl = plain().args(["--image-size", "400"]).start();
    let reply = repl.begin("import matplotlib.pyplot as plt; plt.plot([1]); plt.show()").answer();
    assert_eq!(Shown::of(&reply).picture().size(), (315, 236));
    assert_has_not(&text_of(&reply), "shown here as");
}

#[test]
fn how_figures_are_saved_has_no_part_in_how_they_are_shown() {
    on_oldest_and_newest(|repl| {
        repl.gives(FILL, IDLE);
        let settings = "plt.rcParams.update({'savefig.dpi': 20, 'savefig.bbox': 'tight', \
            'savefig.facecolor': 'lime', 'savefig.transparent': True, 'savefig.format': 'svg'})";
        repl.gives(settings, IDLE);
        let cell = "figure = plt.figure(facecolor='blue'); \
            _ = figure.add_axes([0.25, 0.25, 0.5, 0.5], facecolor='red')";
        let shown = repl.shows(cell);
        assert_eq!(shown.picture().size(), (640, 480));
        assert_eq!(shown.picture().middle(), RED);
        assert_eq!(shown.picture().corner(), BLUE);
        repl.gives("plt.rcParams['savefig.dpi'], figure.dpi", "(20.0, 100.0)\n");
    });
}

#[test]
fn many_open_figures_are_warned_of_by_matplotlib() {
    let repl = session();
    let cell = "import matplotlib.pyplot as plt\nfor _ in range(22): plt.figure()\nNone";
    let reply = repl.repl(cell);
    assert_has(&reply, "RuntimeWarning: More than 20 figures have been opened.");
}

#[test]
fn pandas_and_seaborn_show_what_they_plot() {
    on_oldest_and_newest(|repl| {
        let shown = repl.shows(
            "import pandas\nframe = pandas.DataFrame({'a': [1, 2], 'b': [3, 1]})\nframe.plot()",
        );
        assert_eq!(shown.text, "<Axes: >\n<image/png>\n");
        let shown =
            repl.shows("import matplotlib.pyplot as plt; plt.close(); frame.hist(); plt.show()");
        assert_eq!(shown.picture().size(), (640, 480));
        let shown =
            repl.shows("import seaborn; seaborn.set_theme()\nseaborn.relplot(frame, x='a', y='b')");
        assert_has(&shown.text, "<seaborn.axisgrid.FacetGrid object at ");
        assert_eq!(shown.picture().size(), (500, 500));
    });
}

#[test]
fn a_figure_that_is_the_value_of_a_cell_is_shown_for_it() {
    on_oldest_and_newest(|repl| {
        repl.gives(FILL, IDLE);
        let shown = repl.shows("fill('red')");
        assert_eq!(shown.text, "<image/png>\n");
        assert_eq!(shown.picture().middle(), RED);
        repl.gives("_ is plt.gcf()", "True\n");
        // Changed or not.
        assert_eq!(repl.shows("plt.gcf()").picture().middle(), RED);
        // One that pyplot does not know.
        let cell =
            "from matplotlib.figure import Figure\nown = fill('blue', Figure(figsize=(2, 1)))\nown";
        let shown = repl.shows(cell);
        assert_eq!(shown.picture().size(), (200, 100));
        assert_eq!(shown.picture().middle(), BLUE);
    });
}

#[test]
fn a_figure_survives_pickling() {
    let repl = session();
    repl.gives(FILL, IDLE);
    repl.gives("import pickle; data = pickle.dumps(fill('red')); plt.close()", IDLE);
    let shown: Shown = repl.shows("figure = pickle.loads(data)");
    assert_eq!(shown.picture().middle(), RED);
    assert_has_not(&repl.repl("__import__('sys').exc_info()"), "Error");
}
