"""
Pages and the built files that they load. Specified in docs/formats/wire.md, section 1.

    static/index.html      one page for all addresses; its <base> is set to the root of the app
    static/assets/…        hashed names, cached by browsers for ever; sent as `.br` or `.gz` where a browser takes that

The build of ui/ makes the files. Without them every address shows a page that says how to build them.
"""

from __future__ import annotations

import html
import mimetypes
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from aim.core.errors import UsageError
from aim.server.aim3_addresses import is_aim3, translated
from aim.server.answers import missing
from aim.server.compression import accepted_encodings
from aim.server.files import FOREVER
from aim.server.server_state import server_of

STATIC = Path(__file__).with_name("static")
PAGES = ("", "runs", "metrics", "params", "media", "text", "reports", "compare", "alerts", "settings", "docs")
BASE_TAG = '<base href="./">'
TWINS = (("br", ".br"), ("gzip", ".gz"))
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".map": "application/json"}
NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><base href="./"><link rel="icon" href="data:,"><title>Aim</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:12vh auto;max-width:42em;padding:0 1.5em;
color:#1b1d22;background:#fbfbfa}
code{background:#eee;padding:.1em .35em;border-radius:4px}
@media(prefers-color-scheme:dark){body{color:#e8eaee;background:#101216}
code{background:#262a32}}</style></head><body>
<h1>The server runs, but its pages are not built</h1>
<p>This is a checkout of the sources. Build the pages once, with npm:</p>
<p><code>make ui</code> &nbsp;or&nbsp; <code>cd ui &amp;&amp; npm ci &amp;&amp; npm run build</code></p>
<p>and load this page again. An installed package includes them. The interface for programs works already:
<a href="api/info">api/info</a>.</p></body></html>
"""

OLD_ADDRESS = (
    NOT_BUILT.partition("<h1>")[0]
    + """<h1>This is an address of Aim 3, and it can't be read</h1>
<p>WHY</p><p>Open <a href="PAGE">the same page</a> with all runs, and choose again.</p></body></html>
"""
)
# plotly compiles the shaders of its gl charts with `Function`. So it gets a page of its own without an origin
# (`sandbox`): that page may evaluate code, and can reach neither this server nor any other.
FIGURE_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; worker-src blob:"
)
FIGURE_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Figure</title>
<style>html,body,#figure{margin:0;height:100%;overflow:hidden}</style></head><body><div id="figure"></div>
<script>
addEventListener("message", async ({ data, source }) => {
  if (source !== parent) return;
  try {
    if (!window.Plotly) (0, eval)(data.script);
    document.documentElement.style.colorScheme = data.scheme;
    await Plotly.react("figure", data.data, data.layout, { responsive: true, displaylogo: false });
    parent.postMessage({ error: null }, "*");
  } catch (error) {
    parent.postMessage({ error: String(error) }, "*");
  }
});
</script></body></html>
"""


def pages_stamp() -> int:
    """Return a number that changes when the pages are built again; 0 when they are not built."""
    try:
        return (STATIC / "index.html").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def based(text: str, depth: int) -> str:
    """
    Return a page with its `<base>` set to the root of the app, *depth* folders up.

    >>> based('<base href="./">', 1)
    '<base href="../">'
    """
    return text.replace(BASE_TAG, f'<base href="{"../" * depth}">') if depth else text


async def page(request: Request) -> Response:
    """Answer the address of a page."""
    server = server_of(request)
    depth = len(request.path_params)  # 1 for `run/<hash>` and `reports/<id>`, else 0
    if "token" in request.query_params:
        admitted = server.guard.admit(request, depth)
        if admitted is not None:
            return admitted
    if is_aim3(request.query_params):
        return _from_aim3(request)
    return _index(depth, 200)


def _index(depth: int, status: int) -> Response:
    try:
        text = (STATIC / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return HTMLResponse(based(NOT_BUILT, depth), 503, headers={"Cache-Control": "no-store"})
    return HTMLResponse(based(text, depth), status, headers={"Cache-Control": "no-cache"})


async def no_page(request: Request) -> Response:
    """
    Answer an unknown address: with the app, which says so, where a page is accepted; else with an error.
    """
    path: str = request.path_params["path"]
    if path.startswith(("api/", "assets/")) or "text/html" not in request.headers.get("accept", ""):
        raise missing(f"There is nothing at {path[:80]!r}.")
    return _index(path.count("/"), 404)


def _from_aim3(request: Request) -> Response:
    """Redirect an address of Aim 3 to ours; if it can't be read, answer with a page that says so."""
    page = request.url.path.rpartition("/")[2] or "metrics"
    try:
        return RedirectResponse(translated(page, request.query_params), 303)
    except UsageError as error:
        said = OLD_ADDRESS.replace("WHY", html.escape(str(error))).replace("PAGE", html.escape(page))
        return HTMLResponse(said, 400, headers={"Cache-Control": "no-store"})


async def old_run(request: Request) -> Response:
    """Redirect `runs/<hash>` and `runs/<hash>/<tab>` of Aim 3 to our page of that run."""
    up = "../../" if "tab" in request.path_params else "../"
    return RedirectResponse(f"{up}run/{quote(request.path_params['run'], safe='')}", 303)


async def asset(request: Request) -> Response:
    """Answer `assets/<name>`."""
    folder = STATIC / "assets"
    path = folder / request.path_params["name"]
    # the name comes from the address: only files directly in the folder are sent
    if path.parent != folder or path.name.startswith(".") or not path.is_file():
        raise missing("The built pages have no such file.")
    headers = {"Cache-Control": f"public, {FOREVER}", "Vary": "Accept-Encoding"}
    accepted = accepted_encodings(request.headers)
    kind = MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    for encoding, suffix in TWINS:
        twin = path.with_name(path.name + suffix)
        if encoding in accepted and twin.is_file():
            return FileResponse(twin, media_type=kind, headers={**headers, "Content-Encoding": encoding})
    return FileResponse(path, media_type=kind, headers=headers)


def plotly_file() -> Path | None:
    """Return the path of the installed plotly's script, without importing plotly; None when it is not installed."""
    spec = find_spec("plotly")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "package_data" / "plotly.min.js"
        if path.is_file():
            return path
    return None


async def plotly(request: Request) -> Response:
    """Answer `api/plotly.js`."""
    path = plotly_file()
    if path is None:
        raise missing("Plotly is not installed where the server runs: pip install plotly.")
    return FileResponse(path, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


async def figure(request: Request) -> Response:
    """Answer `figure`: an empty page in which plotly draws; the page around it sends the script and the figure."""
    return HTMLResponse(FIGURE_FRAME, headers={"Content-Security-Policy": FIGURE_POLICY, "Cache-Control": "no-cache"})
