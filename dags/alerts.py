"""Alerts about failed tasks and runs: to the log, and by mail and webhook where the settings name them."""

import html
import logging
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import httpx
from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowFailException

from dags.settings import AlertSettings
from pipelines.errors import one_line

log = logging.getLogger(__name__)
WEBHOOK_SECONDS = 10
KILLED = "its process was killed, by a person or because memory ran out"
REPORTED = "alert"
"""Key of the XCom that a task leaves when it has reported its failure itself."""


class BackfillRefused(AirflowFailException):
    """A backfill of a DAG that sees the present. It is not reported: whoever asked for it sees its many runs fail."""


@dataclass(frozen=True)
class Alert:
    """What failed, why, where its log is, and what to do. ``source`` is empty for a step of no single source."""

    dag: str
    step: str
    source: str
    reason: str
    url: str
    action: str

    @property
    def title(self) -> str:
        """The failure in a few words."""
        return f"{self.dag}: {self.step} failed" + (f" ({self.source})" if self.source else "")

    @property
    def text(self) -> str:
        """The whole alert as plain text."""
        return f"{self.title}\n\nReason: {self.reason}\n\nLog: {self.url}\n\n{self.action}"


def task_failed(context: dict[str, Any]) -> None:
    """Report a task that has failed for good. Airflow calls it in the process of the task."""
    error = context.get("exception")
    if not isinstance(error, BackfillRefused):
        send(_alert(context, context["ti"].task_id, _reason(error)))
    try:
        context["ti"].xcom_push(key=REPORTED, value=True)
    except Exception:
        log.exception("could not record that the alert was sent; it may come twice")


def run_failed(context: dict[str, Any]) -> None:
    """Report what no task of a failed run has reported: killed tasks, and the time limit of the run.

    Airflow calls it in the dag-processor when the run has ended.
    """
    if context.get("reason") != "task_failure" or "ti" not in context:
        unfinished = ", ".join(_tasks(context, {"running", "queued", "scheduled", "skipped", "failed"}))
        send(_alert(context, "run", f"the run ended as {context.get('reason')}; not finished: {unfinished}"))
        return
    for task in _tasks(context, {"failed"}):
        if not context["ti"].xcom_pull(task_ids=task, key=REPORTED):
            send(_alert(context, task, KILLED))


def send(alert: Alert) -> None:
    """Write an alert to the log and send it to each channel; one that fails is logged and leaves the others."""
    log.error("%s", alert.text)
    settings = AlertSettings()
    if settings.alert_email:
        try:
            _send_mail(settings.alert_email, alert)
        except Exception:
            log.exception("alert was not sent to UKOK_ALERT_EMAIL; check the connection smtp_default")
    if settings.alert_webhook_url:
        try:
            body = {"text": alert.text} | asdict(alert)
            httpx.post(
                settings.alert_webhook_url.get_secret_value(), json=body, timeout=WEBHOOK_SECONDS
            ).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The message of the error would show the URL, which is secret.
            log.error("alert was not sent to UKOK_ALERT_WEBHOOK_URL: %s", type(error).__name__)  # noqa: TRY400


def _send_mail(address: str, alert: Alert) -> None:
    """Send by Airflow's own notifier, called without rendering: a reason may hold braces."""
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    content = f"<pre>{html.escape(alert.text)}</pre>"
    sender = conf.get("email", "from_email", fallback=None)
    SmtpNotifier(to=address, from_email=sender, subject=f"[ukok] {alert.title}", html_content=content).notify({})


def _alert(context: dict[str, Any], step: str, reason: str) -> Alert:
    dag, run = context["dag"], context["run_id"]
    ti = context.get("ti")
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    url = ti.log_url if ti and ti.task_id == step else f"{base}/dags/{dag.dag_id}/runs/{quote(run)}"
    return Alert(dag.dag_id, step, source_of(dag.dag_id, step), reason, url, _action(dag.doc_md or ""))


def source_of(dag: str, step: str) -> str:
    """Return the source that a task is about, by its name or that of its DAG; empty if there is none."""
    from pipelines.tasks import sources

    return next((name for name in sources() if step.endswith(f"_{name}") or dag == f"crawl_{name}"), "")


def _reason(error: BaseException | str | None) -> str:
    if error is None:
        return KILLED
    text = one_line(error) if isinstance(error, BaseException) else " ".join(error.split())
    return text or type(error).__name__


def _action(doc: str) -> str:
    """Return the paragraph of a DAG's description that says what to do when it fails."""
    found = re.search(r"\*\*When it fails\*\* (.*?)(?:\n\n|\Z)", doc, re.DOTALL)
    return f"What to do: {' '.join(found[1].split())}" if found else ""


def _tasks(context: dict[str, Any], states: set[str]) -> Iterator[str]:
    """Yield the tasks of the run that are in one of the states."""
    run = context["run_id"]
    found = context["ti"].get_task_states(dag_id=context["dag"].dag_id, run_ids=[run]) if "ti" in context else {}
    yield from sorted(task for task, state in found.get(run, {}).items() if state in states)
