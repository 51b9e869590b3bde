"""Put jobs into a peer's queue: `peer_feed.py rq|celery|procrastinate ADDRESS COUNT`."""

from __future__ import annotations

import sys

import peer_jobs

which, address, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
if which == "rq":
    from redis import Redis
    from rq import Queue

    queue = Queue("bench", connection=Redis(unix_socket_path=address))
    queue.enqueue_many([Queue.prepare_data(peer_jobs.post, (place,)) for place in range(count)])
elif which == "celery":
    for place in range(count):
        peer_jobs.celery_post.apply_async((place,), queue="bench")
else:
    with peer_jobs.queue.open():
        peer_jobs.procrastinate_post.batch_defer(*({"place": place} for place in range(count)))
