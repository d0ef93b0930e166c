"""Airflow's REST API, as tests and drills use it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from tests.builders.waiting import until

SECONDS = 600.0
PAUSE = 0.5  # between two looks at a run: the server is busy with the tasks too
ENDED = {"success", "failed"}


@dataclass(frozen=True)
class AirflowApi:
    """A client that is logged in."""

    client: httpx.Client

    @classmethod
    def log_in(cls, client: httpx.Client, password: str) -> "AirflowApi":
        """Log in as admin."""
        token = client.post("/auth/token", json={"username": "admin", "password": password}).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return cls(client)

    def trigger(self, dag: str, **conf: Any) -> dict[str, Any]:
        """Trigger a run as the UI does."""
        return self._post(f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})

    def pause(self, dag: str, *, paused: bool = True) -> None:
        """Let a DAG begin no runs, or let it again."""
        self.client.patch(f"/api/v2/dags/{dag}", json={"is_paused": paused}).raise_for_status()

    def backfill(self, dag: str, start: datetime, end: datetime) -> httpx.Response:
        """Ask for a backfill; return the response, which may refuse it."""
        body = {"dag_id": dag, "from_date": start.isoformat(), "to_date": end.isoformat(), "max_active_runs": 1}
        return self.client.post("/api/v2/backfills", json=body)

    def stop(self, dag: str, run: str) -> None:
        """End a run as failed, with its tasks."""
        self.client.patch(f"/api/v2/dags/{dag}/dagRuns/{run}", json={"state": "failed"}).raise_for_status()

    def clear(self, dag: str, run: str) -> None:
        """Clear the failed tasks of a run, so that they run again."""
        body = {"dag_run_id": run, "only_failed": True, "dry_run": False, "reset_dag_runs": True}
        self._post(f"/api/v2/dags/{dag}/clearTaskInstances", body)

    def ended(self, dag: str, run: str, seconds: float = SECONDS) -> str:
        """Wait for a run to end and return its state."""

        def state() -> str | None:
            found = str(self.get(f"/api/v2/dags/{dag}/dagRuns/{run}")["state"])
            return found if found in ENDED else None

        return until(state, f"{dag} to end", seconds, PAUSE)

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """Return the newest runs of a DAG, the newest first."""
        found: list[dict[str, Any]] = self.get(f"/api/v2/dags/{dag}/dagRuns?order_by=-run_after")["dag_runs"]
        return found

    def run_by_assets(self, dag: str, assets: set[str]) -> str:
        """Id of the newest run that updates of exactly these assets have triggered, once there is one."""

        def run() -> str | None:
            triggered = (str(run["dag_run_id"]) for run in self.runs(dag) if run["run_type"] == "asset_triggered")
            return next((run for run in triggered if self._triggering_assets(dag, run) == assets), None)

        return until(run, f"{dag} to be triggered by {assets}", SECONDS, PAUSE)

    def task(self, dag: str, run: str, task: str) -> dict[str, Any]:
        """Return a task of a run."""
        return self.get(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}")

    def tasks(self, dag: str, run: str) -> dict[str, tuple[str, int]]:
        """Return state and number of tries of each task of a run."""
        found = self.get(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {task["task_id"]: (task["state"], task["try_number"]) for task in found}

    def wait_for_task(self, dag: str, run: str, task: str, state: str) -> dict[str, Any]:
        """Wait until a task is in a state, and return it."""

        def found() -> dict[str, Any] | None:
            instance = self.task(dag, run, task)
            return instance if instance["state"] == state else None

        return until(found, f"{dag}.{task} to be {state}", SECONDS, PAUSE)

    def asset_event(self, asset: str) -> dict[str, Any]:
        """Return the newest event of an asset."""
        (found,) = (each for each in self.get("/api/v2/assets?limit=50")["assets"] if each["name"] == asset)
        path = f"/api/v2/assets/events?asset_id={found['id']}&order_by=-timestamp&limit=1"
        event: dict[str, Any] = self.get(path)["asset_events"][0]
        return event

    def _triggering_assets(self, dag: str, run: str) -> set[str]:
        events = self.get(f"/api/v2/dags/{dag}/dagRuns/{run}/upstreamAssetEvents")["asset_events"]
        return {event["name"] for event in events}

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON of a GET."""
        answer: dict[str, Any] = self.client.get(path).raise_for_status().json()
        return answer

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        posted: dict[str, Any] = answer.json()
        return posted
