"""
A server that answers W&B's client as theirs does, as far as an import asks: `answering(runs)`.

There is no server of W&B to be had without an account. What is answered has the form that the client itself asks for
in its queries (wandb 0.31): runs with config and summary as JSON texts, pages of history whose rows are JSON texts
with NaN as a text, files by their addresses.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class ServedRun(NamedTuple):
    """A run of the server: what its record says, the rows of its history, and its files."""

    record: dict[str, Any]
    rows: list[dict[str, Any]]
    files: dict[str, bytes]

    def answer(self) -> dict[str, Any]:
        """Return the record as the server gives it."""
        config = {key: {"value": value} for key, value in self.record.get("config", {}).items()}
        last = {"lastStep": self.rows[-1]["_step"] if self.rows else -1}
        usual: dict[str, Any] = {
            "id": "UnVu", "projectId": "1", "tags": [], "sweepName": None, "state": "finished", "group": None,
            "jobType": None, "commit": None, "readOnly": True, "heartbeatAt": "2026-01-02T03:05:00Z",
            "createdAt": "2026-01-02T03:04:05Z", "description": "", "notes": "", "systemMetrics": "{}",
            "historyLineCount": len(self.rows), "user": {"name": "u", "username": "u"}, "historyKeys": last,
        }  # fmt: skip
        texts = {"config": json.dumps(config), "summaryMetrics": json.dumps(self.record.get("summary", {}))}
        return {**usual, **self.record, **texts}


class WandbServer(ThreadingHTTPServer):
    """
    The server.

    Attributes:
        served: its runs by their ids.
        refusals: how many of the next questions for history are refused as too many.
        pages: how many pages of history were asked for.
    """

    daemon_threads = True

    def __init__(self, served: dict[str, ServedRun]) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.served = served
        self.refusals = self.pages = 0

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, query: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the data for a query."""
        if "viewer" in query:
            return {"viewer": {"id": "1", "entity": "team", "username": "u", "flags": "{}", "teams": {"edges": []}}}
        if "runs(" in query:
            edges = [{"node": run.answer(), "cursor": name} for name, run in self.served.items()]
            page = {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}
            return {"project": {"internalId": "1", "runCount": len(edges), "readOnly": True, "runs": page}}
        run = self.served.get(str(asked.get("runName") or asked.get("name") or asked.get("run")))
        if run is None:
            return {"project": {"run": None}}
        if "parquetHistory" in query:
            return {"project": {"run": {"parquetHistory": {"liveData": [], "parquetUrls": []}}}}
        if "history(" in query:
            self.pages += 1
            rows = [json.dumps(row) for row in run.rows if asked["minStep"] <= row["_step"] < asked["maxStep"]]
            return {"project": {"run": {"history": rows}}}
        if "files(" in query:
            return {"project": {"internalId": "1", "run": {"fileCount": len(run.files), "files": self._files(run)}}}
        return {"project": {"internalId": "1", "run": run.answer()}}

    def _files(self, run: ServedRun) -> dict[str, Any]:
        name = run.record["name"]
        edges = [
            {"node": {"id": path, "name": path, "url": f"{self.address}/files/{name}/{path}", "directUrl":
             f"{self.address}/files/{name}/{path}", "sizeBytes": str(len(content)), "mimetype": "", "updatedAt":
             "2026-01-02T03:04:05Z", "md5": ""}, "cursor": path}
            for path, content in run.files.items()
        ]  # fmt: skip
        return {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}


class Answers(BaseHTTPRequestHandler):
    """One question and its answer."""

    server: WandbServer

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def _send(self, content: bytes, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        """Give a file of a run."""
        _, _, name, path = self.path.split("/", 3)
        self._send(self.server.served[name].files[path])

    def do_POST(self) -> None:
        """Answer a query."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/graphql":
            self._send(b"{}")
            return
        question = json.loads(content)
        if "history(" in question["query"] and self.server.refusals:
            self.server.refusals -= 1
            self._send(b"{}", 429)
            return
        answer = self.server.answer(question["query"], question.get("variables") or {})
        self._send(json.dumps({"data": answer}).encode())


@contextmanager
def answering(runs: list[ServedRun]) -> Iterator[WandbServer]:
    """Answer for *runs* while the block runs."""
    server = WandbServer({run.record["name"]: run for run in runs})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
