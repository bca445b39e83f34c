"""
The tokens with which this user asks servers: that of the environment, else those that `aim login` has kept.

    AIM_TOKEN                                       the token for every server that this process asks
    $XDG_CONFIG_HOME/aim/tokens.json                {"tokens": {"http://host:53800/vision": "aim_...", ...}}
    or ~/.config/aim/tokens.json, of mode 0600

A kept token belongs to a server, or to a project of it; that of the project comes first. The file is replaced as a
whole, so a reader never sees half of it. A token never is in a message of an error or of the log.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aim.core.addresses import ServerAddress
from aim.core.errors import UsageError

TOKEN_VARIABLE = "AIM_TOKEN"


def tokens_file() -> Path:
    """Return the file of the tokens of this user; it may not be there."""
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(folder, "aim", "tokens.json")


def token_for(address: ServerAddress) -> str | None:
    """
    Return the token to ask *address* with; None when there is none.

    Raises:
        UsageError: others may read the file of the tokens, or it is no such file.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if token:
        return _checked(token, f"${TOKEN_VARIABLE}")
    tokens = kept_tokens()
    token = tokens.get(_name(address)) or tokens.get(address.server) or ""
    return _checked(token, str(tokens_file())) if token else None


def _name(address: ServerAddress) -> str:
    return f"{address.server}/{address.project}" if address.project else address.server


def _checked(token: str, source: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"{source} is no token: it has characters that no token has.")
    return token


def kept_tokens() -> dict[str, str]:
    """Return the kept tokens by server, or server and project. Raises UsageError; see `token_for`."""
    path = tokens_file()
    try:
        with open(path, encoding="utf-8") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise UsageError(f"Others may read the tokens in {path}. Run `chmod 600 {path}`.")
            content = json.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"The tokens in {path} can't be read: {error.strerror or error}.") from None
    except ValueError:
        content = None
    tokens = content.get("tokens") if isinstance(content, dict) else None
    if not isinstance(tokens, dict) or not all(isinstance(token, str) for token in tokens.values()):
        raise UsageError(f"{path} holds no tokens that can be read. Remove it, and run `aim login` again.")
    return tokens


def keep_token(address: ServerAddress, token: str) -> Path:
    """
    Keep a token for *address*, that is for its project if it names one, else for the server; return the file.

    Raises:
        UsageError: see `token_for`.
    """
    return _write({**kept_tokens(), _name(address): _checked(token, "This")})


def forget_token(address: ServerAddress) -> bool:
    """Forget the token that is kept for *address*; return whether there was one. Raises UsageError; see `token_for`."""
    tokens = kept_tokens()
    if _name(address) not in tokens:
        return False
    _write({name: token for name, token in tokens.items() if name != _name(address)})
    return True


def _write(tokens: Mapping[str, str]) -> Path:
    path = tokens_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix="tokens-", dir=path.parent)  # of mode 0600
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump({"tokens": dict(tokens)}, file, indent=1)
        os.replace(draft, path)
    except OSError:
        os.unlink(draft)
        raise
    return path
