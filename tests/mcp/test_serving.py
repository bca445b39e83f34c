"""
`aim mcp` with a real client: over pipes, over HTTP with a token, and within the process.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from aim import Repo, Run
from aim.engine.repository import Repository
from aim.mcp.answers import CHARS_MAX
from aim.mcp.serving import CHANGING, READING, make_server
from aim.server.settings import AUTH_FOLDER
from aim.server.tokens import TokenFile
from tests.apart import apart
from tests.mcp.sweep import record_sweep
from tests.mcp.tokens import token_count
from tests.remote.servers import Server

SOURCE = Path(__file__).parents[2] / "src"
BEST, FAILED = "2e5a7d3c9b1f5a7d3c9b1f24", "4e5a7d3c9b1f5a7d3c9b1f44"


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a repository with the sweep."""
    folder = tmp_path_factory.mktemp("mcp")
    record_sweep(folder)
    return folder


def text_of(result: Any) -> str:
    """Return the texts of an answer."""
    return "\n".join(part.text for part in result.content if part.type == "text")


def ask(folder: Path, *calls: tuple[str, dict[str, Any]], writes: bool = False) -> list[Any]:
    """Call tools one after the other in one session within this process."""

    async def session() -> list[Any]:
        async with Client(make_server(Repository(folder), writes=writes)) as client:
            return [await client.call_tool(name, values) for name, values in calls]

    return apart(session())


def environment() -> dict[str, str]:
    """Return the environment of a server."""
    return {**os.environ, "PYTHONPATH": str(SOURCE)}


