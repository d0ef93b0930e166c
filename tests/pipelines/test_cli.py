"""The command line: exit codes, reasons in one line, and whole steps."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine, make_url

from artifacts.store import Store
from crawlers.standin.catalog import Catalog
from crawlers.standin.server import running_standin
from pipelines.cli.app import app
from pipelines.cli.console import make_output_safe, out
from pipelines.load.moved_shows import BROADCAST
from pipelines.load.recipes import RECIPE
from tests.builders.command_line import Ended, run_ukok
from tests.builders.raw_runs import DAY, kst, put_shows, rows, show
from tests.builders.servers import free_port
from tests.builders.small_crawl import show as standin_show
from tests.conftest import ROOT, Stack
from tests.pipelines.test_recipe_csv import row, write
from ukok import __version__

HEAVY = {
    *("torch", "faiss", "scrapy", "kiwipiepy", "pandas", "matplotlib"),
    *("sqlalchemy", "alembic", "uvicorn", "fastapi", "boto3"),
}


Ukok = Callable[..., Ended]


@pytest.fixture
def ukok(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ukok:
    """Run ``ukok`` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return partial(run_ukok, monkeypatch, capsys)


@pytest.fixture
def on_stack(monkeypatch: pytest.MonkeyPatch, stack_env: dict[str, str]) -> None:
    for name, value in stack_env.items():
        monkeypatch.setenv(name, value)


def commands(path: tuple[str, ...] = (), within: object = None) -> list[tuple[str, ...]]:
    """Return every command and command group as the words to type."""
    inner = getattr(within or typer.main.get_command(app), "commands", {})
    return [path, *(each for name in sorted(inner) for each in commands((*path, name), inner[name]))]


def test_all_commands_exist() -> None:
    found = {" ".join(path) for path in commands()}
    assert found >= {"db start", "db stop", "db status", "db upgrade", "standin", "crawl", "load", "recipes import"}
    assert found >= {"logs ingest", "train word2vec", "train bert", "serve", "run", "status", "lineage", "maintenance"}
    assert found >= {"backup", "restore", "release prune"}
    assert found >= {
        f"release {verb}" for verb in ("build", "verify", "promote", "rollback", "list", "diff", "canary", "watch")
    }


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_explains_itself(ukok: Ukok, path: tuple[str, ...]) -> None:
    ended = ukok(*path, "--help")
    assert ended.code == 0
    assert "Usage: " in ended.out
    assert len(ended.out.split()) > 15


def test_version_and_misspelt_settings_are_reported(ukok: Ukok, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UKOK_CODE_VERSION", "0123456789ab")
    monkeypatch.setenv("UKOK_KEEP_RELEASE", "3")
    ended = ukok("--version")
    assert (ended.code, ended.out) == (0, f"ukok {__version__} (0123456789ab)\n")
    assert ended.err == "ukok: warning: UKOK_KEEP_RELEASE is not known: did you mean UKOK_KEEP_RELEASES?\n"


def test_help_imports_no_heavy_library() -> None:
    code = f"import sys, pipelines.cli.app; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        "fly",
        "crawl amazon",
        "crawl kok --date 2025-13-01",
        "crawl kok --date tomorrow",
        "crawl kok --days 0",
        "load kok --force",
        "recipes import absent.csv",
        "logs ingest --start yesterday",
        "logs ingest --start 2025-08-06T00:00",
        "train gpt",
        "logs ingest --start 2025-08-06T00:00+09:00 --end 2025-08-05T00:00+09:00",
        "standin --port http",
        "standin --port 99999",
    ],
)
def test_wrong_usage_ends_with_2(ukok: Ukok, arguments: str) -> None:
    ended = ukok(*arguments.split())
    assert ended.code == 2
    assert "Usage: " in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("verb", ["verify", "promote"])
