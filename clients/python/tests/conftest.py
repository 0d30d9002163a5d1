"""A service of the tests' own: the real program on a copy of a trained shop.

`FOREWORD_PROGRAM` names the program, `FOREWORD_SHOP` the shop's folder, which nobody changes. A test in Rust
sets both and runs these; `cargo xtask test` runs it with all others. By hand, once that has made the
environment:

    FOREWORD_TEST_PYTHON_CLIENT=$PWD/target/python-venv/bin/python cargo test -p foreword --test it clients::

Without that variable none of these runs, and the test passes: it says so where `--nocapture` shows it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 60
"""The most seconds that a test waits for anything."""


class Service:
    """`foreword serve`, on a port of its own that it keeps when it is started again."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.flags = flags
        self.port = 0
        self.start()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        command = _command(self.folder, "serve", "--listen", f"127.0.0.1:{self.port}", *self.flags)
        self.process = subprocess.Popen(command, env=_environment(), stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r'addresses=\["127\.0\.0\.1:(\d+)"', line):
                self.port = int(found[1])
                return
        raise AssertionError(f"the service ended with {self.process.wait(PATIENCE)}")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It hangs meanwhile: it takes connections, since its machine does, and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()


def run(folder: Path, *arguments: str) -> str:
    """What the program says to these arguments."""
    command, environment = _command(folder, *arguments), _environment()
    return subprocess.run(command, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout


def _command(folder: Path, *arguments: str) -> list[str]:
    return [_named_by("FOREWORD_PROGRAM"), "--data-dir", str(folder), *arguments]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOREWORD_")}
    # Programs of several tests run at once, and a training would take the machine from them.
    return {**kept, "FOREWORD_ADMIN__LISTEN": "[]", "FOREWORD_RETRAIN__ON": "false"}


def _named_by(variable: str) -> str:
    if not (value := os.environ.get(variable)):
        pytest.fail(f"{variable} is not set; {__file__} says who sets it", pytrace=False)
    return value


def copy_of_shop(folder: Path) -> Path:
    shop = Path(_named_by("FOREWORD_SHOP"))
    (folder / "models").mkdir(parents=True)
    shutil.copy(shop / "foreword.db", folder)
    for file in (shop / "models").iterdir():
        shutil.copy(file, folder / "models")
    return folder


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that anybody may call, in plaintext."""
    started = Service(copy_of_shop(tmp_path / "shop"))
    yield started
    started.stop()
