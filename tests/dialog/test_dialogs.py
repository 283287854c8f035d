"""Every *.dialog file below this folder is one case."""
import pathlib

import pytest

from dialog import Dialog, Player, play_fresh

HERE = pathlib.Path(__file__).resolve().parent
ALL = [Dialog(path) for path in sorted(HERE.glob("*/*.dialog"))]
SHARED = sorted((d for d in ALL if not d.fresh), key=lambda d: (d.config, str(d.path)))
FRESH = [d for d in ALL if d.fresh]


def name_of(dialog):
    return str(dialog.path.relative_to(HERE).with_suffix(""))


@pytest.mark.parametrize("server,dialog", [pytest.param(d.config, d, id=name_of(d)) for d in SHARED],
                         indirect=["server"], scope="session")
def test_dialog(server, dialog):
    Player(server, dialog).play()


@pytest.mark.parametrize("dialog", [pytest.param(d, id=name_of(d)) for d in FRESH])
def test_dialog_of_its_own(dialog):
    play_fresh(dialog)