@pytest.mark.parametrize("version", ["", " "])
def test_an_empty_version_is_not_the_newest(ukok: Ukok, verb: str, version: str) -> None:
    ended = ukok("release", verb, version)
    assert ended.code == 2
    assert "is empty" in ended.err


VERBS = (("verify",), ("promote",), ("canary",), ("report",), ("diff", "20250806T000000Z-1"))
ODD = [(verb, "..") for verb in VERBS] + [(("promote",), odd) for odd in ("a/b", "x" * 300, "a\0b", "감자")]


@pytest.mark.parametrize(("verb", "version"), ODD)
def test_an_odd_version_is_wrong_usage(ukok: Ukok, verb: tuple[str, ...], version: str) -> None:
    ended = ukok("release", *verb, version)
    assert ended.code == 2
    assert "is no version" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("version", ["", "..", "a/b", "x" * 300])
def test_an_odd_version_has_no_lineage(ukok: Ukok, on_stack: None, version: str) -> None:
    assert "is no version" in failed(ukok("lineage", version))


def failed(ended: Ended) -> str:
    """Return the reason of a command that failed: one line, exit code 1."""
    assert ended.code == 1
    (line,) = ended.err.strip().splitlines()
    assert line.startswith("ukok: ")
    return line


def test_a_wrong_password_is_not_printed(ukok: Ukok, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_url(stack.service_url).set(username="nobody", password="hunter2")
    if stack.name == "embedded":
        url = make_url(f"postgresql://nobody:hunter2@127.0.0.1:{free_port()}/service")
    monkeypatch.setenv("UKOK_SERVICE_DB_URL", url.render_as_string(hide_password=False))
    monkeypatch.setenv("UKOK_WAREHOUSE_DB_URL", stack.warehouse_url)
    for arguments in (["db", "upgrade"], ["load", "kok"]):
        reason = failed(ukok(*arguments))
        assert "hunter2" not in reason
        assert "UKOK_SERVICE_DB_URL" in reason


def test_a_database_without_tables_fails(ukok: Ukok, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = make_url(stack.warehouse_url).set(database="postgres").render_as_string(hide_password=False)
    monkeypatch.setenv("UKOK_WAREHOUSE_DB_URL", empty)
    monkeypatch.setenv("UKOK_SERVICE_DB_URL", stack.service_url)
    assert "run `ukok db upgrade`" in failed(ukok("load", "kok"))


def test_one_url_for_both_databases_fails(ukok: Ukok, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVICE", "WAREHOUSE"):
        monkeypatch.setenv(f"UKOK_{name}_DB_URL", stack.warehouse_url)
    assert "UKOK_SERVICE_DB_URL and UKOK_WAREHOUSE_DB_URL both name" in failed(ukok("db", "upgrade"))


def test_invalid_settings_are_named(ukok: Ukok, monkeypatch: pytest.MonkeyPatch, on_stack: None) -> None:
    monkeypatch.setenv("UKOK_KOK_URL", "kok.uplus.co.kr")
    assert "UKOK_KOK_URL" in failed(ukok("crawl", "kok"))
    monkeypatch.setenv("UKOK_ARTIFACTS_URL", "ftp://somewhere")
    assert "UKOK_ARTIFACTS_URL" in failed(ukok("load", "kok"))
    monkeypatch.setenv("UKOK_SERVICE_DB_URL", "not a url with secret:hunter2")
    assert "hunter2" not in failed(ukok("load", "kok"))


def test_an_unreachable_source_fails(ukok: Ukok, monkeypatch: pytest.MonkeyPatch, on_stack: None, store: Store) -> None:
    monkeypatch.setenv("UKOK_HNSMALL_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("UKOK_CRAWL_DELAY_SECONDS", "0")
    monkeypatch.setenv("UKOK_CRAWL_RETRIES", "0")
    assert "crawl of hnsmall" in failed(ukok("crawl", "hnsmall", "--date", "2025-08-06", "--days", "1"))
    assert store.list("raw/") == []


def test_a_file_is_held_back_and_then_accepted(ukok: Ukok, on_stack: None, service: Engine, store: Store) -> None:
    listed = [show(f"{hour:02}:00", f"{hour:02}:30", hour) for hour in range(4, 24)]
    for crawl in range(3):
        put_shows(store, kst("02:00") + timedelta(hours=3 * crawl), listed)
    put_shows(store, kst("11:00"), listed[:4])
    reason = failed(ukok("load", "hnsmall"))
    assert "1 of 1 scopes held back: channel_id 1, day 2025-08-06: nothing is listed from " in reason
    assert "ukok load hnsmall --accept" in reason
    assert len(rows(service, BROADCAST, "broadcast_id")) == 20
    assert ukok("load", "hnsmall", "--accept").code == 0


def test_a_crawl_ends_with_its_report(
    ukok: Ukok, on_stack: None, monkeypatch: pytest.MonkeyPatch, store: Store, artifacts_url: str
) -> None:
    assert "nothing has been crawled yet" in failed(ukok("crawl", "report"))
    with running_standin(Catalog((), (standin_show(1, "09:00", "10:00", 11),)), now=kst("12:00")) as sources:
        for name, value in sources.env.items():
            monkeypatch.setenv(name, value)
        crawled = ukok("crawl", "hnsmall", "--date", DAY.isoformat(), "--days", "1")
    (key,) = store.list("reports/crawl/hnsmall/")
    assert f"report: {artifacts_url}/{key}" in crawled.out
    assert "Loadable: every contract holds" in crawled.out
    page = store.get(key)
    for run in ((), ("hnsmall",), (Path(key).stem,)):
        reported = ukok("crawl", "report", *run)
        assert (reported.code, reported.out) == (0, crawled.out.partition("\n")[2])
    assert store.get(key) == page
    assert "no run 'kok'" in failed(ukok("crawl", "report", "kok"))


def test_from_the_sources_to_the_tables(
    ukok: Ukok, on_stack: None, monkeypatch: pytest.MonkeyPatch, service: Engine, tmp_path: Path
) -> None:
    listed = (standin_show(1, "09:00", "10:00", 11), standin_show(1, "23:50", "25:10", 12))
    write(tmp_path / "r.csv", [row(1), row(2)], encoding="cp949")
    with running_standin(Catalog((), listed), now=kst("12:00")) as sources:
        for name, value in sources.env.items():
            monkeypatch.setenv(name, value)
        arguments = ["--date", DAY.isoformat(), "--days", "1"]
        for command in (["db", "upgrade"], ["recipes", "import", "r.csv"], ["crawl", "hnsmall", *arguments]):
            ended = ukok(*command)
            assert (ended.code, ended.err) == (0, "")
    for _ in range(2):
        ended = ukok("load", "hnsmall")
        assert ended.code == 0
        assert "load_hnsmall_history" in ended.out
    assert rows(service, BROADCAST, "source_product_id", "starts_at") == [(11, kst("09:00")), (12, kst("23:50"))]
    assert rows(service, RECIPE, "recipe_id") == [(1,), (2,)]
    assert ukok("logs", "ingest", "--start", "2025-08-06T00:00+09:00", "--end", "2025-08-07T00:00+09:00").code == 0


def test_another_csv_is_not_a_recipe_file(ukok: Ukok, on_stack: None, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert "other.csv is no recipe file" in failed(ukok("recipes", "import", "other.csv"))


def test_release_commands_before_the_first_release(ukok: Ukok, on_stack: None) -> None:
    assert ukok("release", "list").code == 0
    assert "ukok release build" in failed(ukok("release", "promote"))
    assert failed(ukok("release", "rollback"))
    assert "there is no canary" in ukok("release", "watch").out
    assert "ukok release build" in failed(ukok("release", "canary"))
    assert "there is no release '20250806'" in failed(ukok("release", "canary", "20250806", "--share", "0.2"))
    assert ukok("release", "canary", "20250806", "--share", "1").code == 2
    assert "there is no release '20250806'" in failed(ukok("release", "verify", "20250806"))
    assert "there is no release '20250806'" in failed(ukok("release", "diff", "20250806", "20250807"))


def test_a_server_that_cannot_start_announces_no_url(ukok: Ukok, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for command in ("serve", "standin"):
            taken = ukok(command, "--port", port)
            assert f"port {port} is taken" in failed(taken)
            assert taken.out == ""
    assert "--host 192.0.2.1" in failed(ukok("serve", "--host", "192.0.2.1"))
    monkeypatch.setenv("UKOK_ENVIRONMENT", "production")
    insecure = ukok("serve", "--port", str(free_port()))
    assert insecure.code == 1
    assert "http://" not in insecure.out


def test_asking_for_the_embedded_server_does_not_start_it(
    ukok: Ukok, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UKOK_VAR_DIR", str(tmp_path / "var"))
    assert ukok("db", "status").out == "not running\n"
    assert ukok("db", "stop").out == "it was not running\n"
    assert not (tmp_path / "var").exists()


def in_a_process(command: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command, in which `ukok` is the program, with the folder as its own."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "UKOK_VAR_DIR": str(folder / "var")} | settings
    script = f'ukok() {{ "{sys.executable}" -m pipelines.cli "$@"; }}; {command}'
    return subprocess.run(["/bin/sh", "-c", script], env=env, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("UKOK_SPIDER_MODULES", "x"),
        ("UKOK_SPIDER_MODULES", "[1]"),
        ("UKOK_SPIDER_MODULES", '["nope"]'),
        ("UKOK_SPIDER_MODULES", '["json.decoder"]'),
        ("UKOK_SPIDER_MODULES", '[".relative"]'),
        ("UKOK_SPIDER_MODULES", '[""]'),
    ],
)
def test_a_setting_that_commands_depend_on_is_named(tmp_path: Path, setting: str, value: str) -> None:
    done = in_a_process("ukok status", tmp_path, **{setting: value})
    assert setting in failed(Ended(done.returncode, done.stdout, done.stderr))


def test_a_setting_that_is_no_json_is_named(ukok: Ukok, on_stack: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UKOK_MORE_URLS", "x")
    assert "UKOK_MORE_URLS" in failed(ukok("crawl", "kok"))


def test_a_settings_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("# 설정\n".encode("cp949"))
    done = in_a_process("ukok status", tmp_path)
    assert ".env is not in UTF-8" in failed(Ended(done.returncode, done.stdout, done.stderr))


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_a_closed_output_fails_no_command(tmp_path: Path, closed: str) -> None:
    done = in_a_process(f"ukok status {closed}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["a b", "$HOME", "it's"])
def test_a_path_that_pg_ctl_cannot_quote_is_refused(
    ukok: Ukok, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("UKOK_VAR_DIR", str(tmp_path / name))
    assert "UKOK_VAR_DIR" in failed(ukok("db", "start"))
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "euc-kr", "utf-8"])
@pytest.mark.parametrize("command", ["--help", "status", "crawl report"])
def test_no_encoding_of_the_terminal_fails_a_command(command: str, encoding: str, tmp_path: Path) -> None:
    env = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "30", "UKOK_VAR_DIR": str(tmp_path / "콕✓var")}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *command.split()], env=env, cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == (command == "crawl report"), done.stderr
    assert b"Traceback" not in done.stderr
    assert (b"nothing has been crawled yet" in done.stderr) == (command == "crawl report")


def test_characters_that_a_terminal_lacks_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    written = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(written, encoding="cp949"))
    make_output_safe()
    out.print("✓ 김치 – \ud800")
    assert written.getvalue().decode("cp949") == "? 김치 ? ?\n"
