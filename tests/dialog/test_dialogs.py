"""Every *.dialog file below this folder is one case."""
import pathlib

import pytest

from dialog import Dialog, Player, play_fresh

HERE = pathlib.Path(__file__).resolve().parent
ALL = [Dialog(path) for path in sorted(HERE.glob("*/*.dialog"))]


def name_of(dialog):
    return str(dialog.path.relative_to(HERE).with_suffix(""))


def shared_cases():
    """The dialogs, configuration by configuration, and behind those of each its server's end."""
    cases = []
    for config in sorted({d.config for d in ALL if not d.fresh}):
        mine = [d for d in ALL if d.config == config and not d.fresh]
        cases += [pytest.param(config, d, id=name_of(d)) for d in mine]
        cases.append(pytest.param(config, None, id=f"end-of-{config}"))
    return cases


def played(play):
    """A failure says the line of the dialog and what came; where in the runner that was helps nobody."""
    try:
        play()
    except (AssertionError, OSError) as e:
        words = str(e) or repr(e)
    else:
        return
    pytest.fail(words, pytrace=False)


@pytest.mark.parametrize("config,dialog", shared_cases())
def test_dialog(servers, config, dialog):
    played(lambda: Player(servers.of(config), dialog).play() if dialog else servers.end())


@pytest.mark.parametrize("dialog", [pytest.param(d, id=name_of(d)) for d in ALL if d.fresh])
def test_dialog_of_its_own(dialog):
    played(lambda: play_fresh(dialog))
