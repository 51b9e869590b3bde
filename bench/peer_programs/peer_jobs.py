"""A job of the peers in Python: wait as long as a platform takes to answer. Celery's application is here, too."""

from __future__ import annotations

import os
import time

TAKES = 0.1


def post(_: int) -> None:
    """One job of RQ."""
    time.sleep(TAKES)


if "BENCH_BROKER" in os.environ:
    from celery import Celery

    app = Celery("peer_jobs", broker=os.environ["BENCH_BROKER"])
    app.conf.task_ignore_result = True

    @app.task(name="post")
    def celery_post(_: int) -> None:
        """One job of Celery."""
        time.sleep(TAKES)
