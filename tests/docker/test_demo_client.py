"""The scripted client completes its visit and leaves its events."""

import re
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine, select

from sql.service.users import User
from sql.warehouse.events import UserEvent
from tests.builders.api_process import served
from tests.builders.servers import free_port
from tests.builders.small_catalog import fill
from tests.conftest import ROOT, embedded_only

RECORDED = {
    "homeshopping_schedule_view",
    "homeshopping_product_detail_view",
    "homeshopping_recipe_recommendation",
    "recipe_detail_view",
}


def demo_client(url: str, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "docker/demo_client.py", "--url", url, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def calls(output: str) -> list[str]:
    """Method and path of each line, without the numbers of the account."""
    return re.findall(r"^(?:GET|POST) +\S+", output, re.MULTILINE)


@embedded_only
def test_visitors_complete_their_visit_and_clicks_are_stored(
    stack_env: dict[str, str], service: Engine, warehouse: Engine, tmp_path: Path
) -> None:
    fill(service)
    with served("tests.docker.noon", stack_env, tmp_path / "server.log") as server:
        done = demo_client(server.url, "--visitors", "2", "--seed", "3")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        again = demo_client(server.url, "--visitors", "2", "--seed", "3")
    assert calls(done.stdout) == calls(again.stdout), "the same seed chooses the same"
    assert "2 visitors" in done.stdout.splitlines()[-1]
    assert all(
        re.search(r" 20[01] +[\d.]+ ms  \S", line) for line in done.stdout.splitlines() if line.startswith("GET")
    )
    # A graceful stop stores the recorded events.
    with warehouse.connect() as conn:
        events = conn.execute(select(UserEvent.__table__)).all()
    with service.connect() as conn:
        visitors = set(conn.scalars(select(User.user_id)))
    clicks = [event for event in events if event.event_type == "user_activity_recommendation_click"]
    assert {event.user_id for event in clicks} == visitors
    assert len(clicks) == len(visitors) == 4
    for click in clicks:
        assert click.path == f"/recipes/{click.payload['recipe_id']}"
        assert click.payload["position"] >= 1
        assert "release_version" in click.payload
    assert {event.event_type for event in events} >= RECORDED


@embedded_only
def test_an_empty_system_is_named(
    stack_env: dict[str, str], service: Engine, warehouse: Engine, tmp_path: Path
) -> None:
    with served("tests.docker.noon", stack_env, tmp_path / "server.log") as server:
        done = demo_client(server.url)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "the API has no shows of today or later: load a schedule (`make run` does it on demo sources)"
    ]


def test_without_an_api_one_line_says_how_to_start_it() -> None:
    done = demo_client(f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "make run" in line
