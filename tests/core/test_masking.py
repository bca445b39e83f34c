"""
Secrets in command lines, environments and addresses are not recorded.
"""

from __future__ import annotations

import time

import hypothesis.strategies as st
import pytest
from hypothesis import given

from aim.core.masking import ARGUMENTS_MAX, CHARACTERS_MAX, masked, masked_arguments, speaks_of_secret

SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    "given_arguments",
    [
        ["--token", SECRET],
        ["--hf-token", SECRET],
        ["--token=" + SECRET],
        ["--password=" + SECRET + " with a space"],
        ["--api-key", SECRET],
        ["--api_key=" + SECRET],
        ["-password", SECRET],
        ["--aws.secretAccessKey", SECRET],
        ["db.password=" + SECRET],
        ["+wandb.api_key=" + SECRET],
        [f"https://ada:{SECRET}@host/path"],
        [f"--url=https://ada:{SECRET}@host/path"],
        [f"https://ada:p@ss{SECRET}@host/path"],
        [f"ada:{SECRET}@host"],
        [f"https://host/path?page=1&access_token={SECRET}&x=1"],
        [f"https://host/o?X-Amz-Signature={SECRET}"],
        [f'--config={{"password": "{SECRET}"}}'],
        [f'{{"user": "ada", "api_key":"{SECRET}", "lr": 0.1}}'],
        ["--header", f"Authorization: Bearer {SECRET}"],
        ["--env", f"API_TOKEN={SECRET}"],
    ],
)
def test_a_secret_of_a_command_line_is_hidden(given_arguments: list[str]) -> None:
    """
    Every form of a secret with a name becomes stars, and the number of arguments stays the same.
    """
    shown = masked_arguments(["train.py", *given_arguments, "--lr", "0.1"])

    assert SECRET not in " ".join(shown)
    assert "***" in " ".join(shown)
    assert len(given_arguments) + 3 == len(shown)
    assert ["train.py", "--lr", "0.1"] == [shown[0], *shown[-2:]]


@pytest.mark.parametrize(
    "given_arguments",
    [
        ["--tokenizer", "bert-base"],
        ["--tokenizer=bert-base"],
        ["--max-tokens", "512"],
        ["--max_new_tokens=512"],
        ["--token-dim", "64"],
        ["--num-keypoints", "17"],
        ["--author", "ada"],
        ["--no-auth", "--lr"],
        ["--lr=3e-4", "model.layers=[1,2]", "git@github.com:ada/model.git"],
        ["s3://bucket/prefix", "/data/a:b", "12:30", "ada@example.org", "key"],
    ],
)
def test_what_is_no_secret_is_recorded(given_arguments: list[str]) -> None:
    """
    Harmless words that contain a word of a secret, values of other options, and addresses without a password stay.
    """
    assert given_arguments == masked_arguments(given_arguments)


@pytest.mark.parametrize("value", ["ghp_" + "a1" * 18, "AKIA" + "A1B2" * 4, "sk-" + "a" * 40, "hf_" + "b" * 30])
def test_a_well_known_key_is_hidden_wherever_it_stands(value: str) -> None:
    """
    A key is hidden alone, as the value of a harmless option, and within a text.
    """
    assert ["***", "--note", "***", "--note=***"] == masked_arguments([value, "--note", value, f"--note={value}"])
    assert value not in masked(f"use {value} for it")


def test_addresses_keep_what_is_no_secret() -> None:
    """
    Host, path and the other parts of a query string stay.
    """
    assert "postgres://***@db/runs?sslkey=***&page=2" == masked("postgres://ada:pw@db/runs?sslkey=k&page=2")


@given(st.text(max_size=50), st.from_regex(r"[A-Za-z_]{0,5}(TOKEN|password|Secret)", fullmatch=True))
def test_the_value_of_a_secret_name_never_stays(value: str, name: str) -> None:
    """
    Any value in `--name=value` and `--name value` becomes stars.
    """
    if speaks_of_secret(name) and not value.startswith("-"):
        assert [f"--{name}", "***"] == masked_arguments([f"--{name}", value])
    if speaks_of_secret(name) and value:
        assert [f"--{name}=***"] == masked_arguments([f"--{name}={value}"])


@pytest.mark.parametrize("part", ["x", "a=", "eyJ", "://", "a:", "key=", '"', "a@"])
def test_no_text_takes_long(part: str) -> None:
    """
    A long argument of any repetition takes a fraction of a second, and is cut.
    """
    begin = time.thread_time()
    shown = masked_arguments([part * 100_000] * 3)

    assert time.thread_time() - begin < 1.0
    assert all(len(one) <= CHARACTERS_MAX for one in shown)


def test_a_long_command_line_is_cut() -> None:
    """
    The first 256 arguments are recorded.
    """
    assert ["x"] * ARGUMENTS_MAX == masked_arguments(["x"] * 1000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"password": "a b", "lr": 0.1}', '{"password": "***", "lr": 0.1}'),
        ("password: 'a b', lr: 0.1", "password: '***', lr: 0.1"),
        ("token=abc&page=2", "token=***&page=2"),
        ("Authorization: Bearer abc next", "Authorization: *** next"),
        ("max_new_tokens: 5", "max_new_tokens: 5"),
        ("password", "password"),
        ("the secret is out", "the secret is out"),
        ("ada@host", "ada@host"),
        ("ada:pw@host", "***@host"),
        ("ftp://ada@host/x", "ftp://***@host/x"),
    ],
)
def test_what_stays_around_a_secret(text: str, expected: str) -> None:
    """
    Names, quotes and all other text stay as they were.
    """
    assert expected == masked(text)
