"""The gate: the only door to a platform. Every request passes here, and the publishing ones pass the fence."""
