"""The house itself: threads, the control socket, and the one place that knows everybody."""
