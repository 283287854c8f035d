import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from server import BINARY, Server  # noqa: E402


def pytest_sessionstart(session):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is not there: build it, or name it in POSTRIDER")


class Servers:
    """One server for all dialogs of a configuration, and one at a time."""

    def __init__(self):
        self.running = None

    def of(self, config):
        if self.running is None or self.running.config != config:
            self.end()
            server = Server(config)
            try:
                server.start()
                server.fill()
            except BaseException:
                server.remove()
                raise
            self.running = server
        return self.running

    def end(self):
        """When the last dialog of it is through, a server must end well."""
        server, self.running = self.running, None
        if server is None:
            return
        try:
            server.stop()
            server.check_log()
        finally:
            server.remove()


@pytest.fixture(scope="session")
def servers():
    s = Servers()
    yield s
    s.end()
