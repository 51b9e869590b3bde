"""The two words of `typing` that the fence needs, without `typing`: it costs more to import than the whole stop.

Measured on the way to CONFIRMED: `typing` 5 ms (regular expressions and all), and a `typing.NamedTuple` 0.2 ms for each
class. To a type checker these are the ones of `typing`; ruff knows by `typing-modules` in pyproject.toml.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class NamedTuple(tuple):
        """A tuple with names, defaults, `_replace` and `_asdict`: what we use of the original, and nothing else."""

        __slots__ = ()
        _fields = ()
        _defaults = {}  # noqa: RUF012 (made anew for each subclass, never written to)

        def __init_subclass__(cls) -> None:
            """Turn the annotations into places; what is assigned to a name is its default."""
            cls._fields = tuple(cls.__annotations__)
            cls._defaults = {name: cls.__dict__[name] for name in cls._fields if name in cls.__dict__}
            for place, name in enumerate(cls._fields):
                setattr(cls, name, property(lambda row, place=place: row[place]))

        def __new__(cls, *values: object, **named: object) -> NamedTuple:
            """Values by place or by name. Raises TypeError unless each field gets exactly one."""
            left = cls._fields[len(values) :]
            given = {**cls._defaults, **named}
            try:
                row = (*values, *[given[name] for name in left])
            except KeyError as missing:
                raise TypeError(f"{cls.__name__} needs {missing}") from None
            if len(row) != len(cls._fields) or not named.keys() <= set(left):
                raise TypeError(f"{cls.__name__} has the fields {', '.join(cls._fields)}")
            return tuple.__new__(cls, row)

        def __repr__(self) -> str:
            fields = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({fields})"

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

        def _replace(self, **named: object) -> NamedTuple:
            """The same with other values."""
            return type(self)(**{**self._asdict(), **named})

        def _asdict(self) -> dict[str, object]:
            """The values by name."""
            return dict(zip(self._fields, self, strict=True))


__all__ = ["TYPE_CHECKING", "NamedTuple"]
