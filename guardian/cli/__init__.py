"""The face: every command but the stop itself, which stands in `guardian.fence` and needs none of this."""
