"""Which adapters are installed: found by name, and loaded when an account needs one. Any thread may ask.

A platform's library takes up to a second and sixty megabytes to load, so nobody pays for one that no account uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from guardian.adapter import Maker
from guardian.errors import ConfigMistake

GROUP = "guardian.adapters"


class Installed(Mapping[str, Maker]):
    """Every adapter by its platform's name. To name them all loads none; a plug-in that is no adapter is not there."""

    def __init__(self) -> None:
        self._points: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
        self._loaded: dict[str, Maker] = {}

    def __getitem__(self, name: str) -> Maker:
        """Load it, once. Raises KeyError for none; ConfigMistake for one that is there and cannot be loaded."""
        if name not in self._loaded:
            found = _load(self._points[name])
            if not isinstance(found, Maker):
                raise KeyError(name)
            self._loaded[name] = found
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)


class SecretsOf(Mapping[str, tuple[str, ...]]):
    """Which secrets each platform's adapter declares: what the configuration is checked against."""

    def __init__(self, makers: Mapping[str, Maker]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> tuple[str, ...]:
        """Raises what the makers raise."""
        return self._makers[name].secrets

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:  # a plug-in's import may raise anything
        raise ConfigMistake(
            f"cannot load the adapter for {point.name!r}, because {type(error).__name__}: {error}",
            fix=f"install {point.value.partition(':')[0]} again, or take its accounts out of the configuration",
        ) from error
