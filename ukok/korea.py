"""Korean time, in which the sources, the reports and the daily intervals are."""

from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")
