"""What a program found, told to `cargo xtask conformance`: one line of JSON for each check."""

import json
import os
from contextlib import contextmanager

SCENE = json.loads(os.environ["SCENE"])
"""Where the server is, and with what to sign in."""


def tell(check, outcome, detail=""):
    """Tells the outcome of one check: `passed`, `failed` or `skipped`."""
    print(json.dumps({"check": check, "outcome": outcome, "detail": str(detail)}), flush=True)


@contextmanager
def check(name):
    """A check that passes unless something is raised in it."""
    try:
        yield
    except Exception as error:
        tell(name, "failed", f"{type(error).__name__}: {error}")
    else:
        tell(name, "passed")


def same(found, wanted):
    """Raises unless both are the same."""
    if found != wanted:
        raise AssertionError(f"{found!r}, but {wanted!r} was wanted")


def refused(action, *kinds):
    """Raises unless the action raises one of these kinds; gives what was raised."""
    try:
        given = action()
    except kinds as error:
        return error
    raise AssertionError(f"{given!r}, but a refusal was wanted")
