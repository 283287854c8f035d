"""One Postrider with all its services for all cases of this folder; each case gets mailboxes of its own."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from office import Office  # noqa: E402


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    office = Office(tmp_path_factory.mktemp("office"))
    office.start()
    office.open()
    yield office
    assert office.stop() == 0
    office.check_log()


@pytest.fixture
def box(office):
    return office.new_box()
