"""The examples of the README, as they are, but for where the service is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Service, run

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CERTS = re.findall(r"^\$ foreword (certs .*)$", README, re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_of_the_readme_runs(
    block: str, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in CERTS:
        run(service.folder, *arguments.split())
    exec(compile(block.replace("localhost:50051", service.target), "README.md", "exec"), {})
