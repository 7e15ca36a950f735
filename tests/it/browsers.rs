//! What opens a browser elsewhere: nothing is opened, nothing hangs, and the address is told.

use std::net::TcpListener;

use crate::support::{
    Builder, IDLE, assert_has, on_every_python,
    pictures::{file_named, on_oldest_and_newest, plain},
};

#[test]
fn an_address_is_told_and_nothing_is_opened() {
    on_every_python(|repl| {
        let cell = "import webbrowser\nwebbrowser.open('https://example.com/a?b#c')";
        repl.gives(cell, "No browser is opened here: https://example.com/a?b#c\nTrue\n");
        repl.gives(
            "webbrowser.open_new_tab('file:///tmp/page.html')",
            "No browser is opened here: file:///tmp/page.html\nTrue\n",
        );
        repl.gives("webbrowser.get().name", "'mcp-repl'\n");
        repl.gives("'mcp' in repr(vars(webbrowser)['__loader__'])", "False\n");
    });
    let repl = Builder::new().env("BROWSER", "false").start();
    let told = "No browser is opened here: http://example.com\nTrue\n";
    repl.gives("import webbrowser\nwebbrowser.open('http://example.com')", told);
}

#[test]
fn a_server_for_one_request_gets_it() {
    on_every_python(|repl| {
        let cell = "\
import http.server, webbrowser
asked = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        self.send_response(200)
        self.send_header('Content-Type', 'text/html')
        self.end_headers()
        self.wfile.write(b'<p>page')
    def log_message(self, *args): pass
for address in '127.0.0.1', 'localhost':
    with http.server.HTTPServer(('127.0.0.1', 0), Handler) as server:
        assert webbrowser.open(f'http://{address}:{server.server_port}/here?a=b#c')
        server.handle_request()
asked";
        let reply = repl.repl(cell);
        assert_has(&reply, "['/here?a=b', '/here?a=b']\n");
        assert_eq!(file_named(&reply, "[repl] HTML page: "), "<p>page");
        // One that never answers holds up nothing.
        let cell = "\
import socket
server = socket.create_server(('127.0.0.1', 0))
webbrowser.open(f'http://127.0.0.1:{server.getsockname()[1]}')";
        assert_has(&repl.repl(cell), "True\n");
        repl.still_works();
    });
}

#[test]
fn what_others_serve_is_not_fetched() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let repl = Builder::new().start();
    let cell = format!("import webbrowser\nwebbrowser.open({address:?}); None");
    repl.gives(&cell, &format!("No browser is opened here: {address}\n"));
    assert!(listener.accept().is_err(), "nobody has connected");
}

#[test]
fn plotly_and_altair_show_and_go_on() {
    on_oldest_and_newest(|repl| {
        let cell =
            "import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[2, 1])).show()\nprint('on')";
        let reply = repl.repl(cell);
        assert_has(&reply, "No browser is opened here: http://127.0.0.1:");
        assert_has(&reply, "on\n");
        assert_has(&file_named(&reply, "[repl] HTML page: "), "Plotly.newPlot");
        let cell = "\
import altair, pandas
altair.renderers.enable('browser')
altair.Chart(pandas.DataFrame({'a': [1]})).mark_bar().encode(x='a').show()
print('on')";
        let reply = repl.repl(cell);
        assert_has(&reply, "No browser is opened here: http://127.0.0.1:");
        assert_has(&reply, "on\n");
        assert_has(&file_named(&reply, "[repl] HTML page: "), "vegaEmbed");
        repl.still_works();
    });
}

#[test]
fn a_child_opens_what_it_would_anywhere() {
    let repl = plain().env("BROWSER", "echo opened %s").start();
    let cell = "import subprocess, sys\n_ = subprocess.run([sys.executable, '-m', 'webbrowser', 'http://a.b'])";
    assert_has(&repl.repl(cell), "opened http://a.b\n");
    repl.gives("'webbrowser' in sys.modules", "False\n");
    repl.gives("", IDLE);
}
