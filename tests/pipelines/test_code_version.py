"""The version of the code in artifacts: what is set, the commit of a checkout, or the version of the package."""

import subprocess
from pathlib import Path

import pytest

from pipelines import code_version as module
from pipelines.code_version import code_version
from ukok import __version__


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_checkout_gives_its_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SOURCE", tmp_path)
    git(tmp_path, "init")
    (tmp_path / "a.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message", "Begin")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert code_version() == commit[: module.DIGITS]
    (tmp_path / "a.py").write_text("2")
    module._commit.cache_clear()
    assert code_version() == f"{commit[: module.DIGITS]}-dirty"


def test_an_installed_package_gives_what_is_set_or_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SOURCE", tmp_path)
    assert code_version() == __version__
    monkeypatch.setenv("UKOK_CODE_VERSION", "0123456789ab")
    assert code_version() == "0123456789ab"
