"""Runs as one HTML page that opens anywhere: no network, no server, every figure in it."""

from .page import html_report as html_report
from .page import write_html_report as write_html_report
from .reported_run import ReportedRun as ReportedRun
from .reported_run import read_reported_runs as read_reported_runs
