import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from server import BINARY, Server  # noqa: E402


def pytest_sessionstart(session):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is not there: build it, or name it in POSTRIDER")


@pytest.fixture(scope="session")
def server(request):
    """One server for all dialogs of a configuration; when the last one is through it must end well."""
    s = Server(request.param)
    try:
        s.start()
        s.fill()
        yield s
        s.stop()
        s.check_log()
    finally:
        s.remove()
