"""Misspelt settings are reported, and the list of settings is whole."""

from pathlib import Path

import pytest

from tests.builders.settings_classes import settings_classes, variables
from ukok.names import PREFIX, SETTINGS, unknown_names, unknown_settings


def test_every_setting_is_known() -> None:
    declared = set().union(*map(variables, settings_classes()))
    assert declared <= {f"{PREFIX}{name.upper()}" for name in SETTINGS}


def test_a_misspelt_setting_is_reported_wherever_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(unknown_settings()) == []
    monkeypatch.setenv("UKOK_SERVICE_DB_ULR", "x")
    monkeypatch.setenv("UKOK_TEST_ANYTHING", "x")
    monkeypatch.setenv("UKOK_VAR_DIR", str(tmp_path))
    (tmp_path / ".env").write_text("UKOK_QQ=1\nukok_kok_ulr=1\nMARIADB_PASSWORD=1\n#UKOK_X=1\n")
    assert list(unknown_settings()) == [
        "UKOK_KOK_ULR is not known: did you mean UKOK_KOK_URL?",
        "UKOK_QQ is not known",
        "UKOK_SERVICE_DB_ULR is not known: did you mean UKOK_SERVICE_DB_URL?",
    ]


def test_an_unreadable_env_file_is_left_to_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"UKOK_CONTACT=\xb1\xe8")
    assert list(unknown_settings()) == []


def test_unknown_parameters_of_a_run_are_reported() -> None:
    assert list(unknown_names(["days", "dayss", "start"], {"days", "source"})) == [
        "dayss is not known: did you mean days?",
        "start is not known",
    ]