def test_a_program_speaks_with_it_over_pipes(folder: Path) -> None:
    """
    A client starts the server, lists its tools, and asks; without `--write` no tool changes anything.
    """
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "aim", "mcp", "--repo", str(folder)], env=environment()
    )

    async def session() -> tuple[list[Any], Any]:
        async with Client(stdio_client(command)) as client:
            tools = (await client.list_tools()).tools
            return tools, await client.call_tool("best_runs", {"metric": "val/accuracy", "limit": 1})

    tools, best = apart(session())

    assert sorted(READING) == sorted(tool.name for tool in tools)
    assert all(tool.annotations.read_only_hint and len(tool.description) > 40 for tool in tools)
    assert "accuracy[subset=val], largest is best" in text_of(best)
    assert BEST in text_of(best)


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """Run `aim` with these arguments until it says an address, and yield the address."""
    words = [sys.executable, "-m", "aim", *arguments]
    with subprocess.Popen(
        words, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = ""
        while "Serving MCP" not in line:
            line = process.stderr.readline()
            assert line, "the server ended"
        yield line.split(" at ")[1].strip()
        process.terminate()
        process.stderr.close()


@pytest.fixture(name="address")
def _address(folder: Path) -> Iterator[str]:
    """The address of a server over HTTP that asks for a token."""
    with serving("mcp", "--repo", str(folder), "--http", "-p", "0", "--token", "abc") as address:
        yield address


def ask_over_http(address: str, token: str, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """Call tools in one session over HTTP with a token."""
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async def session() -> list[Any]:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=120) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return [await client.call_tool(name, values) for name, values in calls]

    return apart(session())


def test_over_http_the_token_is_asked_for(address: str) -> None:
    """
    With the token a session works; without it each request is refused.
    """
    import httpx2

    (listed,) = ask_over_http(address, "abc", ("list_runs", {"query": "run.status == 'failed'"}))
    refused = httpx2.post(address, json={}, headers={"Authorization": "Bearer abd"})

    assert FAILED in text_of(listed)
    assert (401, True) == (refused.status_code, "asks for a token" in refused.text)


@pytest.fixture(name="tokens", scope="module")
def _tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A repository with one run, and a token of a viewer and of an editor."""
    folder = tmp_path_factory.mktemp("roles")
    with Run(FAILED, repo=folder, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(1.0, name="loss")
    file = TokenFile(folder / ".aim" / AUTH_FOLDER)
    return folder, {role: file.create(role, role, ["*"], None) for role in ("viewer", "editor")}


def test_the_token_of_each_request_says_what_it_may_do(tokens: tuple[Path, dict[str, str]]) -> None:
    """
    With `--write` a viewer reads and changes nothing, an editor does both; also in a session that an editor began.
    """
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    folder, texts = tokens
    tag = ("tag_run", {"run": FAILED, "tag": "seen"})

    async def taken_over(address: str) -> list[Any]:
        http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {texts['editor']}"}, timeout=120)
        async with http, Client(streamable_http_client(address, http_client=http)) as client:
            first = await client.call_tool("list_runs", {})
            http.headers["Authorization"] = f"Bearer {texts['viewer']}"
            return [first, await client.call_tool(*tag)]

    with serving("mcp", "--repo", str(folder), "--http", "-p", "0", "--write") as address:
        viewer = ask_over_http(address, texts["viewer"], ("list_runs", {}), tag)
        taken = apart(taken_over(address))
        before = Repo(str(folder)).get_run(FAILED).tags
        editor = ask_over_http(address, texts["editor"], tag)

    assert [False, True] == [bool(answer.is_error) for answer in viewer]
    assert "may read, and not change runs" in text_of(viewer[1])
    assert [False, True] == [bool(answer.is_error) for answer in taken]
    assert ([], False, ["seen"]) == (before, bool(editor[0].is_error), Repo(str(folder)).get_run(FAILED).tags)


def test_a_repository_on_a_server_gets_the_token_of_each_request(
    tokens: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    That server decides: a viewer reads, an editor changes too, and a token that it does not know is refused.
    """
    folder, texts = tokens
    server = Server(folder).start()
    try:
        monkeypatch.setenv("AIM_TOKEN", texts["viewer"])  # of whoever starts `aim mcp`
        with serving("mcp", "--repo", server.address, "--http", "-p", "0", "--write") as address:
            note = ("note_run", {"run": FAILED, "text": "Looked at."})
            viewer = ask_over_http(address, texts["viewer"], ("list_runs", {}), note)
            editor = ask_over_http(address, texts["editor"], note)
            stranger = ask_over_http(address, "unknown", ("list_runs", {}))
    finally:
        server.kill()

    assert [False, True] == [bool(answer.is_error) for answer in viewer]
    assert FAILED in text_of(viewer[0])
    assert [False, True] == [bool(answer.is_error) for answer in editor + stranger]


def test_an_address_that_is_printed_takes_connections(address: str) -> None:
    """
    Whoever reads the address can connect at once: it is said after the socket listens.
    """
    parts = urlsplit(address)

    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60) as connected:
        assert parts.port == connected.getpeername()[1]


def test_a_port_that_is_taken_is_said(folder: Path, address: str) -> None:
    """
    A second server on the port ends with what to do, and not with a report of uvicorn.
    """
    port = address.split(":")[2].split("/")[0]
    words = [sys.executable, "-m", "aim", "mcp", "--repo", str(folder), "--http", "-p", port]

    ended = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False, timeout=120)

    assert (2, True) == (ended.returncode, "Choose another port with --port" in ended.stderr)


def test_answers_say_what_was_asked(folder: Path) -> None:
    """
    Failures with their logs, curves with their shape, differences, images, and queries that match nothing.
    """
    digest, logs, curve, compared, image, explained = ask(
        folder,
        ("runs_digest", {"tokens": 900}),
        ("search_logs", {"run": "lr-0.3", "text": "error"}),
        ("read_curve", {"run": "lr-1", "metric": "val/loss", "points": 12}),
        ("compare_runs", {"runs": "lr-0.03, lr-0.3"}),
        ("look_at_image", {"run": "lr-0.03", "name": "predictions"}),
        ("explain_query", {"query": "run.hparams.rate > 1"}),
    )

    assert "failed: OutOfMemory" in text_of(digest)
    assert "NaN or infinite from step 90 on" in text_of(digest)
    assert ["1 lines match", "61: CUDA error: out of memory, tried to allocate 2.00 GiB"] == text_of(logs).splitlines()
    assert "110 NaN" in text_of(curve)
    assert re.search(r"param,hparams.lr,0.03,0.3\b", text_of(compared))
    assert [("text", None), ("image", "image/png")] == [
        (part.type, getattr(part, "mime_type", None)) for part in image.content
    ]
    assert "hparams.rate" in text_of(explained)


