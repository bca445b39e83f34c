"""
The token file: what makes a token count, and what ends that.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from aim.core.errors import UsageError
from aim.server.tokens import FORM, TokenFile, lifetime_s


@pytest.fixture(name="tokens")
def _tokens(tmp_path: Path) -> TokenFile:
    """
    A token file that does not exist yet.
    """
    return TokenFile(tmp_path / ".auth")


def lines(tokens: TokenFile) -> list[bytes]:
    """Return the lines of the file."""
    return tokens.path.read_bytes().splitlines(keepends=True)


def test_a_token_is_recognised_by_its_text_alone(tokens: TokenFile) -> None:
    """
    The text has an id and 256 bits; the file has neither the text nor its secret.
    """
    text = tokens.create("slurm", "writer", ["vision*"], None)
    match = FORM.fullmatch(text)

    assert match is not None
    token = tokens.recognised(text)
    assert ("slurm", "writer", ("vision*",), "valid") == (token.name, token.role, token.projects, token.state)
    assert match[2].encode() not in tokens.path.read_bytes()
    for wrong in ("", text[:-1], text + "A", text.replace(match[1], "00000000"), f"aim_{match[1]}_{'A' * 43}"):
        assert tokens.recognised(wrong) is None


def test_the_file_is_for_its_owner_alone(tokens: TokenFile) -> None:
    """
    It has mode 0600 in a folder of mode 0700; with another mode it is refused, for reading and for writing.
    """
    text = tokens.create("a", "viewer", ["*"], None)
    assert [0o600, 0o700] == [stat.S_IMODE(os.stat(path).st_mode) for path in (tokens.path, tokens.path.parent)]
    tokens.path.chmod(0o640)

    for call in (
        lambda: TokenFile(tokens.path.parent).recognised(text),
        lambda: tokens.create("b", "viewer", ["*"], None),
        lambda: TokenFile(tokens.path.parent).tokens(),
    ):
        with pytest.raises(UsageError, match="chmod 600"):
            call()


def test_a_revoked_token_is_refused_at_once_by_every_process(tokens: TokenFile) -> None:
    """
    Another object for the same file, as in another process, sees the revocation with its next look.
    """
    other = TokenFile(tokens.path.parent)
    first, second = (tokens.create(name, "viewer", ["*"], None) for name in "ab")
    assert other.recognised(first) is not None
    tokens.revoke(first.split("_")[1])
    tokens.revoke(first.split("_")[1])

    assert (None, "b") == (other.recognised(first), other.recognised(second).name)
    assert 3 == len(lines(tokens))
    assert ["revoked", "valid"] == [token.state for token in other.tokens().values()]
    with pytest.raises(UsageError, match="no token '12345678'"):
        tokens.revoke("12345678")


def test_a_token_ends_at_its_time(tokens: TokenFile) -> None:
    """
    A token whose time is over is refused; the clock is that of the server.
    """
    text = tokens.create("a", "viewer", ["*"], -1.0)

    assert tokens.recognised(text) is None
    assert ["expired"] == [token.state for token in tokens.tokens().values()]
    assert tokens.recognised(tokens.create("b", "viewer", ["*"], 3600.0)) is not None


def test_tokens_before_a_damaged_line_are_refused(tokens: TokenFile) -> None:
    """
    The line may have revoked them. Tokens of later lines count.
    """
    first, second = tokens.create("a", "viewer", ["*"], None), tokens.create("b", "viewer", ["*"], None)
    tokens.revoke(first.split("_")[1])
    last = tokens.create("c", "viewer", ["*"], None)
    content = lines(tokens)
    content[2] = content[2].replace(b"revoke", b"revoqe")
    tokens.path.write_bytes(b"".join(content))

    assert [None, None, "c"] == [
        token if token is None else token.name for token in map(tokens.recognised, (first, second, last))
    ]


def test_half_a_line_of_a_process_that_died_does_no_harm(tokens: TokenFile) -> None:
    """
    It was never handed out: it is cut off when the next token is made, and all others count.
    """
    first = tokens.create("a", "viewer", ["*"], None)
    with tokens.path.open("ab") as file:
        file.write(b'{"crc":"0000')
    assert tokens.recognised(first) is not None
    second = tokens.create("b", "viewer", ["*"], None)

    assert ["a", "b"] == [tokens.recognised(text).name for text in (first, second)]
    assert 2 == len(lines(tokens))


def test_tokens_made_at_once_are_all_there(tokens: TokenFile) -> None:
    """
    Threads with objects of their own, as processes have, write whole lines.
    """
    made: list[str] = []

    def make() -> None:
        own = TokenFile(tokens.path.parent)
        made.extend(own.create("x", "viewer", ["*"], None) for _ in range(5))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 40 == len(set(made)) == sum(tokens.recognised(text) is not None for text in made)


@pytest.mark.parametrize(
    ("name", "role", "projects"),
    [
        ("", "viewer", ["*"]),
        ("x" * 101, "viewer", ["*"]),
        ("a\nb", "viewer", ["*"]),
        ("a", "owner", ["*"]),
        ("a", "viewer", []),
        ("a", "viewer", ["../x"]),
        ("a", "viewer", ["A"]),
    ],
)
def test_a_token_of_no_sense_is_not_made(tokens: TokenFile, name: str, role: str, projects: list[str]) -> None:
    """
    An empty or long name, an unknown role, and what is no pattern of projects are refused, and nothing is written.
    """
    with pytest.raises(UsageError):
        tokens.create(name, role, projects, None)

    assert not tokens.exists


@pytest.mark.parametrize("text", ["", "0d", "5", "d", "1.5d", "-1d", "99999999d", "1y"])
def test_a_lifetime_is_a_number_with_a_unit(text: str) -> None:
    """
    What is no number of hours, days or weeks is refused.
    """
    with pytest.raises(UsageError, match="12h, 90d, 4w"):
        lifetime_s(text)
