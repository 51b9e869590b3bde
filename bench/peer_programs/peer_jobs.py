"""A job of the peers in Python: one post to the sink; without a sink, as long as a platform takes to answer.

The applications of Celery and of procrastinate are here, too.
"""

from __future__ import annotations

import os
import time
from http.client import HTTPConnection
from urllib.parse import urlencode

TAKES = 0.1
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(place: int) -> None:
    """One job of RQ. Nothing but the request: no library of the platform's, which would take longer than the queue."""
    sink = os.environ.get("BENCH_SINK")
    if sink is None:
        time.sleep(TAKES)
        return
    connection = HTTPConnection(sink)
    connection.request("POST", "/api/v1/statuses", urlencode({"status": f"post {place}"}), FORM)
    connection.getresponse().read()
    connection.close()


if "BENCH_BROKER" in os.environ:
    from celery import Celery

    app = Celery("peer_jobs", broker=os.environ["BENCH_BROKER"])
    app.conf.task_ignore_result = True

    @app.task(name="post")
    def celery_post(place: int) -> None:
        """One job of Celery."""
        post(place)


if "BENCH_POSTGRES" in os.environ:
    from procrastinate import App, PsycopgConnector

    queue = App(connector=PsycopgConnector(conninfo=os.environ["BENCH_POSTGRES"]))

    @queue.task(name="post", queue="bench")
    def procrastinate_post(place: int) -> None:
        """One job of procrastinate."""
        post(place)