def test_mistakes_are_answers_that_help(folder: Path) -> None:
    """
    An unknown run, metric or column is an error with what there is instead, and the session goes on.
    """
    answers = ask(
        folder,
        ("read_curve", {"run": "nobody", "metric": "loss"}),
        ("best_runs", {"metric": "acuracy"}),
        ("list_runs", {"query": "run.hparams.lr >"}),
        ("look_at_image", {"run": "lr-0.1", "name": "pictures"}),
        ("list_runs", {}),
    )

    assert [True, True, True, True, False] == [bool(answer.is_error) for answer in answers]
    assert "Did you mean 'accuracy'?" in text_of(answers[1])
    assert "It has: predictions." in text_of(answers[3])


def test_every_answer_is_bounded(tmp_path: Path) -> None:
    """
    Of hundreds of runs with long names and logs no answer is longer than 8,000 characters, which are some 3,000 tokens.
    """
    from aim.sdk.objects.log_line import LogLine

    for number in range(120):
        with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run.name = f"{number} " + "a long name " * 30
            run["hparams"] = {f"param_{index}": number * index for index in range(30)}
            run.track(number / 7, name="loss")
            if number == 0:
                for step in range(300):
                    run.track(LogLine("x" * 1000), name="logs", step=step)
                run_hash = run.hash
    answers = ask(
        tmp_path,
        ("list_runs", {"limit": 10_000, "columns": "hparams.param_1"}),
        ("list_metrics", {"limit": 10_000}),
        ("search_logs", {"run": run_hash, "limit": 10_000}),
        ("runs_digest", {"tokens": 100_000}),
        ("best_runs", {"metric": "loss", "limit": 10_000}),
    )

    assert all(len(text_of(answer)) <= CHARS_MAX + 200 for answer in answers[:3] + answers[4:])
    assert [True] * 5 == [token_count(text_of(answer)) <= 4_000 for answer in answers]
    assert "of 120" in text_of(answers[0])


def test_with_write_runs_are_tagged_noted_and_archived(folder: Path) -> None:
    """
    The changes are edits that everybody sees; there is no tool that deletes.
    """
    tagged, noted, archived, listed = ask(
        folder,
        ("tag_run", {"run": FAILED[:6], "tag": "oom"}),
        ("note_run", {"run": FAILED, "text": "It needs a smaller batch."}),
        ("archive_run", {"run": FAILED}),
        ("list_runs", {"query": "run.status == 'failed'"}),
        writes=True,
    )
    run = Repo(str(folder)).get_run(FAILED)
    changed = (run.tags, run._state().properties["notes"], run.archived)
    ask(folder, ("archive_run", {"run": FAILED, "restore": True}), writes=True)

    assert [False] * 3 == [bool(answer.is_error) for answer in (tagged, noted, archived)]
    assert (["oom"], "It needs a smaller batch.", True) == changed
    assert FAILED not in text_of(listed)
    assert not any("delete" in name for name in (*READING, *CHANGING))


def test_other_machines_need_a_token(folder: Path) -> None:
    """
    Without any token an address that other machines reach is refused at once.
    """
    words = [sys.executable, "-m", "aim", "mcp", "--repo", str(folder), "--http", "--host", "0.0.0.0"]

    ended = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False, timeout=120)

    assert (2, True) == (ended.returncode, "give --token" in ended.stderr)
