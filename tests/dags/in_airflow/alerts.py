"""Alerts of failed tasks and runs, sent to a webhook and a mail server."""

from base64 import b64decode
from types import SimpleNamespace
from typing import Any

import pytest

from dags.alerts import KILLED, Alert, BackfillRefused, run_failed, send, task_failed
from tests.builders.alert_receivers import mail_server, webhook

DOC = "### Schedules\n\n**When** Daily.\n\n**When it fails** Look at the\nreport.\n"


class TaskInstance(SimpleNamespace):
    """What the callbacks use of a task instance; Airflow's own needs a server."""

    def xcom_push(self, key: str, value: object) -> None:
        self.xcoms[self.task_id, key] = value

    def xcom_pull(self, task_ids: str, key: str) -> object:
        return self.xcoms.get((task_ids, key))

    def get_task_states(self, dag_id: str, run_ids: list[str]) -> dict[str, dict[str, str]]:
        return {run_ids[0]: self.states}


def context(**values: Any) -> dict[str, Any]:
    states = {"crawl_hmall": "failed", "crawl_nsmall": "failed", "load_nsmall": "upstream_failed", "link": "success"}
    url = "http://airflow/dags/crawl_schedules/runs/r/tasks/crawl_nsmall"
    ti = TaskInstance(task_id="crawl_nsmall", log_url=url, xcoms={}, states=states)
    return {"dag": SimpleNamespace(dag_id="crawl_schedules", doc_md=DOC), "run_id": "r", "ti": ti} | values


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> Any:
    with webhook() as (url, received):
        monkeypatch.setenv("UKOK_ALERT_WEBHOOK_URL", url)
        yield received


def test_a_failed_task_says_source_reason_log_and_action(posted: list[dict[str, Any]]) -> None:
    task_failed(context(exception=ValueError("503\nfrom mapi.nsmall.com")))
    (alert,) = posted
    text = alert.pop("text")
    assert alert == {
        "dag": "crawl_schedules",
        "step": "crawl_nsmall",
        "source": "nsmall",
        "reason": "503 from mapi.nsmall.com",
        "url": "http://airflow/dags/crawl_schedules/runs/r/tasks/crawl_nsmall",
        "action": "What to do: Look at the report.",
    }
    assert all(value in text for value in alert.values())


def test_a_run_reports_the_tasks_that_could_not(posted: list[dict[str, Any]]) -> None:
    failed = context(exception=ValueError("503"))
    task_failed(failed)
    run_failed(failed | {"reason": "task_failure"})
    assert [(alert["step"], alert["reason"]) for alert in posted] == [("crawl_nsmall", "503"), ("crawl_hmall", KILLED)]


def test_a_refused_backfill_is_not_reported(posted: list[dict[str, Any]]) -> None:
    refused = context(exception=BackfillRefused("crawl_schedules sees the present"))
    refused["ti"].states = {"crawl_nsmall": "failed"}
    task_failed(refused)
    run_failed(refused | {"reason": "task_failure"})
    assert posted == []


def test_a_run_that_takes_too_long_is_reported(posted: list[dict[str, Any]]) -> None:
    run_failed(context(reason="timed_out"))
    assert [alert["step"] for alert in posted] == ["run"]
    assert "timed_out" in posted[0]["reason"]


def test_an_alert_is_mailed_as_it_is(monkeypatch: pytest.MonkeyPatch, posted: list[dict[str, Any]]) -> None:
    with mail_server() as (port, mails):
        monkeypatch.setenv("UKOK_ALERT_EMAIL", "ops@example.com")
        options = "disable_ssl=true&disable_tls=true&from_email=ukok%40example.com"
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", f"smtp://127.0.0.1:{port}/?{options}")
        send(Alert("crawl_kok", "load", "kok", "field {{ price }} <b>", "http://airflow", ""))
    (mail,) = mails
    assert "Subject: [ukok] crawl_kok: load failed (kok)" in mail
    body = mail.split("\n\n")[-2] if "base64" in mail else mail
    decoded = b64decode(body).decode() if "base64" in mail else body
    assert "field {{ price }} &lt;b&gt;" in decoded
    assert len(posted) == 1


def test_a_channel_that_fails_leaves_the_other_and_its_secret(
    monkeypatch: pytest.MonkeyPatch, posted: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("UKOK_ALERT_EMAIL", "ops@example.com")
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://127.0.0.1:1/?disable_ssl=true&retry_limit=1")
    send(Alert("crawl_kok", "load", "kok", "held back", "http://airflow", ""))
    assert len(posted) == 1
    monkeypatch.setenv("UKOK_ALERT_WEBHOOK_URL", "http://127.0.0.1:1/secret")
    send(Alert("crawl_kok", "load", "kok", "held back", "http://airflow", ""))
    assert "UKOK_ALERT_WEBHOOK_URL: ConnectError" in caplog.text
    monkeypatch.setenv("UKOK_ALERT_WEBHOOK_URL", "http://host:secret/")
    send(Alert("crawl_kok", "load", "kok", "held back", "http://airflow", ""))
    assert "UKOK_ALERT_WEBHOOK_URL: InvalidURL" in caplog.text
    assert "secret" not in caplog.text
